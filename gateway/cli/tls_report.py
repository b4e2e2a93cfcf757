"""`gateway tls-report`: how TLS with other sites went, day by day, and the reports of it that they got."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from gateway.cli.asking import read, settings_of
from gateway.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from gateway.cli.output import instant, show_json, show_rows
from gateway.domain.errors import Malformed, UnknownRecipient

app = typer.Typer(no_args_is_help=True, help="How TLS with other sites went, and the reports of it that they got.")

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest days.")]


@app.command("list")
def list_(limit: Limit = 100, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List reports: to which domain, of which day, where to, and what became of each."""
    from gateway.store.tls_reports import ReportState, reports

    rows = [
        {
            "day": row.day,
            "domain": row.domain,
            "place": row.uri or "(as DNS says)",
            "state": ReportState(row.state).name.lower(),
            "attempts": row.attempts,
            "due": instant(row.due_us),
            "settled": instant(row.settled_us),
            "last_reply": row.last_reply,
        }
        for row in read(settings_of(config), lambda connection: reports(connection, limit))
    ]
    columns = {
        "day": "DAY", "domain": "DOMAIN", "place": "TO", "state": "STATE", "attempts": "TRIED",
        "last_reply": "LAST REPLY",
    }  # fmt: skip
    show_rows(rows, columns, as_json=as_json, nothing="no reports yet")


@app.command()
def counts(limit: Limit = 100, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List sessions with other sites' mail servers: by day, domain, policy, and what TLS came to."""
    from gateway.store.tls_reports import days

    rows = [
        {
            "day": row.day,
            "domain": row.domain,
            "policy": row.policy_type,
            "result": row.result_type or "ok",
            "host": row.mx_host,
            "sessions": row._mapping["count"],
        }
        for row in read(settings_of(config), lambda connection: days(connection, limit))
    ]
    columns = {
        "day": "DAY", "domain": "DOMAIN", "policy": "POLICY", "result": "TLS", "host": "HOST", "sessions": "SESSIONS",
    }  # fmt: skip
    show_rows(rows, columns, as_json=as_json, nothing="nothing counted: sessions are counted with direct delivery")


@app.command()
def show(
    day: Annotated[str, typer.Argument(metavar="DAY", help="Such as 2026-11-22, in UTC.")],
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain of recipients.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Print a day's report to a domain, as JSON (RFC 8460), whether it was sent or not."""
    from gateway.outbound.site import organisation_of
    from gateway.outbound.tls_report import TlsReport
    from gateway.store.tls_outcomes import outcomes_of

    settings = settings_of(config)
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise Malformed("A day is written 2026-11-22.") from None
    found = read(settings, lambda connection: outcomes_of(connection, wanted, domain.lower()))
    if not found:
        raise UnknownRecipient("Nothing was counted then. See: gateway tls-report counts")
    made = datetime.combine(wanted, time(), UTC)
    show_json(TlsReport(organisation_of(settings), wanted, domain.lower(), found, made).document())
