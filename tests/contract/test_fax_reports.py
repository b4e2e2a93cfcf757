"""Reports that fax servers ask for (RFC 2532): once, at listed addresses alone, and of the mail nothing but its id."""

from __future__ import annotations

import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.cli.init import make_site
from gateway.clock import system_clock
from gateway.config import RelayTls
from gateway.domain.address import parse_address
from gateway.domain.errors import Tampered
from gateway.domain.fax import Outcome
from gateway.domain.fax_report import FaxReport, ReportKind, is_listed
from gateway.domain.summary import Arrival
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.fax.reporting import Asking
from gateway.inbound.listener.seam import RecipientParameters
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import Courier
from gateway.outbound.fax_report import Reporting
from gateway.outbound.fax_reports import FaxReporter
from gateway.outbound.relay import Relay, RelayWay
from gateway.outbound.site import fax_reporter_of
from gateway.store import keyfiles
from gateway.store.database import Database
from gateway.store.fax_reports import (
    ReportEntry,
    ReportState,
    claim,
    enter_report,
    open_report,
    report_key,
    seal_report,
    settle,
)
from gateway.store.tables import fax_report, intake
from tests.contract.test_faxes import House
from tests.contract.test_privileges import OpenAs, open_as
from tests.faxes import failure, mail, part, sample, tiff
from tests.relay import Certificate, Sink, relay

__all__ = ["open_as"]

KEY = report_key(b"k" * 32)
ONRAMP = "fax-admin@onramp.example.gov"
LISTED = ("@onramp.example.gov",)
ROUTER = Source("router", reports_to=LISTED)
TO = "FAX=+12025550199/T33S=7@secure.agency.example"
WAY = Arrival(ONRAMP, (TO,), "onramp.example.gov", "192.0.2.9")
ORIGINAL = "rfc822;FAX=+12025550199@secure.agency.example"


SITE = """\
[site]
name = "Agency"
domain = "secure.agency.example"
portal_url = "https://localhost:1/"
environment = "trial"
[notifier]
relay = "localhost"
port = {port}
ca_file = "{ca}"
allow_list = ["@onramp.example.gov"]
[fax.servers.router]
listen = ["127.0.0.1:0"]
networks = ["127.0.0.1"]
reports_to = ["@onramp.example.gov"]
"""


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    made = House(database, tmp_path)
    made.intake = FaxIntake(database, made.blobs, made.authority.key, made.intake.deposit_key, KEY)
    return made


def asking(*notify: str, sender: str = ONRAMP) -> Asking:
    return Asking(sender, "job 12+7", (RecipientParameters(TO, frozenset(notify) or None, ORIGINAL),))


def asks_for_notification(to: str, *more: str) -> bytes:
    headers = [
        "From: FAX=+12025550142@onramp.example.gov", f"To: {TO}", "Subject: secret words",
        "Message-ID: <7@onramp.example.gov>",
        f"Disposition-Notification-To: {to}", *more,
    ]  # fmt: skip
    return mail(headers, [part("image/tiff; application=faxbw", tiff(("one",)))])


async def brought(house: House, octets: bytes, asked: Asking, source: Source = ROUTER) -> Any:
    return await house.intake.take(source, octets, WAY, arrived_us=1_700_000_000_000_000, asking=asked)


@asynccontextmanager
async def reporter(database: Database, sink: Sink, listed: tuple[str, ...] = LISTED) -> AsyncIterator[FaxReporter]:
    async with relay(sink, None) as port:
        courier = Courier(RelayWay(Relay("127.0.0.1", port, "gateway.example", RelayTls.NONE)), None)
        sender = parse_address("secure-messaging@secure.agency.example")
        made = FaxReporter(
            database=database, key=KEY, listed={"router": listed}, reporting=Reporting(sender, "fax.agency.example"),
            courier=courier, signers=(), schedule=Schedule(first=timedelta(milliseconds=1)), clock=system_clock,
            jitter=lambda: 0.0,
        )  # fmt: skip
        try:
            yield made
        finally:
            await courier.close()


def read(octets: Any) -> EmailMessage:
    found = email.message_from_bytes(octets, policy=SMTP)
    assert isinstance(found, EmailMessage)
    return found


def fields_of(report: EmailMessage, part: int = 1) -> list[dict[str, str]]:
    parts: Any = report.get_payload()
    status = parts[part]
    return [{name: str(value) for name, value in block.items()} for block in status.get_payload()]


