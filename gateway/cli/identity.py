"""`gateway identity`: links to accounts at identity providers: which wait for a decision, and who has none yet."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import Connection, select

from gateway.cli import credentials
from gateway.cli.asking import (
    authority_of,
    enact,
    operator_of_keyholder,
    programmes_of,
    read,
    settings_of,
)
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.domain.credential import CredentialKind
from gateway.domain.sunset import Sunsets
from gateway.store.moving import Moved, movers
from gateway.store.people import addresses_of
from gateway.store.tables import identity_review, person

app = typer.Typer(
    no_args_is_help=True, help="Identity providers: links that wait, who has not moved to one, longer for one person."
)

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


@app.command()
def report(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show who of a group whose passwords end signs in by one still, those of the earliest end first."""
    settings = settings_of(config)
    programmes = programmes_of(settings)
    sunsets = Sunsets(settings.security.sunsets, {key: one.zone for key, one in programmes.items()})
    found = read(settings, lambda rows: list(movers(rows, authority_of(settings), sunsets, now_us())))
    counts = {state.value: sum(one.state is state for one in found) for state in Moved}
    left = sorted((one for one in found if one.state is not Moved.MOVED), key=lambda one: (one.ends_us, one.username))
    rows = [
        {
            "username": one.username,
            "name": one.name,
            "group": one.sunset.name,
            "state": one.state.value,
            "ends": instant(one.ends_us),
            "last": instant(one.last_us or None),
        }
        for one in left
    ]
    if as_json:
        show_json({**counts, "left": rows})
        return
    if not sunsets.listed:
        say("No group's passwords end: there is no table [security.sunsets.NAME].")
        return
    say(f"{counts['moved']} have moved, {counts['not-moved']} have not, {counts['extended']} have longer.")
    columns = {
        "username": "USERNAME", "name": "NAME", "group": "GROUP", "state": "STATE", "ends": "ENDS",
        "last": "LAST HERE",
    }  # fmt: skip
    show_rows(rows, columns, as_json=False, nothing="everybody has moved")


@app.command()
def extend(
    who: Who,
    until: Annotated[str, typer.Option(help="The last day, in the programme's time zone: 2027-01-31.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let one person go on with a password that has ended, or ends, for others."""
    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    ends_us = credentials.end_of_persons_day(settings, person, until)
    added = enact(
        settings,
        "add_credential",
        person=person,
        kind=CredentialKind.EXTENSION.value,
        label="longer",
        expires_us=ends_us,
    )
    if as_json:
        show_json({**added, "until": instant(ends_us)})
    else:
        say(f"{who} may sign in by a password until the end of {until}.")


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
