"""What `gateway employee` and `gateway designated-user` both have: commands for what a person signs in with."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, FirstCodeHours, PasswordFile, Who


def add_ways(app: typer.Typer) -> None:
    """Give a noun these commands."""
    for command in (password, totp, telephone, first_code, forgive):
        app.command(command.__name__.replace("_", "-"))(command)


def password(who: Who, source: PasswordFile = None, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Set a password, read from a prompt, standard input or a file."""
    credentials.give_password(settings_of(config), who, source)


def totp(who: Who, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Give a seed for an authenticator app; it is shown once."""
    credentials.give_totp(settings_of(config), who, as_json=as_json)


def telephone(
    who: Who,
    number: Annotated[str, typer.Argument(help="With its country's code: +12025550142.")],
    call: Annotated[bool, typer.Option("--call", help="Codes are told by a call, not sent as text.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Set the telephone that codes are sent to; a passkey or an authenticator app is surer."""
    credentials.give_telephone(settings_of(config), who, number, "call" if call else "text", as_json=as_json)


def first_code(
    who: Who, hours: FirstCodeHours = 48, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Make the code for a first sign-in at an identity provider; it is shown once, and good once."""
    credentials.give_first_code(settings_of(config), who, hours, as_json=as_json)


def forgive(who: Who, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Let somebody sign in again after too many wrong passwords."""
    credentials.forgive(settings_of(config), who)
