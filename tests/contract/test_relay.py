"""What the site's own mail system brings, over SQLite and PostgreSQL: who its author is, and automatic mail's end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.errors import GatewayError, NotAllowed, NotAuthenticated
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.seam import Credentials, Forwarded, MailParameters, Peer, RecipientParameters
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled

PEER = Peer("10.0.0.5", 1, True, "mta", "relays.mta.tls", Forwarded("", 0, "ESMTP", "4fXyZ1", is_local=False))
REPORT = b"multipart/report; report-type=%s; boundary=b"
AUTOMATIC = {
    "auto-submitted": b"Auto-Submitted: auto-replied (vacation)\r\n",
    "list": b"List-Id: <staff.agency.example>\r\n",
    "bulk": b"Precedence: bulk\r\n",
    "read-receipt": b"Content-Type: " + REPORT % b"disposition-notification" + b"\r\n",
    "delivery-report": b"Content-Type: " + REPORT % b"delivery-status" + b"\r\n",
}


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs", reserve_octets=0)


@pytest.fixture
def way(site: Settled, database: Database, blobs: BlobFolder) -> RelayDoor:
    nobody: Any = None  # no sign-in, so nobody to judge one
    door = SubmissionDoor(database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None)
    return RelayDoor(door, "mta", DOMAIN)


async def relay(way: RelayDoor, sender: str, octets: bytes, *recipients: str) -> SmtpReply:
    envelope = MailParameters(sender, None, "8BITMIME", False, None, None, None)
    transaction = await way.begin(PEER, None, envelope)
    for address in recipients:
        await transaction.add_recipient(RecipientParameters(address, None, None))
    transaction.start()
    for start in range(0, len(octets), 1000):
        transaction.write(octets[start : start + 1000])
        await transaction.drain()
    return await transaction.commit()


def mail(more: bytes = b"", *, words: bytes = b"the words of the message\r\n") -> bytes:
    return b"From: Dana <dana@agency.example>\r\nSubject: Budget\r\n" + more + b"\r\n" + words


def count(site: Settled, table: Any) -> int:
    return len(site.database.read_now(lambda connection: connection.execute(select(table)).all()))


def entries(site: Settled, kind: str) -> list[dict[str, Any]]:
    leaf = tables.leaf
    rows = site.database.read_now(
        lambda connection: connection.execute(select(leaf.c.body).where(leaf.c.kind == kind).order_by(leaf.c.id)).all()
    )
    return [json.loads(row.body) for row in rows]


async def test_the_author_is_the_employee_with_the_envelope_sender_and_the_entry_says_who_vouched(
    way: RelayDoor, site: Settled
) -> None:
    said = await relay(way, "Dana@Agency.example", mail(), site.address(site.tour))
    assert str(said).startswith("250 2.6.0 T-SM-")
    [entry] = entries(site, "deposited")
    assert entry["by"] == site.people["dana"]
    assert entry["facts"]["relay"] == "mta"


@pytest.mark.parametrize(
    "sender", ["nobody@agency.example", "ines@tours.example", "desk@agency.example", "srs0=a=b=c=dana@agency.example"]
)
async def test_nobody_else_is_an_author(sender: str, way: RelayDoor) -> None:
    with pytest.raises(NotAllowed, match="no employee's own address"):
        await relay(way, sender, mail())


async def test_the_header_names_the_author_as_on_the_other_doors(way: RelayDoor, site: Settled) -> None:
    forged = mail().replace(b"dana@", b"omar@")
    with pytest.raises(NotAllowed):
        await relay(way, "dana@agency.example", forged, site.address(site.tour))
    assert count(site, tables.message) == 0


async def test_nobody_signs_in(way: RelayDoor) -> None:
    with pytest.raises(NotAuthenticated):
        await way.authenticate(PEER, Credentials("PLAIN", "dana", "right"))


@pytest.mark.parametrize("sender", ["dana@agency.example", ""], ids=["by an employee", "by nobody"])
async def test_automatic_mail_is_accepted_entered_and_not_kept(
    sender: str, way: RelayDoor, site: Settled, blobs: BlobFolder
) -> None:
    for words in (b"words\r\n", b"0123456789abcdef\r\n" * 20_000):
        for header in AUTOMATIC.values():
            said = await relay(way, sender, mail(header, words=words), site.address(site.tour))
            assert said == replies.ENDED
    by, case = site.people["dana"] if sender else "relay", site.tour["case"]
    entered = entries(site, "mail_ended")
    assert {entry["by"] for entry in entered} == {by}
    assert {(entry["facts"]["relay"], *entry["facts"]["cases"], entry["facts"]["recipients"]) for entry in entered} == {
        ("mta", case, 1)
    }
    assert sorted(entry["facts"]["type"] for entry in entered) == sorted([*AUTOMATIC, *AUTOMATIC])
    assert [count(site, table) for table in (tables.message, tables.outbox, tables.segment)] == [0, 0, 0]
    assert list(blobs.names()) == []


async def test_the_null_sender_is_automatic_whatever_its_mail_says(way: RelayDoor, site: Settled) -> None:
    said = await relay(way, "", mail(), site.address(site.tour), f"nobody@{DOMAIN}", f"sm-aaaa-aaaa@{DOMAIN}")
    assert said == replies.ENDED
    [entry] = entries(site, "mail_ended")
    assert entry["facts"] == {"type": "null-sender", "relay": "mta", "cases": [site.tour["case"]], "recipients": 3}
    assert "Budget" not in json.dumps(entry)
    assert "agency" not in json.dumps(entry)


@pytest.mark.parametrize("octets", [b"", b"\r\n", b"x" * 300_000 + b"\r\n", b"Subject: " + b"x\r\n " * 100_000])
async def test_the_null_sender_is_ended_however_odd_its_octets(octets: bytes, way: RelayDoor, site: Settled) -> None:
    assert await relay(way, "", octets, site.address(site.tour)) == replies.ENDED
    assert len(entries(site, "mail_ended")) == 1


@pytest.mark.parametrize("address", ["ines@tours.example", "dana@agency.example", f"x@sub.{DOMAIN}"])
async def test_what_the_null_sender_sends_to_others_does_not_vanish_here(address: str, way: RelayDoor) -> None:
    with pytest.raises(NotAllowed, match="own addresses only"):
        await relay(way, "", mail(), address)


async def test_an_address_that_is_none_is_refused_to_the_null_sender_too(way: RelayDoor) -> None:
    with pytest.raises(GatewayError):
        await relay(way, "", mail(), "postmaster")


async def test_automatic_mail_that_is_encrypted_or_goes_round_ends_too(way: RelayDoor, site: Settled) -> None:
    round_it_goes = b"Auto-Submitted: auto-replied\r\n" + b"Received: from a by b\r\n" * 60
    assert await relay(way, "dana@agency.example", mail(round_it_goes), site.address(site.tour)) == replies.ENDED


async def test_mail_that_says_that_a_person_wrote_it_is_kept(way: RelayDoor, site: Settled) -> None:
    written = mail(b"Auto-Submitted: no\r\nPrecedence: first-class\r\nX-Auto-Response-Suppress: All\r\n")
    assert (await relay(way, "dana@agency.example", written, site.address(site.tour))).text.startswith("T-SM-")
    assert count(site, tables.message) == 1