async def test_a_delivery_is_reported_once_to_the_envelope_s_sender(house: House) -> None:
    octets = asks_for_notification("").replace(b"Disposition-Notification-To: \r\n", b"")
    for _ in range(3):
        await brought(house, octets, asking("SUCCESS", "FAILURE"))
    sink = Sink()
    async with reporter(house.database, sink) as own:
        assert await own.send_due() == 1
        assert await own.send_due() == 0
    (envelope,) = sink.mail
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", [ONRAMP])
    report = read(envelope.content)
    assert report.get_content_type() == "multipart/report"
    assert report["Auto-Submitted"] == "auto-generated"
    of_mail, of_recipient = fields_of(report)
    assert of_mail["Original-Envelope-Id"] == "job 12+7"
    assert of_mail["Reporting-MTA"] == "dns; fax.agency.example"
    assert of_recipient == {
        "Original-Recipient": "rfc822; FAX=+12025550199@secure.agency.example",
        "Final-Recipient": f"rfc822; {TO}", "Action": "delivered", "Status": "2.0.0",
    }  # fmt: skip
    assert b"secret" not in bytes(report)


async def test_processing_is_reported_to_whom_the_mail_names(house: House) -> None:
    await brought(house, asks_for_notification(f"Fax <{ONRAMP}>"), asking())
    sink = Sink()
    async with reporter(house.database, sink) as own:
        await own.send_due()
    (envelope,) = sink.mail
    report = read(envelope.content)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", [ONRAMP])
    assert report.get_param("report-type") == "disposition-notification"
    assert TO in report["From"]
    ((told),) = fields_of(report)
    assert told["Disposition"] == "automatic-action/MDN-sent-automatically; processed"
    assert told["Original-Message-ID"] == "<7@onramp.example.gov>"
    assert told["Final-Recipient"] == f"rfc822; {TO}"
    assert b"secret" not in bytes(report)


async def test_both_are_told_where_both_are_asked_for(house: House) -> None:
    await brought(house, asks_for_notification(ONRAMP), asking("SUCCESS"))
    assert len(house.all(fax_report)) == 2


@pytest.mark.parametrize(
    ("octets", "asked"),
    [
        (asks_for_notification("victim@elsewhere.example"), asking()),
        (asks_for_notification(ONRAMP, "Disposition-Notification-Options: x=required,y"), asking()),
        (asks_for_notification("not an address"), asking()),
        (sample(0).mail, asking("SUCCESS", sender="victim@elsewhere.example")),
        (sample(0).mail, asking("SUCCESS", sender="")),
        (sample(0).mail, asking("NEVER")),
        (sample(0).mail, asking("FAILURE", "DELAY")),
        (sample(0).mail, asking()),
    ],
)
async def test_nobody_else_is_told_and_nothing_that_was_not_asked(house: House, octets: bytes, asked: Asking) -> None:
    entered = await brought(house, octets, asked)
    assert entered.outcome is Outcome.FILED
    assert house.all(fax_report) == []


async def test_a_source_without_listed_addresses_gets_no_reports(house: House) -> None:
    await brought(house, asks_for_notification(ONRAMP), asking("SUCCESS"), Source("router"))
    assert len(house.all(intake)) == 1
    assert house.all(fax_report) == []


async def test_what_was_not_filed_is_not_reported_as_if_it_was(house: House) -> None:
    await brought(house, failure(1), asking("SUCCESS"))
    assert house.all(fax_report) == []


async def test_an_address_that_is_listed_no_more_gets_nothing(house: House) -> None:
    await brought(house, asks_for_notification(ONRAMP), asking())
    sink = Sink()
    async with reporter(house.database, sink, ("@other.example.gov",)) as own:
        await own.send_due()
    assert sink.mail == []
    (row,) = house.all(fax_report)
    assert row.state == ReportState.FAILED.value


async def test_a_report_rests_sealed_and_is_forgotten_once_it_is_sent(house: House) -> None:
    await brought(house, asks_for_notification(ONRAMP), asking("SUCCESS"))
    assert all(ONRAMP.encode() not in row.sealed and b"onramp" not in row.sealed for row in house.all(fax_report))
    sink = Sink()
    sink.data_replies = ["451 4.3.0 later"]
    async with reporter(house.database, sink) as own:
        while len(sink.mail) < 2:
            await own.send_due()
    assert {(row.state, row.sealed) for row in house.all(fax_report)} == {(ReportState.SENT.value, b"")}
    assert sorted(row.attempts for row in house.all(fax_report)) == [1, 2]


