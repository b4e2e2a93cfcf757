"""`gateway case`: open, assign, close, look at; never into a message."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.asking import authority_of, enact, programme_of, read, settings_of
from gateway.cli.credentials import require_person
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.config import Settings
from gateway.domain.card import card
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.reference import parse
from gateway.store.listings import Listings

app = typer.Typer(no_args_is_help=True, help="Cases: open, assign, close, list.")

Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's reference.")]
Team = Annotated[str, typer.Option(help="The address of a team.")]
Person = Annotated[str, typer.Option(help="An employee: username or address.")]


@app.command("open")
def open_(
    team: Team = "",
    person: Person = "",
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Open a case, and give it to a team or an employee."""
    settings = settings_of(config)
    chosen = programme_of(settings, programme)
    holder = _holder(settings, team, person) if team or person else {}
    trial = settings.site.is_trial
    made = enact(settings, "open_case", programme=chosen.key, series=chosen.series, trial=trial, **holder)
    address = f"{parse(made['reference']).local_part}@{settings.site.domain}"
    if as_json:
        show_json({**made, "address": address})
        return
    say(f"{made['reference']} is open. Its address: {address}")
    say(f"Next: gateway designated-user add ADDRESS --name NAME --case {made['reference']}")


@app.command("list")
def list_(
    closed: Annotated[bool, typer.Option("--closed", help="Closed ones, too.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the cases."""
    found = _cases(settings_of(config), closed=closed)
    columns = {
        "reference": "CASE", "opened": "OPENED", "closed": "CLOSED", "assigned_to": "ASSIGNED TO",
        "designated_users": "OTHER SIDE", "messages": "MESSAGES",
    }  # fmt: skip
    show_rows(found, columns, as_json=as_json, nothing="no cases: gateway case open --person WHO")


@app.command()
def show(case: Case, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show one case: who has it, who stands on the other side, how many messages."""
    settings = settings_of(config)
    wanted = case.strip().upper()
    one = next((row for row in _cases(settings, closed=True) if wanted in (row["reference"], row["id"].upper())), None)
    if one is None:
        raise UnknownRecipient(f"There is no case {case}. See: gateway case list --closed")
    show_facts(one, as_json=as_json)


@app.command("card")
def card_(
    case: Case,
    output: Annotated[str, typer.Option("--output", "-o", help="A file, or - for standard output.")] = "-",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Write the case's address as a card for address books (vCard), for its employees."""
    settings = settings_of(config)
    wanted = case.strip().upper()
    if all(row["reference"] != wanted for row in _cases(settings, closed=False)):
        raise UnknownRecipient(f"There is no open case {case}. See: gateway case list")
    octets = card(parse(wanted), settings.site.domain, settings.site.name)
    if output == "-":
        sys.stdout.buffer.write(octets)
        return
    try:
        Path(output).write_bytes(octets)
    except OSError as problem:
        raise Malformed(f"{output} cannot be written: {os.strerror(problem.errno or 0)}.") from problem
    say(f"{output}: the address of {wanted}")


@app.command()
def assign(
    case: Case, team: Team = "", person: Person = "", config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Give a case to a team or an employee."""
    settings = settings_of(config)
    made = enact(settings, "assign", case=case, **_holder(settings, team, person))
    _tell(made, f"{case} is given to {team or person}.", as_json=as_json)


@app.command()
def unassign(
    case: Case, team: Team = "", person: Person = "", config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Take a case from a team or an employee."""
    settings = settings_of(config)
    ended = enact(settings, "unassign", case=case, **_holder(settings, team, person))
    if not ended.get("ended"):
        raise UnknownRecipient(f"{case} is not with {team or person}. See: gateway case show {case}")
    _tell(ended, f"{case} is taken from {team or person}.", as_json=as_json)


@app.command()
def close(case: Case, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Close a case: it is read, and no more written to."""
    _tell(enact(settings_of(config), "close_case", case=case), f"{case} is closed.", as_json=as_json)


def _cases(settings: Settings, *, closed: bool) -> list[dict[str, Any]]:
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).cases(closed=closed))
    for one in found:
        one["opened"], one["closed"] = instant(one.pop("opened_us")), instant(one.pop("closed_us"))
        one["address"] = f"{parse(one['reference']).local_part}@{settings.site.domain}"
    return found


def _holder(settings: Settings, team: str, person: str) -> dict[str, str]:
    if bool(team) == bool(person):
        raise Malformed("Name a team or a person: --team ADDRESS or --person WHO.")
    return {"team": team} if team else {"person": require_person(settings, person)}


def _tell(made: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        show_json(made)
    else:
        say(words)
