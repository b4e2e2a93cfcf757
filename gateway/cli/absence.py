"""`gateway employee absence add`, `list`, `end`: who stands in for an employee, from which day to which."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Row, select

from gateway.cli import credentials
from gateway.cli.asking import authority_of, enact, programme_of, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import now_us, say, show_json, show_rows
from gateway.config import Settings
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import UnknownRecipient
from gateway.store.authority import genuine
from gateway.store.tables import absence, person

app = typer.Typer(no_args_is_help=True, help="Who stands in for an employee, from which day to which.")


@app.command()
def add(
    who: Who,
    deputy: Annotated[str, typer.Argument(metavar="DEPUTY", help="Who stands in: username, address or id.")],
    first: Annotated[str, typer.Option("--from", help="The first day, in the programme's time zone: 2027-01-18.")],
    last: Annotated[str, typer.Option("--until", help="The last day: 2027-01-29.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let a deputy read and answer in an absent employee's cases, and be told of what comes for them."""
    settings = settings_of(config)
    absent, other = (credentials.require_person(settings, one) for one in (who, deputy))
    made = enact(settings, "add_absence", person=absent, deputy=other, from_day=first, until_day=last)
    if as_json:
        show_json(made)
        return
    say(f"{deputy} stands in for {who} from {first} to the end of {last}.")
    if made["stands_in_for"]:
        say(f"{who} was to stand in for {made['stands_in_for']} in these days: their supervisors are told.")
    say(f"To undo: gateway employee absence end {who}")


@app.command()
def end(
    who: Who,
    absence_: Annotated[str, typer.Option("--absence", help="One alone, by its id; else all.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """End an absence now, or take back one to come."""
    settings = settings_of(config)
    ended = enact(settings, "end_absence", person=credentials.require_person(settings, who), absence=absence_ or None)
    if not ended.get("ended"):
        raise UnknownRecipient(f"{who} has no such absence. See: gateway employee absence list")
    if as_json:
        show_json(ended)
    else:
        say(f"Nobody stands in for {who} any more.")


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List who stands in for whom, now and in days to come."""
    settings, now = settings_of(config), now_us()
    statement = select(absence).where(absence.c.until_us > now).order_by(absence.c.from_us, absence.c.id)
    rows = read(settings, lambda source: genuine(absence, source.execute(statement), authority_of(settings)))
    wanted = select(person.c.id, person.c.username, person.c.programme)
    people = {row.id: row for row in read(settings, lambda source: source.execute(wanted).all())}
    columns = {"who": "ABSENT", "deputy": "STANDS IN", "from": "FROM", "until": "UNTIL", "id": "ID"}
    found = [_shown(settings, row, people) for row in rows]
    show_rows(found, columns, as_json=as_json, nothing="nobody: gateway employee absence add WHO DEPUTY")


def _shown(settings: Settings, row: Row[Any], people: dict[str, Any]) -> dict[str, Any]:
    zone = programme_of(settings, people[row.person_id].programme).zone
    last = from_microseconds(row.until_us).astimezone(zone) - timedelta(microseconds=1)
    return {
        "who": people[row.person_id].username or row.person_id,
        "deputy": people[row.deputy_id].username or row.deputy_id,
        "from": from_microseconds(row.from_us).astimezone(zone).date().isoformat(),
        "until": last.date().isoformat(),
        "id": row.id,
    }
