"""`gateway identity`: links to accounts at identity providers that wait for somebody's decision."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from gateway.cli.asking import operator_of_keyholder, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, say, show_json, show_rows
from gateway.store.people import addresses_of
from gateway.store.tables import identity_review, person

app = typer.Typer(no_args_is_help=True, help="Links to identity providers that wait for a decision.")

Review = Annotated[str, typer.Argument(metavar="ID", help="The id that waiting shows.")]


@app.command()
def waiting(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the people whose address at the provider is not the one known here."""
    found = read(settings_of(config), _waiting)
    for one in found:
        one["since"] = instant(one.pop("created_us"))
    columns = {
        "id": "ID", "username": "USERNAME", "name": "NAME", "here": "ADDRESSES HERE", "there": "ADDRESSES THERE",
        "provider": "PROVIDER", "since": "SINCE",
    }  # fmt: skip
    show_rows(found, columns, as_json=as_json, nothing="nobody waits")


@app.command()
def accept(review: Review, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Make the link: you know, by telephone or meeting, that the account there is this person's."""
    _decide(config, review, accept=True, as_json=as_json)


@app.command()
def refuse(review: Review, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Refuse the link; the person needs a new first code."""
    _decide(config, review, accept=False, as_json=as_json)


def _decide(config: Any, review: str, *, accept: bool, as_json: bool) -> None:
    decided = operator_of_keyholder(
        settings_of(config), lambda keyholder: keyholder.decide_identity(review, accept=accept)
    )
    if as_json:
        show_json(decided)
    else:
        say("The link is made: they sign in with it from now on." if accept else "The link is refused.")


def _waiting(connection: Connection) -> list[dict[str, Any]]:
    table = identity_review
    statement = (
        select(table, person.c.username, person.c.name)
        .join(person, person.c.id == table.c.person_id)
        .where(table.c.decided_us.is_(None))
        .order_by(table.c.created_us)
    )
    rows = connection.execute(statement).all()
    here = addresses_of(connection, {row.person_id for row in rows}, max((row.created_us for row in rows), default=0))
    return [
        {
            "id": row.id,
            "username": row.username,
            "name": row.name,
            "here": here.get(row.person_id, []),
            "there": row.addresses.split(),
            "provider": row.provider,
            "created_us": row.created_us,
        }
        for row in rows
    ]
