"""Mail that reports on notifications, at the public door and at a relay's: from RCPT to the row the notifier finds.

Each door has the rights of its program and no other. The store is one of each kind.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from gateway.clock import system_clock
from gateway.domain.address import Address
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind, message_id
from gateway.domain.reply import SmtpReply
from gateway.domain.return_path import ReturnPaths
from gateway.inbound import replies
from gateway.inbound.ending import EndedTransaction
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.mx import OutsideDoor, OutsideTransaction, SenderHashes
from gateway.inbound.relay import RelayDoor
from gateway.inbound.reports import Reports
from gateway.inbound.submission import SubmissionDoor, SubmissionTransaction
from gateway.inbound.tray import IntakeTray
from gateway.screening.pool import Pool, Sizes
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.outbox import put
from gateway.store.transaction import Transaction
from tests.corpus import returned_mail as mails

DOMAIN = "gateway.example"
PATHS = ReturnPaths(DOMAIN, b"r" * 32)
PEER = Peer("192.0.2.7", 1, True, "mx.firm.example", "mx", None)
FORGED = ReturnPaths(DOMAIN, b"f" * 32)


@pytest.fixture
def owner(store_url: str) -> Iterator[Database]:
    opened = Database(store_url)
    opened.call(settle)
    yield opened
    opened.close()


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def mx(owner: Database, store_url: str, woken: list[str]) -> Iterator[OutsideDoor]:
    """The public door with nobody who screens: what it does not refuse by itself must not need that."""
    database = Database(store_url, program=None if "postgresql" in store_url else "mx")
    yield outside_door(database, woken)
    database.close()


@pytest.fixture
def relay(owner: Database, store_url: str, tmp_path: Path, woken: list[str]) -> Iterator[RelayDoor]:
    database = Database(store_url, program=None if "postgresql" in store_url else "submission")
    nobody: Any = None
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    reports = Reports(database, PATHS, lambda: woken.append("relay"))
    door = SubmissionDoor(database, blobs, nobody, {}, b"d" * 32, lambda: None, reports=reports)
    yield RelayDoor(door, "mta", DOMAIN)
    database.close()


def outside_door(database: Database, woken: list[str], pool: Any = None) -> OutsideDoor:
    nothing: Any = None
    tray: IntakeTray = nothing
    return OutsideDoor(
        database=database,
        pool=pool,
        domain=DOMAIN,
        employee_domains=frozenset({"agency.example"}),
        portal_url="https://gateway.example/",
        hashes=SenderHashes(system_clock),
        tray=tray,
        reports=Reports(database, PATHS, lambda: woken.append("mx")),
    )


def settle(tx: Transaction) -> None:
    new = {"programme": "cwa", "side": "correspondent", "created_us": 0}
    tx.insert(tables.person, id="agent", name="Agent", username="agent", **new)


def told(owner: Database) -> str:
    return owner.call(lambda tx: put(tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id="agent"))


Door = OutsideDoor | RelayDoor
Begun = OutsideTransaction | EndedTransaction | SubmissionTransaction


async def begun(door: Door, sender: str, *recipients: Address | str) -> Begun:
    transaction = await door.begin(PEER, None, MailParameters(sender, None, "8BITMIME", False, None, None, None))
    for address in recipients:
        await transaction.add_recipient(RecipientParameters(str(address), None, None))
    transaction.start()
    return transaction


async def brought(door: Door, mail: str | bytes, *recipients: Address | str, sender: str = "") -> SmtpReply:
    transaction = await begun(door, sender, *recipients)
    octets = mail.encode() if isinstance(mail, str) else mail
    for start in range(0, len(octets), 60_000):
        transaction.write(octets[start : start + 60_000])
        await transaction.drain()
    return await transaction.commit()


def reports(owner: Database) -> list[tuple[str, str, str, str]]:
    table = tables.notice_report
    rows: list[Row[Any]] = owner.read_now(lambda connection: list(connection.execute(select(table))))
    return [(row.outbox_id, row.kind, row.reason, row.named) for row in rows]


def entries(owner: Database) -> list[dict[str, Any]]:
    bodies = owner.read_now(lambda connection: connection.execute(select(tables.leaf.c.body)).scalars().all())
    return [json.loads(body) for body in bodies]


def returned(row_id: str) -> str:
    """A failure as an MTA returns it, with the header of this row's notification."""
    return mails.failure().replace(mails.OWN_ID, message_id(row_id, DOMAIN))


