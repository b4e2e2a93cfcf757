"""`gateway address`: addresses that do not simply take notices, why, and taking one for good again."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Row

from gateway.cli.asking import read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import Row as Shown
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.domain.address import parse_address
from gateway.domain.errors import UnknownRecipient
from gateway.domain.reach import Reason
from gateway.store.people import people_by_address
from gateway.store.reach import forget_states, troubled

app = typer.Typer(no_args_is_help=True, help="Addresses that notices do not reach, or not so far.")

BY = "operator"
Which = Annotated[str, typer.Argument(metavar="ADDRESS", help="A person's e-mail address.")]


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List present addresses that are delayed, failing or dead, or that reported notices as unwanted."""
    rows = [_facts(row) for row in read(settings_of(config), lambda connection: troubled(connection, now_us()))]
    columns = {"address": "ADDRESS", "name": "PERSON", "state": "STATE", "why": "WHY", "since": "SINCE"}
    show_rows(rows, columns, as_json=as_json, nothing="every address takes notices, as far as we know")


@app.command()
def show(address: Which, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show the state of one address, for each person who has it."""
    settings, key, now = settings_of(config), parse_address(address).key, now_us()
    people = read(settings, lambda connection: people_by_address(connection, key, now))
    if not people:
        raise UnknownRecipient("Nobody has this address now. See: gateway address list")
    known = {
        row.person_id: _facts(row)
        for row in read(settings, lambda connection: troubled(connection, now))
        if row.address.lower() == key
    }
    facts = [known.get(one.id, {"address": address, "name": one.name, "state": "good"}) for one in people]
    if as_json:
        show_json(facts)
        return
    for one in facts:
        show_facts(one, as_json=False)


@app.command()
def reset(address: Which, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take an address for good again: notices and reminders go there. What has failed: gateway queue retry."""
    settings, key, now = settings_of(config), parse_address(address).key, now_us()
    people = read(settings, lambda connection: people_by_address(connection, key, now))
    changed = sum(write(settings, forget_states, one.id, BY, [key]) for one in people)
    if not changed:
        raise UnknownRecipient("There is nothing to reset at this address. See: gateway address list")
    if as_json:
        show_json({"reset": changed})
    else:
        say(f"{address} is taken for good again.")


def _facts(row: Row[Any]) -> Shown:
    return {
        "address": row.address,
        "name": row.name,
        "side": row.side,
        "state": row.state,
        "why": Reason(row.reason).words if row.state != "good" else Reason.COMPLAINED.words,
        "failures": row.failures,
        "since": instant(row.since_us),
        "last_news": instant(row.changed_us),
        "complained": instant(row.complained_us),
    }
