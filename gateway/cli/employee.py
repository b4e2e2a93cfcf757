"""`gateway employee`: the people of the office, and what they sign in with."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import absence, credentials, employee_certificate, employee_key
from gateway.cli.asking import authority_of, enact, programme_of, read, settings_of
from gateway.cli.confirming import confirm
from gateway.cli.delegation import add_delegations
from gateway.cli.full_copies import full_copies
from gateway.cli.leaving import add_leaving
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey, Who
from gateway.cli.output import instant, now_us, say, show_facts, show_json, show_rows
from gateway.cli.sign_in import add_ways
from gateway.domain.address import parse_address
from gateway.domain.errors import UnknownRecipient
from gateway.domain.rights import Role
from gateway.store.listings import Listings

app = typer.Typer(no_args_is_help=True, help="Employees: add, list, end; passwords, codes and app passwords.")
app_password = typer.Typer(no_args_is_help=True, help="Passwords for mail tools.")
app.add_typer(app_password, name="app-password")
app.add_typer(employee_certificate.app, name="certificate")
app.add_typer(employee_key.app, name="key")
app.add_typer(absence.app, name="absence")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help='The name as others read it: "Ann Lee".')],
    address: Annotated[str, typer.Argument(help="The address this employee writes from.")],
    username: Annotated[str, typer.Option(help="For signing in; the address when left out.")] = "",
    administrator: Annotated[bool, typer.Option("--administrator", help="May administer in the portal.")] = False,
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Add an employee."""
    settings = settings_of(config)
    known_as = username or parse_address(address).key
    made = enact(
        settings,
        "add_employee",
        programme=programme_of(settings, programme).key,
        name=name,
        address=address,
        username=known_as,
        role="administrator" if administrator else "employee",
    )
    if as_json:
        show_json({**made, "username": known_as})
        return
    say(f"{name} is added as {known_as}. Next:")
    say(f"  gateway employee password {known_as}")
    say(f"  gateway employee totp {known_as}")
    say(f"  gateway employee app-password add {known_as}")


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Those who have left, too.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the employees."""
    settings = settings_of(config)
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).employees(ended=ended))
    columns = {
        "username": "USERNAME", "name": "NAME", "addresses": "ADDRESSES", "role": "ROLE", "teams": "TEAMS",
        "credentials": "SIGNS IN BY",
    }  # fmt: skip
    show_rows(found, columns, as_json=as_json, nothing="no employees: gateway employee add NAME ADDRESS")


@app.command()
def show(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show one employee."""
    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).employees())
    one = next((row for row in found if row["id"] == person), None)
    if one is None:
        raise UnknownRecipient(f"{who} is no employee. See: gateway designated-user list")
    one["ended"] = instant(one.pop("ended_us"))
    show_facts(one, as_json=as_json)


@app.command()
def end(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """End a person's place here: every credential, session, role and assignment with it."""
    settings = settings_of(config)
    ended = enact(settings, "end_person", person=credentials.require_person(settings, who))
    if as_json:
        show_json(ended)
    else:
        say(f"{who} has no access any more.")


@app.command("give-role")
def give_role(
    who: Who,
    role: Annotated[Role, typer.Argument(help="What they may do beside their own cases.")],
    until: Annotated[str, typer.Option(help="The last day, in the programme's time zone: 2027-01-31.")] = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Give an employee a role, with an end: it ends by itself at that day."""
    settings = settings_of(config)
    person = credentials.require_person(settings, who)
    ends = credentials.end_of_persons_day(settings, person, until) if until else None
    given = enact(settings, "give_role", person=person, role=role.value, until_us=ends)
    if as_json:
        show_json(given)
    else:
        say(f"{who} has the role {role.value}{f' until the end of {until}' if until else ''}.")


@app.command("end-role")
def end_role(
    who: Who,
    role: Annotated[Role, typer.Argument(help="The role they have.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take a role from an employee, now."""
    settings = settings_of(config)
    ended = enact(settings, "end_role", person=credentials.require_person(settings, who), role=role.value)
    if not ended.get("ended"):
        raise UnknownRecipient(f"{who} has no role {role.value}. See: gateway employee list")
    if as_json:
        show_json(ended)
    else:
        say(f"{who} has the role {role.value} no more.")


add_ways(app)
add_leaving(app)
add_delegations(app)
app.command()(confirm)
app.command("full-copies")(full_copies)


@app.command("credentials")
def list_credentials(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List what somebody signs in with; never a secret."""
    credentials.list_credentials(settings_of(config), who, as_json=as_json)


@app.command()
def revoke(
    who: Who,
    credential: Annotated[str, typer.Argument(help="The credential's id.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Revoke one credential."""
    credentials.revoke_credential(settings_of(config), who, credential, as_json=as_json)


@app_password.command("add")
def add_app_password(
    who: Who,
    label: Annotated[str, typer.Option(help="Which mail tool it is for.")] = "mail tool",
    network: Annotated[list[str] | None, typer.Option(help="Only from here: 192.0.2.0/24. Repeatable.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3660, help="It expires after so many days.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make an app password; it is shown once."""
    credentials.give_app_password(settings_of(config), who, label, network or [], days, as_json=as_json)