NAMED = PATHS.named(mails.ADDRESS)


@pytest.mark.parametrize("which", ["mx", "relay"])
async def test_a_report_to_a_return_path_is_entered_and_nothing_of_it_kept(
    which: str, owner: Database, mx: OutsideDoor, relay: RelayDoor, woken: list[str]
) -> None:
    row_id = told(owner)
    door: Door = mx if which == "mx" else relay
    assert await brought(door, returned(row_id), PATHS.of(row_id)) == replies.ENDED
    assert reports(owner) == [(row_id, "failed", "unknown_mailbox", NAMED)]
    (entry,) = entries(owner)
    assert entry["kind"] == "notice-reported"
    assert entry["facts"] == {
        "outbox": row_id, "kinds": ["failed"], "relay": {"mx": "outside", "relay": "mta"}[which],
    }  # fmt: skip
    assert woken == [which]
    assert owner.read_now(lambda connection: connection.execute(select(tables.message)).all()) == []


@pytest.mark.parametrize("which", ["mx", "relay"])
async def test_a_storm_of_reports_writes_once(
    which: str, owner: Database, mx: OutsideDoor, relay: RelayDoor, woken: list[str]
) -> None:
    row_id = told(owner)
    door: Door = mx if which == "mx" else relay
    for _ in range(200):
        assert await brought(door, returned(row_id), PATHS.of(row_id)) == replies.ENDED
    assert len(reports(owner)) == len(entries(owner)) == len(woken) == 1


@pytest.mark.parametrize("which", ["mx", "relay"])
async def test_a_forged_return_path_is_answered_alike_and_changes_nothing(
    which: str, owner: Database, mx: OutsideDoor, relay: RelayDoor, woken: list[str]
) -> None:
    row_id = told(owner)
    door: Door = mx if which == "mx" else relay
    assert await brought(door, mails.failure(), FORGED.of(row_id)) == replies.ENDED
    assert await brought(door, mails.failure(), PATHS.of("0" * 32)) == replies.ENDED
    assert reports(owner) == []
    assert woken == []
    assert [entry["kind"] for entry in entries(owner)] == ["mail_ended", "mail_ended"]


async def test_the_path_decides_and_not_what_the_report_returns(owner: Database, mx: OutsideDoor) -> None:
    mine, other = told(owner), told(owner)
    await brought(mx, returned(other).replace(mails.ADDRESS, "somebody@else.example"), PATHS.of(mine))
    assert reports(owner) == [(mine, "failed", "unknown_mailbox", PATHS.named("somebody@else.example"))]


@pytest.mark.parametrize("habit", mails.HABITS)
async def test_bounces_of_old_habit_count_at_a_return_path(habit: str, owner: Database, mx: OutsideDoor) -> None:
    row_id = told(owner)
    await brought(mx, mails.HABITS[habit], PATHS.of(row_id), sender="postmaster@firm.example")
    assert [(row, kind, named) for row, kind, _, named in reports(owner)] == [(row_id, "failed", NAMED)]


@pytest.mark.parametrize("sender", ["", mails.ADDRESS, "clerk@agency.example"])
async def test_who_is_away_changes_nothing_and_gets_no_answer(sender: str, owner: Database, mx: OutsideDoor) -> None:
    row_id = told(owner)
    for mail in (mails.VACATION, mails.OLD_VACATION):
        assert await brought(mx, mail, PATHS.of(row_id), sender=sender) == replies.ENDED
    assert reports(owner) == []
    outgoing = owner.read_now(lambda connection: connection.execute(select(tables.outbox.c.id)).scalars().all())
    assert outgoing == [row_id]


