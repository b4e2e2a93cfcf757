"""`gateway guard`: messages that the wrong client guard holds, and releasing one in place of an author who is away."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from gateway.casework.act import OPERATOR
from gateway.casework.guard_answers import say_yes_as_operator
from gateway.casework.guard_asking import authors_of
from gateway.cli.asking import authority_of, read, settings_of, write
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.domain.guard import RUN_OUT_US, Guarded
from gateway.store.authority import AuthorityKey
from gateway.store.guard import waiting_for_word
from gateway.store.tables import person
from gateway.wake import notify

app = typer.Typer(no_args_is_help=True, help="Messages that wait for their author's yes.")

_WHY = {Guarded.ANSWER.value: "another case", Guarded.OVERDUE.value: "not looked at"}


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List what waits for a yes, and whose; no address, no content, and no case beside the message's own."""
    settings = settings_of(config)
    authority = authority_of(settings)
    rows = read(settings, lambda connection: _lines(connection, authority))
    columns = {
        "reference": "MESSAGE", "author": "AUTHOR", "asked": "ASKED", "why": "WHY", "since": "SINCE", "until": "UNTIL",
    }  # fmt: skip
    if not as_json:
        rows = [{**row, "asked": " ".join(row["asked"]) or "nobody"} for row in rows]
    show_rows(rows, columns, as_json=as_json, nothing="nothing waits for a yes")


@app.command()
def release(
    reference: Annotated[str, typer.Argument(metavar="MESSAGE", help="The reference that list shows.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Release a message whose author is away. The entry says that an operator did."""
    settings = settings_of(config)
    if not write(settings, say_yes_as_operator, reference.strip().upper(), OPERATOR):
        raise UnknownRecipient(f"{reference} does not wait for a yes. See: gateway guard list")
    notify(settings.site.run, "notifier")
    if as_json:
        show_json({"reference": reference, "released": True})
    else:
        say(f"{reference} is released.")


def _lines(connection: Connection, authority: AuthorityKey) -> list[dict[str, Any]]:
    now = now_us()
    found = [(row, authors_of(connection, authority, row, now)) for row in waiting_for_word(connection)]
    people = {one for _, asked in found for one in asked}
    names = dict(
        connection.execute(select(person.c.id, person.c.username).where(person.c.id.in_(people))).tuples().all()
    )
    return [
        {
            "reference": row.reference,
            "author": row.username or "",
            "asked": [names.get(one) or one for one in asked],
            "why": _WHY[row.guard],
            "since": instant(row.since_us),
            "until": instant(row.since_us + RUN_OUT_US),
        }
        for row, asked in found
    ]
