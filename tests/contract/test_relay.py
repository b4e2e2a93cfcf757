"""What the site's own mail system brings, over SQLite and PostgreSQL: who its author is, and automatic mail's end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.automatic import HOUR_US, Line, lines_of
from gateway.domain.credential import Principal
from gateway.domain.errors import GatewayError, NotAllowed, NotAuthenticated, RateExceeded
from gateway.domain.reference import parse
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.ending import Pace
from gateway.inbound.listener.seam import Credentials, Forwarded, MailParameters, Peer, RecipientParameters
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.settled import DEPOSIT_KEY, DOMAIN, THREADS, Settled

PEER = Peer("10.0.0.5", 1, True, "mta", "relays.mta.tls", Forwarded("", 0, "ESMTP", "4fXyZ1", is_local=False))
REPORT = b"multipart/report; report-type=%s; boundary=b"
AUTOMATIC = {
    "auto-submitted": b"Auto-Submitted: auto-generated\r\n",
    "out-of-office": b"Auto-Submitted: auto-replied (vacation)\r\n",
    "calendar-reply": b"Content-Type: text/calendar; method=REPLY\r\n",
    "recall": b"Content-Class: urn:content-classes:recallmessage\r\n",
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


@pytest.mark.parametrize("sender", ["nobody@agency.example", "ines@tours.example", "nobody@secure.agency.example"])
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
@pytest.mark.parametrize("words", [b"words\r\n", b"0123456789abcdef\r\n" * 20_000], ids=["short", "long"])
async def test_automatic_mail_is_accepted_entered_and_not_kept(
    words: bytes, sender: str, way: RelayDoor, site: Settled, blobs: BlobFolder
) -> None:
    for header in AUTOMATIC.values():
        said = await relay(way, sender, mail(header, words=words), site.address(site.tour))
        assert said == replies.ENDED
    by, case = site.people["dana"] if sender else "relay", site.tour["case"]
    entered = entries(site, "mail_ended")
    assert {entry["by"] for entry in entered} == {by}
    assert {(entry["facts"]["relay"], *entry["facts"]["cases"], entry["facts"]["recipients"]) for entry in entered} == {
        ("mta", case, 1)
    }
    assert sorted(entry["facts"]["type"] for entry in entered) == sorted(AUTOMATIC)
    assert [count(site, table) for table in (tables.message, tables.outbox, tables.segment)] == [0, 0, 0]
    assert list(blobs.names()) == []
    assert {(line.kind.value, line.employee, line.count) for line in lines(site)} == {
        (kind, "Dana", 1) for kind in AUTOMATIC
    }


def lines(site: Settled, case: str = "tour") -> list[Line]:
    return site.database.read_now(lines_of, getattr(site, case)["case"])


async def test_the_null_sender_is_automatic_whatever_its_mail_says(way: RelayDoor, site: Settled) -> None:
    said = await relay(way, "", mail(), site.address(site.tour), f"nobody@{DOMAIN}", f"sm-aaaa-aaaa@{DOMAIN}")
    assert said == replies.ENDED
    [entry] = entries(site, "mail_ended")
    assert entry["facts"] == {"type": "null-sender", "relay": "mta", "cases": [site.tour["case"]], "recipients": 3}
    assert [(line.kind.value, line.employee) for line in lines(site)] == [("null-sender", "Dana")]
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


async def test_what_the_null_sender_writes_to_a_thread_is_a_line_of_its_case(way: RelayDoor, site: Settled) -> None:
    thread = THREADS.of(parse(site.tour["reference"]).with_message("2222"), site.people["dana"])
    assert await relay(way, "", mail(AUTOMATIC["out-of-office"]), str(thread).upper()) == replies.ENDED
    [line] = lines(site)
    assert (line.kind.value, line.employee, line.count, line.message) == ("out-of-office", "Dana", 1, None)


@pytest.mark.parametrize(
    "header",
    [
        b"From: Ines <ines@tours.example>",
        b"From: nobody@agency.example",
        b"From: <>",
        b"From: dana@agency.example, omar@agency.example",
    ],
)
async def test_of_the_null_sender_only_one_employee_is_named(header: bytes, way: RelayDoor, site: Settled) -> None:
    octets = header + b"\r\nSubject: Automatic reply: Budget\r\nX-Auto-Response-Suppress: All\r\n\r\nwords\r\n"
    await relay(way, "", octets, site.address(site.tour))
    assert [(line.kind.value, line.employee) for line in lines(site)] == [("out-of-office", "")]


async def test_a_storm_of_calendars_and_a_loop_of_responders_are_a_line_each(way: RelayDoor, site: Settled) -> None:
    for _ in range(100):
        await relay(way, "dana@agency.example", mail(AUTOMATIC["calendar-reply"]), site.address(site.tour))
        await relay(way, "", mail(AUTOMATIC["out-of-office"]), site.address(site.tour))
        await relay(
            way,
            "omar@agency.example",
            mail(AUTOMATIC["out-of-office"]).replace(b"dana", b"omar"),
            site.address(site.tour),
        )
    assert sorted((line.kind.value, line.employee, line.count) for line in lines(site)) == [
        ("calendar-reply", "Dana", 100), ("out-of-office", "Dana", 100), ("out-of-office", "Omar", 100),
    ]  # fmt: skip
    assert len(entries(site, "mail_ended")) == 3
    assert [count(site, table) for table in (tables.message, tables.outbox, tables.segment)] == [0, 0, 0]
    earlier = update(tables.automatic_mail).values(first_us=tables.automatic_mail.c.first_us - HOUR_US)
    site.database.call(lambda tx: tx.execute(earlier))
    await relay(way, "", mail(AUTOMATIC["out-of-office"]), site.address(site.tour))
    assert next(line.count for line in lines(site)) == 1
    assert len(entries(site, "mail_ended")) == 4


async def test_a_flood_of_the_null_sender_is_put_off_at_mail(way: RelayDoor) -> None:
    envelope = MailParameters("", None, "8BITMIME", False, None, None, None)
    for _ in range(300):
        await way.begin(PEER, None, envelope)
    with pytest.raises(RateExceeded, match="Too much automatic mail"):
        await way.begin(PEER, None, envelope)
    other = RelayDoor(way.door, "other", DOMAIN)
    await other.begin(PEER, None, envelope)  # who does not flood is not held up


def test_a_flood_is_over_after_its_minute() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], most=2)
    pace.take("mta")
    now[0] = 30.0
    pace.take("mta")
    with pytest.raises(RateExceeded):
        pace.take("mta")
    now[0] = 60.1
    pace.take("mta")
    with pytest.raises(RateExceeded):
        pace.take("mta")


async def test_a_recall_means_the_last_message_its_author_wrote_there(way: RelayDoor, site: Settled) -> None:
    written = []
    for number, who in enumerate((b"dana", b"dana", b"omar")):
        octets = mail(b"X-Number: %d\r\n" % number).replace(b"dana", who)
        written.append(await relay(way, f"{who.decode()}@agency.example", octets, site.address(site.tour)))
    said = await relay(way, "dana@agency.example", mail(AUTOMATIC["recall"]), site.address(site.tour))
    assert said == replies.ENDED
    [line] = lines(site)
    assert (line.kind.value, line.employee, line.message) == ("recall", "Dana", written[1].text.split()[0])
    gone = update(tables.message).where(tables.message.c.reference == line.message).values(withdrawn_us=1)
    site.database.call(lambda tx: tx.execute(gone))
    assert lines(site)[0].message is None
    assert count(site, tables.message) == 3


async def test_who_signs_in_has_automatic_mail_ended_too(way: RelayDoor, site: Settled) -> None:
    dana, case = site.people["dana"], site.address(site.tour)
    for kind, header in AUTOMATIC.items():
        for sender in ("", "dana@agency.example"):
            envelope = MailParameters(sender, None, "8BITMIME", False, None, None, None)
            transaction = await way.door.begin(PEER, Principal(dana, ""), envelope)
            await transaction.add_recipient(RecipientParameters(case, None, None))
            transaction.start()
            transaction.write(mail(header))
            said = await transaction.commit()
            is_kept = bool(sender) and kind in ("list", "bulk")
            assert (said != replies.ENDED) is is_kept, kind
    assert {line.kind.value for line in lines(site)} == set(AUTOMATIC)
    assert {line.employee for line in lines(site)} == {"Dana"}
    assert {entry["facts"]["relay"] for entry in entries(site, "mail_ended")} == {""}


async def test_automatic_mail_to_a_person_is_a_line_of_the_one_case_it_can_be_of(way: RelayDoor, site: Settled) -> None:
    for who in ("ines", "raul"):
        await relay(way, "dana@agency.example", mail(AUTOMATIC["calendar-reply"]), f"{who}@tours.example")
    assert [line.count for line in lines(site)] == [1]
    assert lines(site, "season") == []


async def test_a_link_in_place_of_a_file_is_deposited_and_its_author_told(way: RelayDoor, site: Settled) -> None:
    link = b"The plan: https://agency.sharepoint.com/:w:/s/desk/Ab3\r\n"
    said = await relay(way, "dana@agency.example", mail(words=link), site.address(site.tour))
    assert said.text.startswith("T-SM-")
    await relay(
        way, "dana@agency.example", mail(words=b"> " + link + b"I have no account there.\r\n"), site.address(site.tour)
    )
    rows = site.database.read_now(lambda connection: connection.execute(select(tables.outbox)).all())
    told = [(row.person_id, json.loads(row.fields)) for row in rows if row.kind == "cloud_link"]
    assert told == [(site.people["dana"], {"reference": said.text.split()[0], "count": 1})]
    assert not [row for row in rows if "sharepoint" in row.fields]
