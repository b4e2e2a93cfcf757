"""`gateway enrolment recertify`: confirm that somebody is to have the access they have."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import credentials
from gateway.cli.asking import enact, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import say, show_json


def recertify(
    who: Annotated[list[str], typer.Argument(help="Usernames, addresses or ids; several may be named.")],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Confirm that people are to have their access. Roles and places hold for so long again."""
    settings = settings_of(config)
    people = [credentials.require_person(settings, one) for one in who]
    done = [enact(settings, "recertify", person=person) for person in people]
    if as_json:
        show_json(done)
        return
    for one, found in zip(who, done, strict=True):
        say(f"{one}: {found['confirmed']} confirmed.")
