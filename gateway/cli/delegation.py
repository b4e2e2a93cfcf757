"""`gateway employee delegate`, `undelegate`, `delegations`: who may write in whose name."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from gateway.cli import credentials
from gateway.cli.asking import authority_of, enact, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.store.authority import genuine
from gateway.store.tables import delegation, person

Delegate = Annotated[str, typer.Argument(metavar="DELEGATE", help="Who writes in their name: username, address or id.")]


def add_delegations(app: typer.Typer) -> None:
    """Give an app of employees these commands."""
    app.command("delegate")(delegate_)
    app.command("undelegate")(undelegate)
    app.command("delegations")(delegations)


def delegate_(
    who: Who,
    delegate: Delegate,
    until: Annotated[str, typer.Option(help="The last day, in the programme's time zone: 2027-01-31.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let somebody write mail in an employee's name. It gives them no case: they write in cases of their own."""
    settings = settings_of(config)
    owner = credentials.require_person(settings, who)
    ends = credentials.end_of_persons_day(settings, owner, until) if until else None
    writer = credentials.require_person(settings, delegate)
    made = enact(settings, "add_delegation", person=owner, delegate=writer, until_us=ends)
    if as_json:
        show_json(made)
    else:
        say(f"{delegate} may write in the name of {who}{f' until the end of {until}' if until else ''}.")
        say(f"To undo: gateway employee undelegate {who} {delegate}")


def undelegate(who: Who, delegate: Delegate, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take that away, now."""
    settings = settings_of(config)
    owner, writer = (credentials.require_person(settings, one) for one in (who, delegate))
    ended = enact(settings, "end_delegation", person=owner, delegate=writer)
    if not ended.get("ended"):
        raise UnknownRecipient(f"{delegate} may not write in the name of {who}. See: gateway employee delegations")
    if as_json:
        show_json(ended)
    else:
        say(f"{delegate} writes in the name of {who} no more.")


def delegations(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List who may write in whose name now."""
    settings, now = settings_of(config), now_us()
    statement = select(delegation).order_by(delegation.c.id)
    rows = read(settings, lambda source: genuine(delegation, source.execute(statement), authority_of(settings)))
    names = {
        row.id: row.username or row.id
        for row in read(settings, lambda source: source.execute(select(person.c.id, person.c.username)).all())
    }
    found = [
        {"who": names[row.person_id], "delegate": names[row.delegate_id], "until": instant(row.until_us)}
        for row in rows
        if row.until_us is None or row.until_us > now
    ]
    columns = {"who": "IN THE NAME OF", "delegate": "WRITES", "until": "UNTIL"}
    show_rows(found, columns, as_json=as_json, nothing="nobody: gateway employee delegate WHO DELEGATE")
