"""`gateway team`: shared addresses of employees."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.asking import authority_of, enact, programme_of, read, settings_of
from gateway.cli.credentials import require_person
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey, Who
from gateway.cli.output import now_us, say, show_json, show_rows
from gateway.domain.errors import UnknownRecipient
from gateway.store.listings import Listings

app = typer.Typer(no_args_is_help=True, help="Teams: a shared address and its members.")

Team = Annotated[str, typer.Argument(metavar="TEAM", help="The team's address.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people call the team.")],
    address: Annotated[str, typer.Argument(help="The shared address.")],
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Add a team."""
    settings = settings_of(config)
    key = programme_of(settings, programme).key
    made = enact(settings, "add_team", programme=key, name=name, address=address)
    if as_json:
        show_json(made)
    else:
        say(f"The team {name} is added. Next: gateway team add-member {address} WHO")


@app.command("list")
def list_(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the teams."""
    settings = settings_of(config)
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).teams())
    columns = {"address": "ADDRESS", "name": "NAME", "members": "MEMBERS", "supervisors": "SUPERVISORS"}
    show_rows(found, columns, as_json=as_json, nothing="no teams: gateway team add NAME ADDRESS")


@app.command("add-member")
def add_member(
    team: Team,
    who: Who,
    supervisor: Annotated[bool, typer.Option("--supervisor", help="Hears of what nobody reads.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make an employee a member."""
    settings = settings_of(config)
    person = require_person(settings, who)
    made = enact(settings, "add_team_member", team=team, person=person, supervisor=supervisor)
    if as_json:
        show_json(made)
    else:
        say(f"{who} is a member of {team}.")


@app.command("remove-member")
def remove_member(team: Team, who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """End a membership."""
    settings = settings_of(config)
    ended = enact(settings, "remove_team_member", team=team, person=require_person(settings, who))
    if not ended.get("ended"):
        raise UnknownRecipient(f"{who} is no member of {team}. See: gateway team list")
    if as_json:
        show_json(ended)
    else:
        say(f"{who} is no member of {team} any more.")
        if ended.get("absences"):
            say(f"{ended['absences']} absences ended: the deputy is in no team of the absent one's now. Both are told.")
