"""`gateway doctor`: what is there, what is missing, what that turns off; `doctor dns`: what DNS says of the site."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.asking import settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, NameServer
from gateway.cli.output import say, show_json
from gateway.findings import Finding, State

if TYPE_CHECKING:
    from gateway.publication.report import Report

app = typer.Typer(
    invoke_without_command=True,
    help="Look at machine, files, database and programs; change nothing. With dns: at what DNS says of this site.",
)


@app.callback()
def doctor(context: typer.Context, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Look at machine, files, database and programs; change nothing. With dns: at what DNS says of this site."""
    if context.invoked_subcommand is not None:
        return
    from gateway.doctor import examine

    findings = examine(settings_of(config))
    if as_json:
        show_json([dataclasses.asdict(one) for one in findings])
    else:
        _show(findings)
    _end(findings)


@app.command()
def dns(
    nameserver: NameServer = "",
    address: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Mail leaves from this address; may be given again.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Look whether DNS says of this site what its mail needs, and print the records to publish.

    SPF, DKIM, DMARC and alignment, reverse DNS; with a public door MX, MTA-STS, TLS reports, DANE.
    """
    from gateway.publication.examination import examine

    report = asyncio.run(examine(settings_of(config), nameserver, address or ()))
    if as_json:
        show_json(_told(report))
    else:
        _show(report.findings)
        _show_records(report)
    _end(report.findings)


@app.command()
def mail(
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="The employee or team it is sent as.")],
    through: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="In place of notifier.relay, as that is spoken to.")
    ] = "",
    login: Annotated[str, typer.Option(help="Sign in there as this user.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --login: its password, on the first line.")
    ] = None,
    wait: Annotated[int, typer.Option(min=1, max=3600, help="Seconds to wait until it comes.")] = 60,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Send one message through the site's mail system to an address of ours; draw the way it took, with each TLS."""
    from gateway.cli.probing import send_probe

    findings = send_probe(settings_of(config), sender, through, login, password_file, wait)
    if as_json:
        show_json([dataclasses.asdict(one) for one in findings])
    else:
        _show(findings)
    _end(findings)


def _show(findings: Sequence[Finding]) -> None:
    width = max(len(one.name) for one in findings)
    for one in findings:
        say(f"{one.state:<7}  {one.name:<{width}}  {one.found}")
        if one.advice:
            say(f"{'':<7}  {'':<{width}}  {one.advice}")
    say()
    problems = _problems(findings)
    say(f"{problems} to put right" if problems else "nothing to put right")


def _show_records(report: Report) -> None:
    say()
    say("The records of this site, as lines of a zone:")
    for record, standing in report.records.items():
        say(f"; {standing}")
        say(record.line)
    if report.policy:
        say()
        say(f"The policy to be served at {report.policy_url}, as text/plain:")
        say(report.policy.replace("\r\n", "\n").rstrip())


def _told(report: Report) -> dict[str, Any]:
    return {
        "findings": [dataclasses.asdict(one) for one in report.findings],
        "records": [
            {"name": one.name, "type": one.kind, "value": one.value, "line": one.line, "state": standing}
            for one, standing in report.records.items()
        ],
        "policy": {"url": report.policy_url, "text": report.policy} if report.policy else None,
    }


def _problems(findings: Sequence[Finding]) -> int:
    return sum(one.state is State.PROBLEM for one in findings)


def _end(findings: Sequence[Finding]) -> None:
    if _problems(findings):
        raise typer.Exit(os.EX_CONFIG)
