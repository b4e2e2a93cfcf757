"""The public door with the real pool behind it: from the wire to the record, and nothing in between."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import re
import signal
import ssl
import zipfile
from base64 import encodebytes
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from gateway.clock import system_clock
from gateway.domain.intake import month_of
from gateway.domain.reference import Reference
from gateway.domain.thread_address import ThreadAddresses
from gateway.domain.verdict import Kind
from gateway.inbound.allowance import Allowance
from gateway.inbound.listener import DoorLimits, Listener, open_listener
from gateway.inbound.listener.tls import server_context
from gateway.inbound.mx import OutsideDoor, SenderHashes
from gateway.inbound.senders import SenderCheck, resolver_of
from gateway.inbound.tray import IntakeTray
from gateway.screening.pool import Patience, Pool, Sizes
from gateway.screening.protocol import Role
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.corpus.site_reports import abuse_report, dmarc_report, tls_report
from tests.dialogs.certificates import make_certificate
from tests.dialogs.house import Client
from tests.nameserver import nameserver
from tests.settled import DEPOSIT_KEY, Settled
from tests.tables import make_tables

DOMAIN = "secure.example.gov"
PORTAL = "https://messages.example.gov/"
NUMBER = "536-41-2879"
HEAD = "From: ines@tours.example\r\nSubject: Concert\r\nMIME-Version: 1.0\r\n"
CLEAN = f"{HEAD}\r\nThe rehearsal begins at seven.\r\n"
TAINTED = f"{HEAD}\r\nMy social security number (SSN) is {NUMBER}.\r\n"
TAKEN = re.compile(r"250 2\.6\.0 U-\w{4}-\w{4} taken for the people here to read; unverified")
GONE_SECONDS = 60.0
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Outside:
    """The open door, and the record behind it."""

    listener: Listener
    vault: Database
    contexts: tuple[ssl.SSLContext, ssl.SSLContext]
    seen: int = field(default=0)

    def entries(self) -> list[dict[str, Any]]:
        """What this test has put on record."""
        rows = self.vault.read_now(lambda source: source.execute(select(tables.leaf.c.body)).all())
        return [json.loads(row.body) for row in rows[self.seen :]]

    def taken(self) -> int:
        """How many messages, blobs included, were ever taken."""
        return self.vault.read_now(lambda source: len(source.execute(select(tables.message.c.id)).all()))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.listener.port), self.contexts[1])
        try:
            assert await client.line() == f"220 mx.{DOMAIN} ESMTP"
            yield client
        finally:
            await client.close()

    async def send(self, mail: str, *, sender: str = "ines@tours.example", to: str = f"sm-7k2q@{DOMAIN}") -> str:
        """Send one mail, and return the reply to its content."""
        async with self.connected() as client:
            return await spoken(client, mail, sender, to)


async def spoken(client: Client, mail: str, sender: str = "ines@tours.example", to: str = f"sm-7k2q@{DOMAIN}") -> str:
    await client.ask("EHLO mail.tours.example")
    assert await client.ask(f"MAIL FROM:<{sender}>") == "250 2.1.0 sender ok"
    assert await client.ask(f"RCPT TO:<{to}>") == "250 2.1.5 recipient ok"
    assert (await client.ask("DATA"))[:4] == "354 "
    client.send(mail.encode() + b".\r\n")
    async with asyncio.timeout(60):
        return (await client.reader.readline()).decode("ascii").rstrip()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's."""
    pair = make_certificate(tmp_path_factory.mktemp("tls"))
    return server_context(*pair), ssl.create_default_context(cafile=str(pair[0]))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = f"sqlite:///{tmp_path_factory.mktemp('vault')}/gateway.db"
    make_tables(made)
    return made


@pytest.fixture(scope="module")
def database(url: str) -> Iterator[Database]:
    """The vault with the rights of the program."""
    made = Database(url, program="mx")
    yield made
    made.close()


