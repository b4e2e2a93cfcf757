"""The commands put together."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from gateway import __version__, maillog
from gateway.cli.output import say

COMMANDS = {
    "init": "gateway.cli.init:init",
    "run": "gateway.cli.run:run",
    "doctor": "gateway.cli.doctor:app",
    "backup": "gateway.cli.backup:backup",
    "restore": "gateway.cli.backup:restore",
    "screen": "gateway.cli.screen:screen",
    "demo": "gateway.cli.demo:demo",
    "config": "gateway.cli.config:app",
    "employee": "gateway.cli.employee:app",
    "team": "gateway.cli.team:app",
    "identity": "gateway.cli.identity:app",
    "case": "gateway.cli.case:app",
    "draft": "gateway.cli.draft:app",
    "designated-user": "gateway.cli.designated_user:app",
    "enrolment": "gateway.cli.enrolment:app",
    "intake": "gateway.cli.intake:app",
    "queue": "gateway.cli.queue:app",
    "postfix": "gateway.cli.postfix:app",
    "exchange": "gateway.cli.exchange:app",
    "guard": "gateway.cli.guard:app",
    "address": "gateway.cli.address:app",
    "notification": "gateway.cli.notification:app",
    "dkim": "gateway.cli.dkim:app",
    "openpgp": "gateway.cli.openpgp:app",
    "tls-report": "gateway.cli.tls_report:app",
}
"""Where each command stands. Only the one that is called is loaded: a program starts by one of these, too."""


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; what goes wrong is raised."""
    maillog.configure("cli", stream=sys.stderr, level="error")
    called = COMMANDS.keys() & {*arguments[:1]} or COMMANDS.keys()
    command = typer.main.get_command(assembled(called))
    outcome = command.main(list(arguments), prog_name="gateway", standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0


def assembled(called: Iterable[str]) -> typer.Typer:
    """Return the command line with these commands, in the order of COMMANDS."""
    app = typer.Typer(
        name="gateway",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_gateway)
    for name in [name for name in COMMANDS if name in set(called)]:
        command = pkgutil.resolve_name(COMMANDS[name])
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
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
