"""The sender of TLS reports killed where it can be interrupted: each is sent, and none twice but in its last step."""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome, count_tls
from gateway.store.tls_reports import ReportState, reports
from tests.nameserver import nameserver
from tests.notifying import Time
from tests.relay import Certificate, Sink, relay
from tests.reporting import Web
from tests.tables import make_tables

SIGKILL = -9


@pytest.mark.parametrize(
    ("failpoint", "may_repeat"),
    [
        ("tls_report.claim", False),
        ("store.commit.before", False),
        ("store.commit.after@3", False),
        ("courier.final_dot", True),
        ("tls_report.posted", True),
        ("store.commit.before@5", True),
    ],
)
async def test_a_kill_loses_no_report_and_repeats_only_the_same(
    tmp_path: Path, failpoint: str, may_repeat: bool
) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url, clock=Time())
    database.call(count_tls, "agent.example", TlsOutcome(PolicyType.NONE, ResultType.SUCCESS, "mx.agent.example"))
    certificate, sink, web = Certificate(tmp_path, "reports.agent.example"), Sink(), Web()
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=certificate.server_context())
    web.port = int(server.sockets[0].getsockname()[1])
    places = f"mailto:tls@agent.example,https://reports.agent.example:{web.port}/"
    zone = {
        ("reports.agent.example", "A"): ["127.0.0.1"],
        ("agent.example", "MX"): ["10 reports.agent.example."],
        ("_smtp._tls.agent.example", "TXT"): [f'"v=TLSRPTv1; rua={places}"'],
    }
    name, _, nth = failpoint.partition("@")
    async with server, nameserver(zone) as names, relay(sink, certificate) as port:
        for minutes, armed in ((0, f"{name}=kill{'@' + nth if nth else ''}"), (15, ""), (30, "")):
            arguments = (url, *map(str, names.place), str(certificate.path), str(port), str(web.port), str(minutes))
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.reporting", *arguments, env={**os.environ, "GATEWAY_FAILPOINTS": armed}
            )
            assert await child.wait() == (SIGKILL if armed else 0)
    sent = [message_from_bytes(envelope.content)["Message-ID"] for envelope in sink.mail]  # type: ignore[arg-type]
    assert set(sent) == {"<tls.2026-03-01.agent.example@gateway.example>"}
    assert len({body for _, body in web.posted}) == 1
    assert len(sent) + len(web.posted) <= (4 if may_repeat else 2)
    rows = database.read_now(lambda connection: reports(connection, 10))
    assert sorted(row.state for row in rows) == [ReportState.SENT, ReportState.SENT, ReportState.ASKED]
    database.close()