async def test_a_report_with_taxpayer_data_is_not_bounced(owner: Database, mx: OutsideDoor) -> None:
    row_id = told(owner)
    mail = returned(row_id).replace("It did not work", "My SSN is 536-41-2879. It did not work")
    assert await brought(mx, mail, PATHS.of(row_id)) == replies.ENDED
    assert len(reports(owner)) == 1
    assert "536-41" not in json.dumps(entries(owner))


@pytest.mark.parametrize("which", ["mx", "relay"])
async def test_ten_mebibytes_of_report_are_read_at_their_beginning(
    which: str, owner: Database, mx: OutsideDoor, relay: RelayDoor
) -> None:
    row_id = told(owner)
    door: Door = mx if which == "mx" else relay
    assert await brought(door, returned(row_id).encode() + b"x" * 10 * 2**20, PATHS.of(row_id)) == replies.ENDED
    assert len(reports(owner)) == 1


async def test_a_return_path_stands_alone(mx: OutsideDoor) -> None:
    path = FORGED.of("0" * 32)
    for pair in ((path, f"sm-7k2q@{DOMAIN}"), (f"sm-7k2q@{DOMAIN}", path)):
        with pytest.raises(replies.BadCommand) as refused:
            await begun(mx, "", *pair)
        assert refused.value.reply == replies.ONE_AT_A_TIME
    await begun(mx, "", path, PATHS.of("1" * 32))


async def test_an_employee_s_mail_system_may_report_and_nothing_else(mx: OutsideDoor, owner: Database) -> None:
    row_id = told(owner)
    assert await brought(mx, mails.EXIM, PATHS.of(row_id), sender="mailer-daemon@agency.example") == replies.ENDED
    assert len(reports(owner)) == 1
    with pytest.raises(NotAllowed):
        await begun(mx, "clerk@agency.example", f"sm-7k2q@{DOMAIN}")


async def test_where_a_relay_rewrote_the_envelope_the_returned_id_tells(
    relay: RelayDoor, owner: Database, woken: list[str]
) -> None:
    row_id = told(owner)
    assert await brought(relay, returned(row_id), f"notices@{DOMAIN}") == replies.ENDED
    assert [row for row, *_ in reports(owner)] == [row_id]
    unknown = "0" * 32
    assert await brought(relay, returned(unknown), f"notices@{DOMAIN}") == replies.ENDED
    assert len(reports(owner)) == len(woken) == 1


async def test_a_complaint_names_its_notice_by_the_path_it_went(relay: RelayDoor, owner: Database) -> None:
    row_id = told(owner)
    await brought(relay, mails.complaint(path=str(PATHS.of(row_id))), f"abuse@{DOMAIN}")
    assert reports(owner) == [(row_id, "complaint", "complained", NAMED)]
    other = told(owner)
    await brought(relay, mails.complaint(path=str(FORGED.of(other))), f"abuse@{DOMAIN}")
    assert len(reports(owner)) == 1


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(sizes=Sizes(1, 1))
    await made.start()
    yield made
    await made.close()


async def test_a_report_to_the_sender_s_address_is_screened_and_read(
    owner: Database, store_url: str, pool: Pool, woken: list[str]
) -> None:
    row_id = told(owner)
    door = outside_door(owner, woken, pool)
    assert await brought(door, returned(row_id), f"notices@{DOMAIN}") == replies.ENDED
    assert [row for row, *_ in reports(owner)] == [row_id]
    assert await brought(door, mails.VACATION, f"notices@{DOMAIN}", sender=mails.ADDRESS) == replies.ENDED
    assert len(reports(owner)) == 1