@pytest.fixture(scope="module")
def vault(url: str) -> Iterator[Database]:
    """The vault as its owner sees it."""
    made = Database(url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tray(database: Database, vault: Database, tmp_path_factory: pytest.TempPathFactory) -> IntakeTray:
    """The tray of a vault whose keyholder has made this month's key."""
    settled = Settled(vault)
    settled.enact("add_intake_key", month=month_of(system_clock()))
    blobs = BlobFolder(tmp_path_factory.mktemp("blobs"))
    return IntakeTray(database, blobs, settled.authority.key, DOMAIN, DEPOSIT_KEY)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    made = Pool(sizes=Sizes(1, 1))
    await made.start()
    yield made
    await made.close()


Opening = Callable[..., Any]


@pytest.fixture
def opening(
    database: Database, vault: Database, tray: IntakeTray, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> Opening:
    """Open the door with this pool behind it."""

    @asynccontextmanager
    async def open_door(
        pool: Pool,
        *,
        takes_clean: bool = False,
        senders: SenderCheck | None = None,
        allowance: Allowance | None = None,
        **limits: int,
    ) -> AsyncIterator[Outside]:
        employees = frozenset({"agency.example.gov"})
        hashes = SenderHashes(system_clock)
        door = OutsideDoor(
            database, pool, DOMAIN, employees, PORTAL, hashes, tray, takes_clean, senders, allowance=allowance
        )
        listener = await open_listener(
            door,
            name="mx",
            host="127.0.0.1",
            port=0,
            tls=contexts[0],
            implicit_tls=False,
            limits=DoorLimits(**limits),
            hostname=f"mx.{DOMAIN}",
            require_auth=False,
            tls_required=False,
        )
        outside = Outside(listener, vault, contexts)
        outside.seen = len(outside.entries())
        try:
            yield outside
        finally:
            await listener.close(grace=5)

    return open_door


@pytest_asyncio.fixture(loop_scope="module")
async def outside(opening: Opening, pool: Pool) -> AsyncIterator[Outside]:
    async with opening(pool) as opened:
        yield opened


async def test_mail_with_taxpayer_data_is_refused_in_words_and_leaves_an_entry_without_them(outside: Outside) -> None:
    reply = await outside.send(TAINTED)
    said = re.fullmatch(
        rf"550 5\.7\.1 Not accepted, nothing stored: it seems to hold taxpayer data\. Please send it at "
        rf"{PORTAL}refused Ref (R-\w{{4}}-\w{{4}}): a U\.S\. taxpayer number, in [a-z ]+",
        reply,
    )
    assert said, reply
    (entry,) = outside.entries()
    assert entry["kind"] == "mail_turned_away"
    facts = json.dumps(entry)
    assert said[1] in facts
    assert '"ssn"' in facts
    assert "tainted" in facts
    for content in (NUMBER, NUMBER.replace("-", ""), "ines", "tours", "Concert"):
        assert content not in facts


async def test_what_cannot_be_looked_into_is_refused_and_says_why(outside: Outside) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("statement.txt", "x" * 40)
    locked = bytearray(packed.getvalue())
    locked[6] |= 1  # of the member: it is encrypted
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    attached = f'{HEAD}Content-Type: application/zip; name="a.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    reply = await outside.send(attached + base64_lines(bytes(locked)))
    assert reply.startswith("550 5.7.1 Not accepted, nothing stored: part of it cannot be inspected. Please send it at")
    assert "password-protected or encrypted" in reply
    (entry,) = outside.entries()
    assert "unscreenable" in json.dumps(entry)


async def test_clean_mail_is_told_where_to_write_and_leaves_nothing(outside: Outside) -> None:
    wanted = f"550 5.7.1 Not accepted, nothing stored: no plain mail is taken here. Please write at {PORTAL}"
    before = outside.taken()
    assert await outside.send(CLEAN) == wanted
    assert outside.entries() == []
    assert outside.taken() == before


async def test_a_mail_for_a_case_is_not_taken_because_postmaster_gets_it_too(outside: Outside) -> None:
    before = outside.taken()
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        await client.ask("MAIL FROM:<ines@tours.example>")
        await client.ask("RCPT TO:<postmaster>")
        await client.ask(f"RCPT TO:<sm-7k2q@{DOMAIN}>")
        await client.ask("DATA")
        client.send(CLEAN.encode() + b".\r\n")
        assert (await client.line())[:44] == "550 5.7.1 Not accepted, nothing stored: no p"
    assert outside.taken() == before


@pytest.mark.parametrize("to", ["postmaster", f"PostMaster@{DOMAIN}", f"ABUSE@{DOMAIN.upper()}", f'"abuse"@{DOMAIN}'])
async def test_postmaster_and_abuse_are_always_taken_for_the_operators(outside: Outside, to: str) -> None:
    assert TAKEN.fullmatch(await outside.send(CLEAN, to=to))
    (entry,) = outside.entries()
    assert (entry["kind"], entry["facts"]["tray"]) == ("taken_in", "operators")


async def test_what_is_for_postmaster_is_screened_as_well(outside: Outside) -> None:
    before = outside.taken()
    assert "taxpayer data" in await outside.send(TAINTED, to="postmaster")
    assert outside.taken() == before


async def test_where_the_site_wants_it_clean_mail_goes_into_the_tray(opening: Opening, pool: Pool) -> None:
    async with opening(pool, takes_clean=True) as outside:
        assert TAKEN.fullmatch(await outside.send(CLEAN, to=f"nobody.by.this.name@{DOMAIN}"))
        (entry,) = outside.entries()
        assert (entry["kind"], entry["by"], entry["facts"]["tray"]) == ("taken_in", "outside", "cases")
        for content in ("ines", "tours", "Concert", "rehearsal"):
            assert content not in json.dumps(entry)
        before = outside.taken()
        assert "taxpayer data" in await outside.send(TAINTED)
        assert outside.taken() == before


@pytest.mark.parametrize(("record", "result"), [("127.0.0.1", "pass"), ("192.0.2.1", "fail"), ("", "none")])
async def test_what_vouches_for_the_sender_is_found_out_and_refuses_nothing(
    opening: Opening, pool: Pool, record: str, result: str
) -> None:
    spf = {("tours.example", "TXT"): [f'"v=spf1 ip4:{record} -all"']} if record else {}
    zone = {**spf, ("_dmarc.tours.example", "TXT"): ['"v=DMARC1; p=reject"']} if record else {}
    async with nameserver(zone) as server:
        check = SenderCheck(f"mx.{DOMAIN}", system_clock, resolver_of([server.place]))
        async with opening(pool, takes_clean=True, senders=check) as outside:
            forged = f"Authentication-Results: mx.{DOMAIN}; dmarc=pass header.from=tours.example\r\n{CLEAN}"
            assert TAKEN.fullmatch(await outside.send(f"X-Try: {result}\r\n{forged}"))
            (entry,) = outside.entries()
            assert entry["facts"]["sender_result"] == result
        check.close()


async def test_a_report_to_postmaster_is_kept_and_one_to_a_case_ends(opening: Opening, pool: Pool) -> None:
    report = f'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n{HEAD}'
    report += "\r\n--b\r\nContent-Type: text/plain\r\n\r\nIt did not reach its recipient.\r\n--b--\r\n"
    async with opening(pool, takes_clean=True) as outside:
        assert (await outside.send(report, sender=""))[:10] == "250 2.6.0 "
        assert TAKEN.fullmatch(await outside.send(report, sender="", to="postmaster"))
        ended, taken = outside.entries()
        assert (ended["kind"], taken["kind"]) == ("mail_ended", "taken_in")
        assert taken["facts"]["type"] == "delivery-report"


@pytest.mark.parametrize(
    ("senders", "kinds", "more", "proven", "said"),
    [
        ({"@tours.example"}, {Kind.SSN}, "", True, "250 2.6.0 "),
        ({"ines@tours.example"}, {Kind.SSN, Kind.CARD}, "", True, "250 2.6.0 "),
        ({"@tours.example"}, {Kind.SSN}, "", False, "550 5.7.1 "),
        ({"@elsewhere.example", "eve@tours.example"}, {Kind.SSN}, "", True, "550 5.7.1 "),
        ({"@tours.example"}, {Kind.CARD}, "", True, "550 5.7.1 "),
        (
            {"@tours.example"},
            {Kind.SSN},
            "X-Note: my credit card number is 4556 7375 8689 9855\r\n",
            True,
            "550 5.7.1 ",
        ),
        ({"@tours.example"}, {Kind.SSN}, "Content-Transfer-Encoding: x-odd\r\n", True, "550 5.7.1 "),
    ],
)
async def test_a_proven_sender_may_send_the_kinds_that_the_site_allows_and_no_other(
    opening: Opening, pool: Pool, senders: set[str], kinds: set[Kind], more: str, proven: bool, said: str
) -> None:
    zone = {("tours.example", "TXT"): [f'"v=spf1 ip4:{"127.0.0.1" if proven else "192.0.2.1"} -all"']}
    zone[("_dmarc.tours.example", "TXT")] = ['"v=DMARC1; p=reject"']
    async with nameserver(zone) as server:
        check = SenderCheck(f"mx.{DOMAIN}", system_clock, resolver_of([server.place]))
        allowance = Allowance(frozenset(senders), frozenset(kinds))
        mail = f"X-Try: {sorted(senders)} {sorted(kinds)} {proven}\r\n{more}{TAINTED}"
        async with opening(pool, takes_clean=True, senders=check, allowance=allowance) as outside:
            assert (await outside.send(mail))[:10] == said
        check.close()


@pytest.mark.parametrize("report", [dmarc_report, tls_report, abuse_report])
async def test_what_other_sites_report_of_this_one_is_for_the_operators_whoever_is_addressed(
    outside: Outside, report: Callable[[random.Random, str], bytes]
) -> None:
    mail = report(random.Random(3), "").decode()
    assert TAKEN.fullmatch(await outside.send(mail, to=f"dmarc-reports@{DOMAIN}"))
    (entry,) = outside.entries()
    assert entry["facts"]["tray"] == "operators"
    assert entry["facts"]["type"] == report.__name__.replace("_", "-")


@pytest.mark.parametrize("to", ["postmaster", f"sm-7k2q@{DOMAIN}"])
async def test_a_notification_of_ours_that_comes_back_ends_politely(opening: Opening, pool: Pool, to: str) -> None:
    own = f"Message-ID: <notice.0123456789abcdef@{DOMAIN}>\r\n{CLEAN}"
    async with opening(pool, takes_clean=True) as outside:
        assert await outside.send(own, to=to) == "250 2.6.0 automatic mail ends here: entered, and not kept"
        assert [entry["kind"] for entry in outside.entries()] == ["mail_ended"]


async def test_the_program_reads_nothing_that_it_has_taken(database: Database, opening: Opening, pool: Pool) -> None:
    async with opening(pool, takes_clean=True) as outside:
        assert TAKEN.fullmatch(await outside.send(CLEAN))
    for column in (
        tables.message.c.sealed_summary,
        tables.message_wrap.c.wrapped,
        tables.segment.c.inline,
        tables.segment.c.wrapped_key,
        tables.intake.c.proposed_case_id,
        tables.leaf.c.body,
        tables.person.c.name,
        tables.outbox.c.fields,
    ):
        with pytest.raises(DBAPIError):
            database.read_now(lambda connection, one=column: connection.execute(select(one)).all())


@pytest.mark.parametrize("sender", ["", "bounces@lists.example"])
async def test_automatic_mail_ends_politely(outside: Outside, sender: str) -> None:
    listed = f"List-Id: <concerts.lists.example>\r\n{CLEAN}" if sender else CLEAN
    assert await outside.send(listed, sender=sender) == "250 2.6.0 automatic mail ends here: entered, and not kept"
    (entry,) = outside.entries()
    assert entry["kind"] == "mail_ended"
    assert ("list" if sender else "null-sender") in json.dumps(entry)


async def test_automatic_mail_with_taxpayer_data_is_refused_as_well(outside: Outside) -> None:
    assert "taxpayer data" in await outside.send(f"Auto-Submitted: auto-replied\r\n{TAINTED}", sender="")


async def test_mail_that_goes_round_ends(outside: Outside) -> None:
    looped = "Received: from a.example by b.example; Mon, 5 Jan 2026 10:00:00 +0000\r\n" * 51 + CLEAN
    assert (await outside.send(looped)).startswith("554 5.4.6 ")


async def test_recipients_are_answered_alike_and_nothing_is_relayed(outside: Outside) -> None:
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        await client.ask("MAIL FROM:<ines@tours.example>")
        here = {await client.ask(f"RCPT TO:<{name}@{DOMAIN}>") for name in ("sm-7k2q", "nobody", "postmaster", "root")}
        assert here == {"250 2.1.5 recipient ok"}
        assert await client.ask("RCPT TO:<POSTMASTER>") == "250 2.1.5 recipient ok"
        elsewhere = ("a@elsewhere.example", f"a%elsewhere.example@x.{DOMAIN}", f"a@{DOMAIN}.example")
        assert {await client.ask(f"RCPT TO:<{one}>") for one in elsewhere} == {
            "550 5.7.1 This server takes mail for its own addresses only, and passes none on."
        }


async def test_an_employees_sender_hears_the_same_for_every_recipient_before_any_content(outside: Outside) -> None:
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        assert await client.ask("MAIL FROM:<Dana@Agency.example.gov>") == "250 2.1.0 sender ok"
        recipients = (f"sm-7k2q@{DOMAIN}", f"nobody@{DOMAIN}", "a@elsewhere.example", "postmaster")
        assert {await client.ask(f"RCPT TO:<{one}>") for one in recipients} == {
            "550 5.7.1 This is the door for mail from outside: please use your agency's mail route."
        }
        assert (await client.ask("DATA"))[:4] == "554 "


@pytest.mark.parametrize("sender", ["ines@tours.example", "", "dana@agency.example.gov"])
async def test_a_thread_address_is_refused_before_any_content_genuine_or_not(outside: Outside, sender: str) -> None:
    genuine = ThreadAddresses(DOMAIN, b"r" * 32).of(Reference("SM", "7K2Q", "9F4T"), "dana")
    forged = f"T-SM-7K2Q-9F4T-{'A' * 8}-{'B' * 16}@{DOMAIN}"
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        await client.ask(f"MAIL FROM:<{sender}>")
        said = {await client.ask(f"RCPT TO:<{one}>") for one in (str(genuine), str(genuine).upper(), forged)}
        assert len(said) == 1
        assert said.pop().endswith("please use your agency's mail route.")
        assert (await client.ask("DATA"))[:4] == "554 "


async def test_tls_is_offered_and_not_required(outside: Outside) -> None:
    async with outside.connected() as client:
        client.send(b"EHLO mail.tours.example\r\n")
        offered = [await client.line()]
        while offered[-1][3] == "-":
            offered.append(await client.line())
        assert "250-STARTTLS" in offered
        assert not [line for line in offered if "AUTH" in line or "XCLIENT" in line]
        assert await client.ask("STARTTLS") == "220 2.0.0 ready to start TLS"
        await client.start_tls()
        assert "taxpayer data" in await spoken(client, TAINTED)
        assert await client.ask("STARTTLS") == "503 5.5.1 TLS is on already"


async def test_nobody_signs_in_and_no_address_is_verified(outside: Outside) -> None:
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        assert await client.ask("AUTH PLAIN AGpvZQByaWdodA==") == "503 5.5.1 sign-in is not offered here"
        asked = (f"VRFY sm-7k2q@{DOMAIN}", "VRFY nobody")
        assert {await client.ask(one) for one in asked} == {"252 2.0.0 addresses are not verified here; send and see"}
        assert (await client.ask("EXPN staff"))[:4] == "502 "


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_client_that_leaves_in_the_middle_leaves_nothing(outside: Outside, how: str) -> None:
    async with outside.connected() as client:
        await client.ask("EHLO mail.tours.example")
        await client.ask("MAIL FROM:<ines@tours.example>")
        await client.ask(f"RCPT TO:<sm-7k2q@{DOMAIN}>")
        await client.ask("DATA")
        client.send(TAINTED.encode() * 100)
        await client.writer.drain()
        if how == "reset":
            client.reset()
    async with asyncio.timeout(GONE_SECONDS):
        while outside.listener.connections:
            await asyncio.sleep(0.01)
    assert outside.listener._state.occupancy.octets == 0
    assert outside.entries() == []


async def test_without_screening_the_sender_is_asked_to_come_back(opening: Opening) -> None:
    async with opening(Pool(patience=Patience(child=0.1))) as outside:  # never started
        assert (await outside.send(CLEAN))[:10] == "451 4.3.0 "
        assert outside.entries() == []


async def test_a_killed_template_never_means_clean_and_comes_back(opening: Opening) -> None:
    pool = Pool(sizes=Sizes(1, 1))
    await pool.start()
    try:
        async with opening(pool) as outside:
            os.kill(pool.template(Role.TEXT), signal.SIGKILL)
            assert (await outside.send(TAINTED))[:4] in {"451 ", "550 "}
            while (reply := await outside.send(TAINTED))[:4] == "451 ":
                await asyncio.sleep(0.1)
            assert "taxpayer data" in reply
            assert {entry["kind"] for entry in outside.entries()} == {"mail_turned_away"}
    finally:
        await pool.close()


async def test_mail_that_waits_for_its_verdict_counts_against_the_memory_of_the_door(opening: Opening) -> None:
    long = CLEAN + "words\r\n" * 8000
    async with opening(Pool(patience=Patience(child=10.0)), in_flight_octets=100_000) as outside:  # never started
        first = asyncio.create_task(outside.send(long))
        async with asyncio.timeout(GONE_SECONDS):
            while outside.listener._state.occupancy.octets < len(long):
                await asyncio.sleep(0.01)
        assert (await outside.send(long))[:10] == "452 4.3.1 "
        assert (await first)[:4] == "451 "
        assert outside.listener._state.occupancy.octets == 0


def base64_lines(octets: bytes) -> str:

    return encodebytes(octets).decode("ascii").replace("\n", "\r\n")
