"""Fax servers at their listener: listed ones bring faxes to our own domain, and nobody else does anything there."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.config.doors import read_limits
from gateway.config.fax import FaxServerSettings, FaxSettings
from gateway.config.reading import Table
from gateway.config.settings import Listen
from gateway.domain.layout import Layouts
from gateway.inbound.fax.recogniser import Recogniser
from gateway.inbound.fax.site import hosts_of, open_servers
from gateway.inbound.listener.tls import server_context
from gateway.store.database import Database
from gateway.store.fax_reports import report_key
from gateway.store.tables import fax_arrival, fax_recognition, fax_report, intake
from tests.contract.test_faxes import House
from tests.fax_reader import Reader
from tests.faxes import failure, sample
from tests.ports import free_port
from tests.relay import Certificate
from tests.tables import make_tables

DOMAIN = "gateway.example"
TO = [f"FAX=+12025550142@{DOMAIN}"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url)
    yield House(database, tmp_path)
    database.close()


@asynccontextmanager
async def serving(
    house: House,
    folder: Path,
    networks: str = "127.0.0.0/8",
    ca: Path | None = None,
    reports_to: tuple[str, ...] = (),
) -> AsyncIterator[int]:
    own, port = Certificate(folder, "localhost"), free_port()
    settings = FaxSettings(
        mailboxes=(),
        servers=(
            FaxServerSettings(
                "router", (Listen("127.0.0.1", port),), (ip_network(networks),), ca, (), "cisco", None, None,
                reports_to,
            ),
        ),
        profiles=(),
        hostname="fax.gateway.example",
        certificate=own.path,
        key=own.key_path,
        max_message_octets=1024 * 1024,
        limits=read_limits(Table({}, "fax.limits", folder / "gateway.toml", []), "64 MiB"),
        overdue_after_seconds=3600,
        metrics=None,
    )  # fmt: skip
    context = server_context(own.path, own.key_path)
    recogniser = Recogniser(house.intake, Reader(), Layouts())
    recognising = asyncio.create_task(recogniser.backlog.run())
    async with open_servers(settings, recogniser, DOMAIN, context, hosts_of(settings)):
        yield port
    recognising.cancel()


def bring(port: int, mail: bytes, to: list[str], *, starttls: bool = False, shown: Certificate | None = None) -> bytes:
    """Bring a mail as a fax server does, and return the last reply."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("router.example")
        if starttls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if shown is not None:
                context.load_cert_chain(shown.path, shown.key_path)
            client.starttls(context=context)
            client.ehlo("router.example")
        code, said = client.mail("fax-admin@router.example")
        for one in to:
            if code == 250:
                code, said = client.rcpt(one)
        if code == 250:
            code, said = client.data(mail)
        return b"%d %s" % (code, said)


async def test_a_listed_server_brings_a_fax_and_hears_its_reference(house: House, tmp_path: Path) -> None:
    made = sample(0)
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, made.mail, TO)
    (row,) = house.all(intake)
    assert said.decode() == f"250 2.6.0 {row.reference} filed"
    summary, octets = house.opened(row.reference)
    assert octets.replace(b"\r\n", b"\n").strip() == made.mail.replace(b"\r\n", b"\n").strip()
    assert summary.arrival is not None
    assert (summary.arrival.recipients, summary.arrival.helo) == (tuple(TO), "router.example")


async def test_what_a_server_brought_is_recognised_from_memory_after_its_reply(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path) as port:
        for octets in (sample(0).mail, failure(1), sample(1).mail):
            await asyncio.to_thread(bring, port, octets, TO)
        async with asyncio.timeout(60):
            while [row.version for row in house.all(fax_recognition)] != [1, 1]:
                await asyncio.sleep(0.05)
    assert len(house.entries("fax_recognised")) == 2


async def test_tls_is_there_for_who_can(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, sample(0).mail, TO, starttls=True)
    assert said.startswith(b"250 ")


@pytest.mark.parametrize(("listed", "offers"), [((), False), (("@router.example",), True)])
async def test_reports_of_delivery_are_offered_where_they_are_sent_and_entered_with_the_fax(
    house: House, tmp_path: Path, listed: tuple[str, ...], offers: bool
) -> None:
    def ask(port: int) -> tuple[bool, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.ehlo("router.example")
            client.mail("fax-admin@router.example", ["ENVID=job+2B7", "RET=HDRS"])
            client.rcpt(TO[0], ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;x@router.example"])
            return client.has_extn("dsn"), client.data(sample(0).mail)

    house.intake = replace(house.intake, report_key=report_key(b"k" * 32))
    async with serving(house, tmp_path, reports_to=listed) as port:
        offered, (code, _) = await asyncio.to_thread(ask, port)
    assert (offered, code) == (offers, 250)
    assert len(house.all(fax_report)) == int(offers)


async def test_a_fax_brought_again_has_the_same_reference(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path) as port:
        said = {await asyncio.to_thread(bring, port, sample(0).mail, TO) for _ in range(3)}
    assert len(said) == 1
    assert len(house.all(intake)) == 1


async def test_a_notice_of_failure_is_taken_and_not_kept(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, failure(1), ["intake@gateway.example"])
    assert said == b"250 2.6.0 entered, nothing kept"
    assert (len(house.all(fax_arrival)), house.all(intake)) == (1, [])


async def test_a_host_that_is_not_listed_brings_nothing(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path, "192.0.2.0/24") as port:
        said = await asyncio.to_thread(bring, port, sample(0).mail, TO)
    assert said.startswith(b"550 5.7.1 ")
    assert house.all(fax_arrival) == []


@pytest.mark.parametrize("to", ["FAX=+12025550142@elsewhere.example", "someone@agency.example", "FAX=12"])
async def test_nothing_is_passed_on(house: House, tmp_path: Path, to: str) -> None:
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, sample(0).mail, [to])
    assert said[:1] == b"5"
    assert house.all(fax_arrival) == []


async def test_with_the_vault_away_the_server_is_asked_to_come_again(house: House, tmp_path: Path) -> None:
    house.database._die()
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, sample(0).mail, TO)
    assert said.startswith(b"451 ")


async def test_a_mail_over_the_limit_is_refused(house: House, tmp_path: Path) -> None:
    async with serving(house, tmp_path) as port:
        said = await asyncio.to_thread(bring, port, b"Subject: x\r\n\r\n" + b"x\r\n" * 500_000, TO)
    assert said[:3] == b"552"
    assert house.all(fax_arrival) == []


async def test_where_a_certificate_is_wanted_an_address_is_not_enough(house: House, tmp_path: Path) -> None:
    listed = Certificate(tmp_path, "fax.example")
    async with serving(house, tmp_path, ca=listed.path) as port:
        assert (await asyncio.to_thread(bring, port, sample(0).mail, TO))[:1] == b"5"
        with pytest.raises(smtplib.SMTPServerDisconnected):
            await asyncio.to_thread(bring, port, sample(0).mail, TO, starttls=True)
        assert house.all(fax_arrival) == []
        said = await asyncio.to_thread(bring, port, sample(0).mail, TO, starttls=True, shown=listed)
    assert said.startswith(b"250 ")
