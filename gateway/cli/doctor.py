"""`gateway doctor`: what is there, what is missing, and what that turns off."""

from __future__ import annotations

import dataclasses
import os

import typer

from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import say, show_json
from gateway.doctor import State, examine


def doctor(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look at machine, files, database and programs; change nothing."""
    findings = examine(settings_of(config))
    problems = sum(one.state is State.PROBLEM for one in findings)
    if as_json:
        show_json([dataclasses.asdict(one) for one in findings])
    else:
        width = max(len(one.name) for one in findings)
        for one in findings:
            say(f"{one.state:<7}  {one.name:<{width}}  {one.found}")
            if one.advice:
                say(f"{'':<7}  {'':<{width}}  {one.advice}")
        say()
        say(f"{problems} to put right" if problems else "nothing to put right")
    if problems:
        raise typer.Exit(os.EX_CONFIG)