async def test_what_was_tampered_with_is_not_sent(house: House) -> None:
    await brought(house, asks_for_notification(ONRAMP), asking("SUCCESS"))
    first, second = house.all(fax_report)
    house.database.call(lambda tx: tx.execute(update(fax_report).values(sealed=first.sealed)))
    altered = first.sealed[:-1] + bytes([first.sealed[-1] ^ 1])
    house.database.call(
        lambda tx: tx.execute(update(fax_report).where(fax_report.c.id == first.id).values(sealed=altered))
    )
    sink = Sink()
    async with reporter(house.database, sink) as own:
        await own.send_due()
    assert sink.mail == []
    assert second.id != first.id


async def test_programs_may_do_their_part_and_no_more(house: House, open_as: OpenAs) -> None:
    house.intake = FaxIntake(open_as("fax"), house.blobs, house.authority.key, house.intake.deposit_key, KEY)
    await brought(house, asks_for_notification(ONRAMP), asking("SUCCESS"))
    sink = Sink()
    async with reporter(open_as("notifier"), sink) as own:
        assert await own.send_due() == 2


def test_a_lease_that_was_lost_settles_nothing(house: House) -> None:
    sealed = seal_report(KEY, FaxReport(ReportKind.PROCESSED, ONRAMP, ((TO, ""),), "", "", 0))
    house.database.call(
        lambda tx: tx.insert(
            fax_report, id=sealed.id, source="router", sealed=sealed.sealed, state=0, due_us=0, lease_until_us=None,
            attempts=0, created_us=tx.now_us, settled_us=None, last_reply=None,
        )
    )  # fmt: skip
    (first,) = house.database.call(lambda tx: claim(tx, 0, 9))
    (entry,) = house.database.call(lambda tx: claim(tx, 1, 9))
    assert not house.database.call(lambda tx: settle(tx, first, ReportState.SENT, "250"))
    assert house.database.call(lambda tx: settle(tx, entry, ReportState.SENT, "250"))


def test_a_report_under_another_id_is_not_opened() -> None:
    sealed = seal_report(KEY, FaxReport(ReportKind.PROCESSED, ONRAMP, ((TO, ""),), "", "", 0))
    with pytest.raises(Tampered):
        open_report(KEY, ReportEntry("another", "router", sealed.sealed, 1, system_clock(), 0))


@pytest.mark.parametrize(
    "odd",
    [
        {"to": "x"}, {"to": "a@b.example\r\nBcc: c@d.example"}, {"recipients": ()}, {"recipients": (("a\r\nb", ""),)},
        {"message_id": "7@x"}, {"message_id": "<7\n@x>"}, {"envelope_id": "a\nb"}, {"envelope_id": "é"},
    ],
)  # fmt: skip
def test_what_cannot_stand_in_a_header_is_no_report(odd: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "kind": ReportKind.DELIVERED, "to": ONRAMP, "recipients": ((TO, ""),), "message_id": "", "envelope_id": "",
        "arrived_us": 0,
    }  # fmt: skip
    assert FaxReport.from_bytes(FaxReport(**fields).to_bytes()) == FaxReport(**fields)
    with pytest.raises(ValueError, match=r"."):
        FaxReport(**(fields | odd))


def test_a_list_has_addresses_and_domains() -> None:
    address = parse_address("Fax-Admin@onramp.example.gov")
    assert is_listed(address, ("fax-admin@onramp.example.gov",))
    assert is_listed(address, ("@ONRAMP.example.gov",))
    assert not is_listed(address, ("@example.gov", "x@onramp.example.gov", "onramp.example.gov"))


async def test_a_site_s_notifier_sends_what_its_fax_program_entered(tmp_path: Path) -> None:
    """Through the program's own composition: keys of one site, the list of its settings, a relay over TLS."""
    certificate, sink = Certificate(tmp_path, "localhost"), Sink()
    async with relay(sink, certificate) as port:
        settings = make_site(tmp_path / "site", SITE.format(port=port, ca=certificate.path))
        database = Database(settings.store.url)
        try:
            sealed = seal_report(
                report_key(keyfiles.return_path_key(settings.keys.folder)),
                FaxReport(ReportKind.PROCESSED, ONRAMP, ((TO, ""),), "<7@onramp.example.gov>", "", 0),
            )
            await database.run(enter_report, "router", sealed)
            own = fax_reporter_of(settings, database)
            assert own is not None
            assert await own.send_due() == 1
            await own.courier.close()
        finally:
            database.close()
    assert [one.rcpt_tos for one in sink.mail] == [[ONRAMP]]


def test_a_site_that_lists_no_address_has_no_reporter(tmp_path: Path) -> None:
    text = SITE.format(port=1, ca="tls/certificate.pem").replace("reports_to", "# reports_to")
    settings = make_site(tmp_path / "site", text)
    database = Database(settings.store.url)
    try:
        assert fax_reporter_of(settings, database) is None
    finally:
        database.close()
