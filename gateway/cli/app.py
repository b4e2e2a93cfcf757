"""The commands put together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway import __version__, maillog
from gateway.cli import backup, case, config, demo, designated_user, doctor, employee, init, queue, run, team
from gateway.cli.output import say


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; what goes wrong is raised."""
    maillog.configure("cli", stream=sys.stderr, level="error")
    outcome = typer.main.get_command(_app()).main(list(arguments), prog_name="gateway", standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0


def _app() -> typer.Typer:
    app = typer.Typer(
        name="gateway",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_gateway)
    for command in (init.init, run.run, doctor.doctor, backup.backup, backup.restore, demo.demo):
        app.command()(command)
    for name, noun in (
        ("config", config.app),
        ("employee", employee.app),
        ("team", team.app),
        ("case", case.app),
        ("designated-user", designated_user.app),
        ("queue", queue.app),
    ):
        app.add_typer(noun, name=name)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"gateway {__version__}")
        raise typer.Exit


def _gateway(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """A mail gateway between e-mail and secure messaging. What it takes is sealed; only the keyholder opens."""
