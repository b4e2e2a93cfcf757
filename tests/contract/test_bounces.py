"""Returned notifications: what a report does and to whom, the same over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update

from gateway.casework.bounces import Arrived, enter, try_again, unreached
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind
from gateway.domain.reach import COUNT_ONCE, QUIET, Condition, Reason, Report, ReportKind
from gateway.domain.return_path import ReturnPaths
from gateway.outbound.bounces import Bounces
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.outbox import Entry, OutboxState, put, retry
from gateway.store.reach import forget_states, troubled
from gateway.store.settlements import settle
from gateway.store.transaction import Transaction

AUTHORITY = Ed25519PrivateKey.generate()
HASH_KEY = b"k" * 32
PATHS = ReturnPaths("gateway.example", b"r" * 32)
LEASE_US = 300_000_000
DELIVERED = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")
DELAYED = Delivery(DeliveryState.DELAYED, 451, "4.3.0", "later")
FIRST, SECOND = "agent@first.example", "agent@second.example"


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(store_url: str, time: Time) -> Iterator[Database]:
    opened = Database(store_url, clock=time)
    opened.call(settled_site)
    yield opened
    opened.close()


@pytest.fixture
def bounces(store: Database, time: Time, tmp_path: Path) -> Bounces:
    late = timedelta(hours=4)
    return Bounces(store, AUTHORITY.public_key(), HASH_KEY, PATHS, tmp_path, late_after=late, clock=time)


def settled_site(tx: Transaction) -> None:
    """Two employees, one in the case and one not; two designated users with an address each; two cases."""
    for name, side in (
        ("clerk", "office"), ("stranger", "office"), ("agent", "correspondent"), ("other", "correspondent"),
    ):  # fmt: skip
        new = {"id": name, "programme": "cwa", "side": side, "name": name.title(), "username": name, "created_us": 0}
        tx.insert(tables.person, **new)
        give_address(tx, name, f"{name}@first.example")
    for case, reference in (("case", "SM-7K2Q"), ("second", "SM-8M3R")):
        tx.insert(tables.case, id=case, programme="cwa", reference=reference, opened_us=0, closed_us=None)
        row = {"id": f"a-{case}", "case_id": case, "team_id": None, "person_id": "clerk", "from_us": 0}
        row |= {"until_us": None, "purpose": None, "version": 1}
        tx.insert(tables.assignment, **row, signature=sign(tables.assignment, row, AUTHORITY))
        tx.insert(
            tables.message, id=f"m-{case}", case_id=case, reference=f"{reference}-9F4T", side="office",
            author_id="clerk", composed=0, octets=1, sealed_summary=b"", received_us=0,
        )  # fmt: skip


def give_address(tx: Transaction, person_id: str, address: str) -> None:
    row = {"id": address, "person_id": person_id, "address": address, "key": address, "notify": 1}
    tx.insert(tables.person_address, **row, from_us=0, until_us=None)


def tell(
    tx: Transaction, person_id: str = "agent", kind: NoticeKind = NoticeKind.MESSAGE_WAITING, case: str = "case"
) -> str:
    return put(tx, programme="cwa", kind=kind, person_id=person_id, case_id=case, message_id=f"m-{case}")


def sent(store: Database, *, person_id: str = "agent", delivery: Delivery = DELIVERED) -> str:
    """A notice that the next host has answered so."""
    row_id = store.call(tell, person_id)
    settled(store, delivery)
    return row_id


def settled(store: Database, delivery: Delivery, due_us: int | None = None) -> list[Entry]:
    entries = store.call(claim, LEASE_US, 10)
    for entry in entries:
        assert store.call(settle, AUTHORITY.public_key(), HASH_KEY, entry, delivery, due_us)
    return entries


def reported(kind: ReportKind = ReportKind.FAILED, enhanced: str = "5.1.1", address: str = FIRST) -> Report:
    return Report(kind, enhanced, (PATHS.named(address),))


def bounced(store: Database, row_id: str, report: Report | None = None) -> int:
    return store.call(enter, "outside", Arrived(row_id, (report or reported(),), "outside"))


def conditions(store: Database) -> dict[str, tuple[str, str]]:
    rows = store.read_now(lambda connection: connection.execute(select(tables.address_state)).all())
    return {row.address_id: (row.state, row.reason) for row in rows}


def told(store: Database, kind: NoticeKind = NoticeKind.DELIVERY_FAILED) -> list[tuple[str, str, str]]:
    """Who has a notice of this kind, of which case, in which words."""
    wanted = select(tables.outbox).where(tables.outbox.c.kind == kind.value).order_by(tables.outbox.c.id)
    rows = store.read_now(lambda connection: connection.execute(wanted).all())
    return [(row.person_id, row.case_id, json.loads(row.fields)["state"]) for row in rows]


def state_of(store: Database, row_id: str) -> int:
    wanted = select(tables.outbox.c.state).where(tables.outbox.c.id == row_id)
    return int(store.read_now(lambda connection: connection.execute(wanted).scalar_one()))


def entries(store: Database, kind: str) -> list[dict[str, Any]]:
    bodies = store.read_now(lambda connection: connection.execute(select(tables.leaf.c.body)).scalars().all())
    return [leaf["facts"] for leaf in map(json.loads, bodies) if leaf["kind"] == kind]


async def test_a_late_bounce_ends_the_notice_kills_the_address_and_is_told(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    assert bounced(store, row_id) == 1
    assert await bounces.apply() == 1
    assert state_of(store, row_id) == OutboxState.FAILED
    assert conditions(store) == {FIRST: ("dead", "unknown_mailbox")}
    assert told(store) == [("clerk", "case", "address_refused")]
    (entry,) = entries(store, "notice-bounced")
    assert (entry["outbox"], entry["reason"], entry["enhanced"]) == (row_id, "unknown_mailbox", "5.1.1")
    assert "first.example" not in json.dumps(entry)
    assert await bounces.apply() == 0


async def test_a_storm_of_reports_is_one_change(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    assert [bounced(store, row_id) for _ in range(50)] == [1] + [0] * 49
    assert await bounces.apply() == 1
    assert bounced(store, row_id, reported(enhanced="5.2.2")) == 0
    assert await bounces.apply() == 0
    assert len(told(store)) == len(entries(store, "notice-bounced")) == len(entries(store, "notice-reported")) == 1


async def test_many_bounces_in_one_case_are_one_notice_within_the_hour(
    store: Database, bounces: Bounces, time: Time
) -> None:
    for _ in range(20):
        bounced(store, sent(store), reported(enhanced="5.2.2"))
    assert await bounces.apply() == 20
    assert told(store) == [("clerk", "case", "bounced")]
    assert conditions(store) == {FIRST: ("failing", "full")}
    time.pass_by(timedelta(hours=2))
    bounced(store, sent(store), reported(enhanced="5.2.2"))
    await bounces.apply()
    assert len(told(store)) == 2


async def test_a_report_touches_the_address_of_its_row_whoever_else_it_names(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    sent(store, person_id="other")
    bounced(store, row_id, reported(address="other@first.example"))
    await bounces.apply()
    assert conditions(store) == {FIRST: ("failing", "unknown_mailbox")}


async def test_a_bounce_of_an_employee_s_notice_makes_no_other(store: Database, bounces: Bounces) -> None:
    row_id = store.call(tell, "clerk", NoticeKind.REPLY_RECEIVED)
    settled(store, DELIVERED)
    bounced(store, row_id, reported(address="clerk@first.example"))
    await bounces.apply()
    assert conditions(store) == {"clerk@first.example": ("dead", "unknown_mailbox")}
    assert told(store) == []
    assert state_of(store, row_id) == OutboxState.FAILED


async def test_a_dead_address_gets_no_notice_and_the_employee_hears_at_once(store: Database, bounces: Bounces) -> None:
    bounced(store, sent(store))
    await bounces.apply()
    row_id = store.call(tell)
    (entry,) = (one for one in store.call(claim, LEASE_US, 10) if one.id == row_id)
    assert entry.address is None
    refused = Delivery(DeliveryState.FAILED, text="the person has no address")
    assert store.call(settle, AUTHORITY.public_key(), HASH_KEY, entry, refused, None)
    assert ("clerk", "case", "no_address") in told(store)


async def test_the_notice_goes_to_the_other_address_of_a_person(store: Database, bounces: Bounces) -> None:
    bounced(store, sent(store))
    await bounces.apply()
    store.call(give_address, "agent", SECOND)
    row_id = store.call(tell)
    sent_to = {entry.id: entry.address for entry in store.call(claim, LEASE_US, 10)}
    assert sent_to[row_id] == SECOND


async def test_a_complaint_is_told_and_stops_reminders_alone(store: Database, bounces: Bounces) -> None:
    bounced(store, sent(store), reported(ReportKind.COMPLAINT, ""))
    await bounces.apply()
    assert conditions(store) == {FIRST: ("good", "unspecified")}
    assert told(store) == [("clerk", "case", "complained")]
    settled(store, DELIVERED)
    notice = store.call(tell)
    reminder = store.call(tell, "agent", NoticeKind.REMINDER)
    to = {entry.id: entry.address for entry in store.call(claim, LEASE_US, 10)}
    assert to[notice] == FIRST
    assert to.get(reminder) is None


async def test_a_report_waits_for_a_row_that_is_under_way(store: Database, bounces: Bounces) -> None:
    row_id = store.call(tell)
    (entry,) = store.call(claim, LEASE_US, 10)
    bounced(store, row_id)
    assert await bounces.apply() == 0
    store.call(settle, AUTHORITY.public_key(), HASH_KEY, entry, DELIVERED, None)
    assert await bounces.apply() == 1
    assert state_of(store, row_id) == OutboxState.FAILED


async def test_a_delay_heals_with_the_next_delivery(store: Database, bounces: Bounces, time: Time) -> None:
    bounced(store, sent(store), reported(ReportKind.DELAYED, "4.4.1"))
    await bounces.apply()
    assert conditions(store) == {FIRST: ("delayed", "unreachable")}
    assert told(store) == []
    sent(store)
    assert conditions(store) == {}
    row_id = store.call(tell)
    settled(store, DELAYED, due_us=0)
    assert conditions(store) == {FIRST: ("delayed", "system")}
    assert state_of(store, row_id) == OutboxState.WAITING


async def test_a_failing_address_heals_when_nothing_comes_back(store: Database, bounces: Bounces, time: Time) -> None:
    bounced(store, sent(store), reported(enhanced="5.2.2"))
    await bounces.apply()
    sent(store)
    await bounces.look()
    assert conditions(store) == {FIRST: ("failing", "full")}
    time.pass_by(QUIET)
    await bounces.look()
    assert conditions(store) == {}


async def test_failures_that_go_on_kill(store: Database, bounces: Bounces, time: Time) -> None:
    for state in ("failing", "failing", "dead"):
        bounced(store, sent(store), reported(enhanced="5.2.2"))
        await bounces.apply()
        assert conditions(store) == {FIRST: (state, "full")}
        time.pass_by(COUNT_ONCE)


def test_a_refusal_in_the_dialogue_itself_is_a_failure_too(store: Database) -> None:
    row_id = sent(store, delivery=Delivery(DeliveryState.FAILED, 550, "5.1.1", "unknown"))
    assert conditions(store) == {FIRST: ("dead", "unknown_mailbox")}
    (line,) = store.read_now(unreached, "case")
    assert (line.outbox_id, line.kind, line.reason) == (row_id, ReportKind.FAILED, Reason.UNKNOWN_MAILBOX)


@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.DELAYED])
def test_where_nobody_spoke_the_address_is_not_blamed(store: Database, state: DeliveryState) -> None:
    sent(
        store, delivery=Delivery(state, text="the relay could not be reached, or the address is not on a list of ours")
    )
    assert conditions(store) == {}
    (line,) = store.read_now(unreached, "case")
    assert line.reason is Reason.UNSPECIFIED


async def test_a_refusal_for_policy_never_kills(store: Database, bounces: Bounces, time: Time) -> None:
    for _ in range(5):
        bounced(store, sent(store), reported(enhanced="5.7.1"))
        await bounces.apply()
        assert conditions(store) == {FIRST: ("failing", "unwanted")}
        time.pass_by(COUNT_ONCE)


async def test_a_notice_that_waits_for_hours_is_told_once(store: Database, bounces: Bounces, time: Time) -> None:
    row_id = store.call(tell)
    settled(store, DELAYED, due_us=0)
    time.pass_by(timedelta(hours=3, minutes=59))
    assert await bounces.look() == 0
    time.pass_by(timedelta(minutes=1))
    assert await bounces.look() == 1
    assert await bounces.look() == 0
    assert told(store, NoticeKind.DELIVERY_DELAYED) == [("clerk", "case", "none")]
    (line,) = store.read_now(unreached, "case")
    assert (line.outbox_id, line.name, line.kind, line.reason) == (row_id, "Agent", ReportKind.LATE, Reason.SYSTEM)
    settled(store, DELIVERED)
    assert store.read_now(unreached, "case") == []


async def test_the_case_shows_who_was_not_reached_until_they_have_read(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    bounced(store, row_id)
    await bounces.apply()
    (line,) = store.read_now(unreached, "case")
    assert (line.outbox_id, line.name, line.kind) == (row_id, "Agent", ReportKind.FAILED)
    assert store.read_now(unreached, "second") == []
    read = {"message_id": "m-case", "person_id": "agent", "addressed_as": "to", "first_read_us": 1}
    store.call(lambda tx: tx.insert(tables.recipient, id="r", **read))
    assert store.read_now(unreached, "case") == []


async def test_an_employee_of_the_case_tries_again_and_no_other(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    bounced(store, row_id)
    await bounces.apply()
    for who, case in (("stranger", "case"), ("agent", "case"), ("clerk", "second")):
        with pytest.raises(NotAllowed):
            store.call(try_again, AUTHORITY.public_key(), who, case, row_id)
    assert conditions(store)[FIRST][0] == "dead"
    store.call(try_again, AUTHORITY.public_key(), "clerk", "case", row_id)
    assert conditions(store) == {}
    assert store.read_now(unreached, "case") == []
    assert row_id in {entry.id for entry in settled(store, DELIVERED)}
    with pytest.raises(NotAllowed):
        store.call(try_again, AUTHORITY.public_key(), "clerk", "case", row_id)


async def test_a_second_bounce_after_a_retry_counts_again(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    bounced(store, row_id)
    await bounces.apply()
    assert store.call(retry, row_id, "operator")
    settled(store, DELIVERED)
    assert bounced(store, row_id) == 1
    await bounces.apply()
    assert conditions(store)[FIRST][0] == "dead"
    assert state_of(store, row_id) == OutboxState.FAILED


async def test_a_changed_address_begins_anew_and_an_operator_can_say_so(store: Database, bounces: Bounces) -> None:
    bounced(store, sent(store))
    await bounces.apply()
    ended = update(tables.person_address).where(tables.person_address.c.id == FIRST)
    listed = store.read_now(troubled, 2**60)
    assert [(row.address, row.name, row.state) for row in listed] == [(FIRST, "Agent", Condition.DEAD)]
    assert store.call(forget_states, "agent", "operator") == 1
    assert store.call(forget_states, "agent", "operator") == 0
    assert len(entries(store, "address-reset")) == 1
    bounced(store, sent(store))
    await bounces.apply()
    store.call(lambda tx: tx.execute(ended.values(until_us=tx.now_us)))
    store.call(lambda tx: give_address(tx, "agent", "new@first.example"))
    row_id = store.call(tell)
    assert {one.id: one.address for one in store.call(claim, LEASE_US, 10)}[row_id] == "new@first.example"
    assert store.read_now(troubled, 2**60) == []


async def test_what_was_told_together_is_lost_together(store: Database, bounces: Bounces) -> None:
    lead = sent(store)
    joined = store.call(tell, "agent", NoticeKind.MESSAGE_WAITING, "second")
    told_with = {"lead_id": lead, "state": OutboxState.DELIVERED.value}
    store.call(lambda tx: tx.execute(update(tables.outbox).where(tables.outbox.c.id == joined).values(told_with)))
    bounced(store, lead)
    await bounces.apply()
    assert (state_of(store, lead), state_of(store, joined)) == (OutboxState.FAILED, OutboxState.FAILED)
    assert sorted(told(store)) == [("clerk", "case", "address_refused"), ("clerk", "second", "address_refused")]
    assert [line.outbox_id for line in store.read_now(unreached, "second")] == [joined]


async def test_the_program_looks_when_it_is_woken(store: Database, bounces: Bounces) -> None:
    row_id = sent(store)
    running = asyncio.create_task(bounces.run())
    try:
        bounced(store, row_id)
        async with asyncio.timeout(30):
            while state_of(store, row_id) != OutboxState.FAILED:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_each_program_does_its_part_with_its_own_rights(sqlite_url: str, time: Time, tmp_path: Path) -> None:
    upgrade(sqlite_url)
    owner = Database(sqlite_url, clock=time)
    door, notifier, portal = (Database(sqlite_url, clock=time, program=name) for name in ("mx", "notifier", "portal"))
    late = timedelta(hours=4)
    bounces = Bounces(notifier, AUTHORITY.public_key(), HASH_KEY, PATHS, tmp_path, late_after=late, clock=time)
    try:
        owner.call(settled_site)
        row_id = owner.call(tell)
        assert settled(notifier, DELIVERED)
        assert bounced(door, row_id) == 1
        assert await bounces.apply() == 1
        owner.call(tell, "other")
        time.pass_by(late)
        assert await bounces.look() == 1
        time.pass_by(QUIET)
        await bounces.look()
        assert [line.outbox_id for line in portal.read_now(unreached, "case")][-1] == row_id
        portal.call(try_again, AUTHORITY.public_key(), "clerk", "case", row_id)
        assert conditions(owner) == {}
    finally:
        for database in (door, notifier, portal, owner):
            database.close()
