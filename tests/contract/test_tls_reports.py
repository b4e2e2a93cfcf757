"""TLS reports as other sites get them: by mail and by HTTPS, once, on both databases."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import dkim
import pytest
from aiosmtpd.smtp import Envelope

from gateway.outbound.courier import AllowList
from gateway.outbound.dkim import Signer
from gateway.outbound.names import Names
from gateway.outbound.tls_reports import LATEST, TlsReporter
from gateway.store.database import Database
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome, count_tls
from gateway.store.tls_reports import ReportState, claim, days, plan, reports, settle, spread
from tests.nameserver import nameserver
from tests.notifying import SIGNER, Time
from tests.relay import Certificate, Sink, relay
from tests.reporting import OURS, Web, tls_reporter

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, tzinfo=UTC) + LATEST
DOMAIN = "agent.example"
Zone = dict[tuple[str, str], list[str]]
GOOD = TlsOutcome(PolicyType.STS, ResultType.SUCCESS, "mx.agent.example", 5)
EXPIRED = TlsOutcome(PolicyType.STS, ResultType.CERTIFICATE_EXPIRED, "mx.agent.example", 2)


@pytest.fixture
def time() -> Time:
    return Time(FIRST)


@pytest.fixture
def store(store_url: str, time: Time) -> Iterator[Database]:
    opened = Database(store_url, clock=time, program="notifier" if "sqlite" in store_url else None)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"), "reports.agent.example")


class World:
    """A reporter, with the name server, the mail host and the web host that it meets."""

    def __init__(self, reporter: TlsReporter, zone: Zone, sink: Sink, web: Web) -> None:
        self.reporter, self.zone, self.sink, self.web = reporter, zone, sink, web

    def wants(self, *places: str) -> None:
        self.zone[f"_smtp._tls.{DOMAIN}", "TXT"] = [f'"v=TLSRPTv1; rua={",".join(places)}"']


@asynccontextmanager
async def world(
    store: Database,
    time: Time,
    certificate: Certificate,
    *,
    signers: tuple[Signer, ...] = (SIGNER,),
    allow_list: AllowList | None = None,
) -> AsyncIterator[World]:
    web, sink = Web(), Sink()
    zone: Zone = {
        ("reports.agent.example", "A"): ["127.0.0.1"],
        (DOMAIN, "MX"): ["10 reports.agent.example."],
    }
    server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=certificate.server_context())
    web.port = int(server.sockets[0].getsockname()[1])
    async with server, nameserver(zone) as names_server, relay(sink, certificate) as port:
        reporter = tls_reporter(
            store, time, names_server.place, certificate.path, smtp_port=port, web_port=web.port, signers=signers,
            allow_list=allow_list,
        )  # fmt: skip
        yield World(reporter, zone, sink, web)
        await reporter.close()


def counted(store: Database, *outcomes: TlsOutcome, domain: str = DOMAIN) -> None:
    for outcome in outcomes or (GOOD, EXPIRED):
        store.call(count_tls, domain, outcome)


def states(store: Database) -> list[tuple[str, ReportState]]:
    rows = store.read_now(lambda connection: reports(connection, 100))
    return [(row.uri.partition(":")[0], ReportState(row.state)) for row in rows]


def read(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def document(mail: EmailMessage) -> Any:
    (attached,) = mail.iter_attachments()
    assert isinstance(attached, EmailMessage)
    return json.loads(gzip.decompress(attached.get_payload(decode=True)))  # type: ignore[arg-type]


async def test_a_day_is_reported_by_signed_mail_once(store: Database, time: Time, certificate: Certificate) -> None:
    counted(store)
    async with world(store, time, certificate) as one:
        one.wants("mailto:tls@agent.example")
        assert await one.reporter.send_due() == 0
        time.now = MORNING
        assert await one.reporter.send_due() == 2
        assert await one.reporter.send_due() == 0
    (envelope,) = one.sink.mail
    mail = read(envelope)
    assert envelope.rcpt_tos == ["tls@agent.example"]
    assert (
        mail["Subject"].split()
        == (
            "Report Domain: agent.example Submitter: gateway.example "
            "Report-ID: <2026-03-01.agent.example@gateway.example>"
        ).split()
    )
    assert (mail["TLS-Report-Domain"], mail["TLS-Report-Submitter"]) == ("agent.example", "gateway.example")
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "tlsrpt"
    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    assert attached.get_filename() == "gateway.example!agent.example!1772323200!1772409599.json.gz"
    assert document(mail) == {
        "organization-name": "Example Agency",
        "date-range": {"start-datetime": "2026-03-01T00:00:00Z", "end-datetime": "2026-03-01T23:59:59Z"},
        "contact-info": "postmaster@gateway.example",
        "report-id": "2026-03-01.agent.example@gateway.example",
        "policies": [
            {
                "policy": {"policy-type": "sts", "policy-domain": "agent.example"},
                "summary": {"total-successful-session-count": 5, "total-failure-session-count": 2},
                "failure-details": [
                    {
                        "result-type": "certificate-expired",
                        "receiving-mx-hostname": "mx.agent.example",
                        "failed-session-count": 2,
                    }
                ],
            }
        ],
    }
    content = envelope.content
    assert isinstance(content, bytes)
    _, record = SIGNER.record
    checked = dkim.DKIM(content)
    assert checked.verify(dnsfunc=lambda name, timeout=5: record.encode())
    assert {b"tls-report-domain", b"tls-report-submitter"} <= set(checked.include_headers)
    assert states(store) == [("", ReportState.ASKED), ("mailto", ReportState.SENT)]


async def test_a_report_is_posted_where_a_domain_wants_that(
    store: Database, time: Time, certificate: Certificate
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        one.wants(f"https://reports.agent.example:{one.web.port}/v1/tlsrpt?x=1", "mailto:tls@agent.example")
        await one.reporter.send_due()
    ((head, body),) = one.web.posted
    assert head.startswith(b"POST /v1/tlsrpt?x=1 HTTP/1.1\r\n")
    assert b"content-type: application/tlsrpt+gzip\r\n" in head.lower()
    assert json.loads(gzip.decompress(body)) == document(read(one.sink.mail[0]))
    assert states(store) == [("", ReportState.ASKED), ("https", ReportState.SENT), ("mailto", ReportState.SENT)]


async def test_the_report_s_own_sessions_are_not_counted(store: Database, time: Time, certificate: Certificate) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        one.wants("mailto:tls@agent.example")
        await one.reporter.send_due()
        time.now += timedelta(days=1)
        await one.reporter.send_due()
    assert len(one.sink.mail) == 1
    assert {row.day for row in store.read_now(lambda connection: days(connection, 10))} == {"2026-03-01"}


async def test_a_domain_that_asks_for_none_gets_none(store: Database, time: Time, certificate: Certificate) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        assert await one.reporter.send_due() == 1
    assert states(store) == [("", ReportState.UNWANTED)]


@pytest.mark.parametrize(
    "place",
    [
        "https://127.0.0.1/x", "https://[::1]/x", "https://reports.agent.example:22/", "https://user:x@a.example/",
        "mailto:", "mailto:a@b@c", "mailto:x%0d%0aRCPT%20TO:%3Cy@evil.example%3E@agent.example", "https://", "mailto:%",
        "https://reports.agent.example:99999/",
    ],
)  # fmt: skip
async def test_a_place_that_leads_astray_is_not_gone_to(
    store: Database, time: Time, certificate: Certificate, place: str
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        one.wants(place)
        await one.reporter.send_due()
        assert (one.sink.mail, one.web.posted) == ([], [])
    assert states(store)[1][1] is ReportState.FAILED


async def test_a_host_in_the_site_s_own_networks_is_not_gone_to(
    store: Database, time: Time, certificate: Certificate
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        one.zone["inside.agent.example", "A"] = ["10.0.0.1", "169.254.169.254", "0.0.0.0"]
        one.wants(f"https://inside.agent.example:{one.web.port}/")
        await one.reporter.send_due()
    (_, row) = store.read_now(lambda connection: reports(connection, 10))
    assert (row.state, row.last_reply) == (ReportState.WAITING, "the host has no address that is gone to")


async def test_what_is_put_off_is_tried_again_and_given_up_after_a_day(
    store: Database, time: Time, certificate: Certificate
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        one.wants(f"https://reports.agent.example:{one.web.port}/")
        one.web.answers += ["503 Busy", "429 Slow"]
        for _ in range(3):
            await one.reporter.send_due()
            time.now += timedelta(hours=1)
        assert states(store)[1] == ("https", ReportState.SENT)
        assert len({body for _, body in one.web.posted}) == 1
        counted(store, domain="other.example")
        time.now += timedelta(days=1)
        one.zone["_smtp._tls.other.example", "TXT"] = ['"v=TLSRPTv1; rua=mailto:x@agent.example"']
        one.sink.data_replies += ["451 4.3.0 later"] * 100
        for _ in range(60):
            await one.reporter.send_due()
            time.now += timedelta(hours=1)
    assert ("mailto", ReportState.FAILED) in states(store)
    assert one.sink.mail == []


async def test_without_a_key_no_report_leaves_by_mail(store: Database, time: Time, certificate: Certificate) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate, signers=()) as one:
        one.wants("mailto:tls@agent.example")
        await one.reporter.send_due()
    assert one.sink.mail == []
    assert states(store)[1] == ("mailto", ReportState.FAILED)


async def test_outside_production_reports_go_to_the_allow_list_alone(
    store: Database, time: Time, certificate: Certificate
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate, allow_list=AllowList.of(["ann@agent.example"])) as one:
        one.wants("mailto:tls@agent.example", f"https://reports.agent.example:{one.web.port}/")
        await one.reporter.send_due()
        assert (one.sink.mail, one.web.posted) == ([], [])
    assert [state for _, state in states(store)][1:] == [ReportState.FAILED] * 2


async def test_a_name_server_that_is_away_delays(
    store: Database, time: Time, certificate: Certificate, tmp_path: Path
) -> None:
    counted(store)
    time.now = MORNING
    async with world(store, time, certificate) as one:
        closed = Names([("127.0.0.1", 9)])
        away = TlsReporter(store, closed, OURS, {}, clock=time, jitter=lambda: 0.5)
        await away.send_due()
        assert states(store) == [("", ReportState.WAITING)]
        one.wants("mailto:tls@agent.example")
        time.now += timedelta(hours=1)
        await one.reporter.send_due()
    assert len(one.sink.mail) == 1


def test_a_lease_that_was_lost_settles_nothing(store: Database, time: Time) -> None:
    counted(store)
    time.now = MORNING
    assert store.call(plan, lambda: timedelta(0)) == 1
    (entry,) = store.call(claim, 1_000_000, 8)
    assert store.call(claim, 1_000_000, 8) == []
    time.now += timedelta(seconds=2)
    (again,) = store.call(claim, 1_000_000, 8)
    assert again.id == entry.id
    assert not store.call(spread, entry, ["mailto:a@b.example"])
    assert not store.call(settle, entry, ReportState.SENT, "")
    assert store.call(spread, again, ["mailto:a@b.example", "mailto:" + "x" * 600])
    assert states(store) == [("", ReportState.ASKED), ("mailto", ReportState.WAITING)]


def test_days_long_past_are_not_reported_and_are_forgotten_in_time(store: Database, time: Time) -> None:
    counted(store)
    time.now = FIRST + timedelta(days=4)
    assert store.call(plan, lambda: timedelta(0)) == 0
    time.now = FIRST + timedelta(days=70)
    store.call(plan, lambda: timedelta(0))
    assert store.read_now(lambda connection: days(connection, 10)) == []
