"""`gateway employee leave` and `return`: somebody leaves and somebody else goes on with their work; and taken back."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import enact, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Who
from gateway.cli.output import say, show_json


def leave(
    who: Who,
    successor: Annotated[str, typer.Option("--to", help="Who goes on: a username or address.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, it is only shown what it would do.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Hand somebody's cases, teams, unopened answers and waiting messages to a successor, and end their place here."""
    settings = settings_of(config)
    leaver, heir = (credentials.require_person(settings, one) for one in (who, successor))
    done = enact(settings, "leave", person=leaver, successor=heir, preview=not yes)
    if as_json:
        show_json(done)
        return
    say(f"{'To' if yes else 'Would go to'} {successor}:")
    say(f"  {done['cases']} cases, {done['teams']} places in teams, {done['unopened']} answers not opened,")
    say(f"  {done['drafts']} drafts, {done['waits']} messages that wait for a yes,")
    say(f"  {done['absences']} absences of colleagues to stand in for, the thread addresses")
    say(f"{'Ended' if yes else 'Would end'} of {who}:")
    say(f"  {done['credentials']} credentials, {done['sessions']} sessions, every role and delegation")
    if not yes:
        say(f"Nothing is done yet. To do it: gateway employee leave {who} --to {successor} --yes")


def return_(
    who: Annotated[str, typer.Argument(metavar="WHO", help="Who has left: their username or id.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take a leaving back, with the cases and teams the successor still has. What they signed in with stays ended."""
    done = enact(settings_of(config), "readmit", person=who)
    if as_json:
        show_json(done)
        return
    say(f"{who} is an employee again, with {done['cases']} cases and {done['teams']} places in teams.")
    if done["moved"]:
        say(f"{done['moved']} have gone on to others meanwhile, and stay there.")
    say("Passwords, factors, app passwords and other roles stay ended. To let them sign in:")
    say(f"  gateway employee password {who}")


def add_leaving(app: typer.Typer) -> None:
    """Add the commands to those about employees."""
    app.command()(leave)
    app.command("return")(return_)
