"""`gateway designated-user`: people of the other side and their places in agreements, the plain administrative way."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import authority_of, enact, programme_of, read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ProgrammeKey
from gateway.cli.output import instant, now_us, say, show_json, show_rows
from gateway.cli.routing import routing_of
from gateway.cli.sign_in import add_ways
from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed, UnknownRecipient
from gateway.domain.rights import Right
from gateway.store.listings import Listings

app = typer.Typer(no_args_is_help=True, help="Designated users: add, list, revoke; passwords and codes.")


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Where notifications go; or WHO with --known.")],
    case: Annotated[list[str], typer.Option(help="A case the agreement covers. Repeatable.")],
    name: Annotated[str, typer.Option(help="The name of a new person.")] = "",
    username: Annotated[str, typer.Option(help="For signing in; the address when left out.")] = "",
    right: Annotated[Right, typer.Option(help="act: read and write; see: read.")] = Right.ACT,
    until: Annotated[
        str, typer.Option(help="The last day of the right, in the programme's time zone: 2027-01-31.")
    ] = "",
    known: Annotated[bool, typer.Option("--known", help="Somebody who is a designated user already.")] = False,
    programme: ProgrammeKey = "",
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Make an agreement over cases, and a designated user of it."""
    if not known and not name:
        raise Malformed("Give the new person's name: --name NAME. Or is it somebody --known?")
    settings = settings_of(config)
    who = (
        {"person": credentials.require_person(settings, address)}
        if known
        else {"name": name, "address": address, "username": username or parse_address(address).key}
    )
    chosen = programme_of(settings, programme)
    made = enact(
        settings,
        "add_designated_user",
        programme=chosen.key,
        cases=case,
        right=right.value,
        until_us=credentials.end_of_day(until, chosen.zone) if until else None,
        **who,
    )
    if as_json:
        show_json({**made, "username": who.get("username")})
        return
    say(f"{name or address} may {right.value} in {', '.join(case)}.")
    if not known:
        say(f"Next: gateway designated-user password {who['username']}, then totp {who['username']}")


@app.command("list")
def list_(
    routing: Annotated[
        bool,
        typer.Option("--routing", help="Print their addresses alone, for the rule that blocks plain mail to them."),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="With --routing: for Exchange, in place of Postfix.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List the designated users. With --routing that is entered in the record, with their number."""
    settings = settings_of(config)
    if csv and not routing:
        raise Malformed("--csv is a form of --routing: give both.")
    if routing:
        say(routing_of(settings, csv=csv).rstrip("\n"))
        return
    found = read(settings, lambda rows: Listings(rows, authority_of(settings), now_us()).designated_users())
    for one in found:
        one["until"] = instant(one.pop("until_us"))
    columns = {
        "id": "ID", "username": "USERNAME", "name": "NAME", "addresses": "ADDRESSES", "right": "RIGHT",
        "state": "STATE",
        "cases": "CASES", "until": "UNTIL", "credentials": "SIGNS IN BY",
    }  # fmt: skip
    show_rows(found, columns, as_json=as_json, nothing="no designated users: gateway designated-user add ADDRESS")


@app.command()
def revoke(
    place: Annotated[str, typer.Argument(metavar="ID", help="The id that list shows: one place in one agreement.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """End one place in one agreement; the person's other places stay."""
    ended = enact(settings_of(config), "revoke_designated_user", designated_user=place)
    if not ended.get("ended"):
        raise UnknownRecipient("There is no such place in force. See: gateway designated-user list")
    if as_json:
        show_json(ended)
    else:
        say("The place is revoked, in open pages too.")


add_ways(app)
