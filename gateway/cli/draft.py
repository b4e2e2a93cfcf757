"""`gateway draft`: messages of a relay that fit several cases and wait for their author to choose."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from gateway.cli.asking import authority_of, enact, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.store.authority import AuthorityKey
from gateway.store.drafts import fitting_cases, open_drafts
from gateway.store.tables import person

app = typer.Typer(no_args_is_help=True, help="Messages that fit several cases and wait for their author to choose.")

Which = Annotated[str, typer.Argument(metavar="DRAFT", help="The reference that list shows.")]


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List what waits: whose it is, the cases that fit, and when it ends; no address, no content."""
    settings = settings_of(config)
    authority = authority_of(settings)
    rows = read(settings, lambda connection: _lines(connection, authority))
    columns = {"reference": "DRAFT", "username": "WHOSE", "received": "RECEIVED", "cases": "FITS", "ends": "ENDS"}
    if not as_json:
        rows = [{**row, "cases": " ".join(row["cases"]) or "none any more"} for row in rows]
    show_rows(rows, columns, as_json=as_json, nothing="nothing waits for a choice")


@app.command("choose")
def choose(
    draft: Which,
    case: Annotated[str, typer.Argument(metavar="CASE", help="One of the cases that list shows.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Put a draft into a case, as its author told you: everybody is told, as of any message. Nothing of it is shown."""
    done = enact(settings_of(config), "choose_draft", draft=draft, case=case)
    if as_json:
        show_json(done)
    else:
        say(f"{draft.upper()} is {done['reference']}{', and was before' if done['repeated'] else ''}.")


@app.command("discard")
def discard(draft: Which, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Take a draft out of every view, as its author told you: nobody is sent it. The record keeps it."""
    done = enact(settings_of(config), "discard_draft", draft=draft)
    if as_json:
        show_json(done)
    else:
        say(f"{done['draft']} is discarded: nobody is sent it.")


def _lines(connection: Connection, authority: AuthorityKey) -> list[dict[str, Any]]:
    now, found = now_us(), open_drafts(connection)
    people = {one.row.person_id for one in found}
    names = dict(
        connection.execute(select(person.c.id, person.c.username).where(person.c.id.in_(people))).tuples().all()
    )
    return [
        {
            "reference": one.row.reference,
            "username": names.get(one.row.person_id) or one.row.person_id,
            "received": instant(one.row.received_us),
            "cases": [
                str(entered.reference) for entered in fitting_cases(connection, authority, one, one.row.person_id, now)
            ],
            "ends": instant(one.row.ends_us),
        }
        for one in found
    ]
