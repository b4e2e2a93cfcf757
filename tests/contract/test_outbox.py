"""The outbox's promises, the same over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Row, select, text, update

from gateway.domain.clock import to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.outbound.settling import Settling
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.claims import _DUE, claim
from gateway.store.database import Database
from gateway.store.outbox import Entry, OutboxState, address_hash, put, retry, waiting, withhold
from gateway.store.settlements import Outcome, settle, settle_all
from gateway.store.transaction import Transaction

LEASE_US = 300_000_000
HASH_KEY = b"k" * 32
AUTHORITY = Ed25519PrivateKey.generate()
DELIVERED = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")
DELAYED = Delivery(DeliveryState.DELAYED, 451, "4.3.0", "later")
OF_CHIEF = tables.address_state.c.address_id == "chief@first.example"
REFUSED = Delivery(DeliveryState.FAILED, 550, "5.1.1", "unknown")


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(store_url: str, time: Time) -> Iterator[Database]:
    opened = Database(store_url, clock=time)
    opened.call(settled_site)
    yield opened
    opened.close()


def settled_site(tx: Transaction) -> None:
    """A case of the office's two employees with one designated user who has one address, and a message in it."""
    for name, side in (("clerk", "office"), ("chief", "office"), ("agent", "correspondent")):
        new = {"id": name, "programme": "cwa", "side": side, "name": name, "username": name, "created_us": 0}
        tx.insert(tables.person, **new)
        give_address(tx, name, f"{name}@first.example")
    tx.insert(tables.case, id="case", programme="cwa", reference="SM-7K2Q", opened_us=0, closed_us=None)
    tx.insert(
        tables.message, id="message", case_id="case", reference="SM-7K2Q-9F4T", side="office", author_id="clerk",
        composed=0, octets=1, sealed_summary=b"", received_us=0,
    )  # fmt: skip


def give_address(tx: Transaction, person_id: str, address: str, notify: int = 1) -> None:
    row = {"id": address, "person_id": person_id, "address": address, "key": address.lower(), "notify": notify}
    tx.insert(tables.person_address, **row, from_us=0, until_us=None)


def tell(
    tx: Transaction,
    person_id: str = "agent",
    kind: NoticeKind = NoticeKind.MESSAGE_WAITING,
    message_id: str | None = "message",
    **fields: str | int,
) -> str:
    told = {"reference": "SM-7K2Q-9F4T", **fields}
    return put(tx, programme="cwa", kind=kind, person_id=person_id, case_id="case", message_id=message_id, fields=told)


def rows(connection: Connection) -> list[Row[Any]]:
    return list(connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)))


def leaves(connection: Connection) -> list[dict[str, Any]]:
    """The entries of notices; those of addresses are another test's."""
    found = [json.loads(body) for body in connection.execute(select(tables.leaf.c.body)).scalars()]
    return [leaf for leaf in found if leaf["kind"].startswith("notice-")]


def claimed(store: Database, limit: int = 10) -> list[Entry]:
    return store.call(claim, LEASE_US, limit)


def settled(store: Database, entry: Entry, delivery: Delivery, due_us: int | None = None) -> bool:
    return store.call(settle, AUTHORITY.public_key(), HASH_KEY, entry, delivery, due_us)


def test_a_claimed_row_has_all_that_its_notification_needs(store: Database, time: Time) -> None:
    row_id = store.call(tell, count=3, until_us=to_microseconds(time.now), state="gave_up")
    (entry,) = claimed(store)
    assert entry.id == row_id
    assert (entry.address, entry.language, entry.wants_link) == ("agent@first.example", "en", True)
    assert str(entry.reference) == "SM-7K2Q-9F4T"
    assert (entry.count, entry.state, entry.until) == (3, NoticeState.GAVE_UP, time.now)
    assert (entry.attempts, entry.created) == (1, time.now)


def test_a_leased_row_is_not_claimed_again_until_the_lease_has_run_out(store: Database, time: Time) -> None:
    store.call(tell)
    (first,) = claimed(store)
    assert claimed(store) == []
    time.pass_by(minutes=5)
    (second,) = claimed(store)
    assert (second.id, second.address, second.created) == (first.id, first.address, first.created)
    assert second.attempts == 2


async def test_two_notifiers_never_lease_one_row(store: Database, store_url: str, time: Time) -> None:
    other = Database(store_url, clock=time)
    try:
        ids = [await store.run(tell) for _ in range(60)]
        calls = [one.run(claim, LEASE_US, 3) for _ in range(12) for one in (store, other)]
        found = [entry.id for entries in await asyncio.gather(*calls) for entry in entries]
    finally:
        other.close()
    assert sorted(found) == sorted(ids)


def test_the_longest_due_comes_first(store: Database, time: Time) -> None:
    first = store.call(tell)
    time.pass_by(seconds=1)
    second = store.call(tell)
    assert [entry.id for entry in claimed(store, 1)] == [first]
    assert [entry.id for entry in claimed(store, 1)] == [second]


def test_each_of_a_person_s_addresses_is_written_to_once(store: Database, time: Time) -> None:
    store.call(give_address, "agent", "agent@second.example")
    store.call(give_address, "agent", "agent@silent.example", notify=0)
    store.call(tell)
    entries = claimed(store) + claimed(store) + claimed(store)
    assert [entry.address for entry in entries] == ["agent@first.example", "agent@second.example"]
    time.pass_by(minutes=6)
    assert len(claimed(store)) == 2
    assert len(store.read_now(rows)) == 2


def test_a_retry_goes_to_the_address_it_went_to_before(store: Database, time: Time) -> None:
    store.call(tell)
    claimed(store)
    store.call(give_address, "agent", "agent@aaa.example")
    time.pass_by(minutes=6)
    assert [entry.address for entry in claimed(store)] == ["agent@first.example"]


def test_an_address_that_has_ended_is_not_written_to_again(store: Database, time: Time) -> None:
    store.call(tell)
    claimed(store)
    store.call(give_address, "agent", "agent@second.example")
    ended = update(tables.person_address).where(tables.person_address.c.id == "agent@first.example")
    store.call(lambda tx: tx.execute(ended.values(until_us=tx.now_us)))
    time.pass_by(minutes=6)
    assert [entry.address for entry in claimed(store)] == ["agent@second.example"]


def test_a_person_who_has_ended_has_no_address(store: Database) -> None:
    store.call(tell)
    store.call(lambda tx: tx.execute(update(tables.person).values(ended_us=tx.now_us)))
    assert [entry.address for entry in claimed(store)] == [None]


def test_a_delivered_notice_is_done_and_on_record(store: Database, time: Time) -> None:
    row_id = store.call(tell)
    (entry,) = claimed(store)
    assert settled(store, entry, DELIVERED)
    (row,) = store.read_now(rows)
    assert (row.state, row.last_reply) == (OutboxState.DELIVERED, "250 2.0.0 queued")
    (leaf,) = store.read_now(leaves)
    assert (leaf["kind"], leaf["facts"]["outbox"]) == ("notice-delivered", row_id)
    assert leaf["facts"]["address"] == address_hash(HASH_KEY, "Agent@First.example")
    assert "first.example" not in json.dumps(leaf)
    time.pass_by(days=1)
    assert claimed(store) == []


def test_a_settlement_after_the_lease_was_lost_changes_nothing(store: Database, time: Time) -> None:
    store.call(tell)
    (late,) = claimed(store)
    time.pass_by(minutes=6)
    (current,) = claimed(store)
    assert not settled(store, late, REFUSED)
    assert store.read_now(leaves) == []
    assert settled(store, current, DELIVERED)
    assert not settled(store, current, DELIVERED)
    assert len(store.read_now(leaves)) == 1


def in_trouble(tx: Transaction, address_id: str) -> None:
    tx.insert(
        tables.address_state, address_id=address_id, state="failing", reason="full", failures=1, since_us=0,
        changed_us=0, taken_us=None, complained_us=None,
    )  # fmt: skip


def test_what_is_settled_together_ends_as_each_would_alone(store: Database, time: Time) -> None:
    late_id = store.call(tell)
    (late,) = claimed(store)
    time.pass_by(minutes=6)
    claimed(store)
    ids = [store.call(tell, person_id=one) for one in ("agent", "clerk", "chief", "agent", "agent")]
    store.call(in_trouble, "chief@first.example")
    entries = {entry.id: entry for entry in claimed(store)}
    first, second, third, refused, delayed = (entries[row_id] for row_id in ids)
    later_us = to_microseconds(time.now + timedelta(minutes=10))
    outcomes = [
        Outcome(first, DELIVERED, None), Outcome(late, DELIVERED, None), Outcome(second, DELIVERED, None),
        Outcome(third, DELIVERED, None), Outcome(refused, REFUSED, None), Outcome(delayed, DELAYED, later_us),
    ]  # fmt: skip
    done = store.call(settle_all, AUTHORITY.public_key(), HASH_KEY, outcomes)
    assert done == [True, False, True, True, True, True]
    states = {row.id: row.state for row in store.read_now(rows)}
    assert [states[row_id] for row_id in ids] == [1, 1, 1, 2, 0]
    assert states[late_id] == OutboxState.WAITING
    told = {leaf["facts"]["outbox"]: leaf["kind"] for leaf in store.read_now(leaves)}
    assert told == dict.fromkeys(ids[:3], "notice-delivered") | {ids[3]: "notice-failed", ids[4]: "notice-delayed"}
    (state,) = store.read_now(lambda open_: list(open_.execute(select(tables.address_state).where(OF_CHIEF))))
    assert state.taken_us == to_microseconds(time.now)
    assert len(states) == len(ids) + 2, "the author is told of the refused one"


async def test_one_that_cannot_be_settled_undoes_no_other(store: Database) -> None:
    for _ in range(3):
        store.call(tell)
    good, other, bad = claimed(store)
    settling = Settling(store, AUTHORITY.public_key(), HASH_KEY)
    outcomes = [Outcome(one, DELIVERED, None) for one in (good, replace(bad, address="\ud800"), other)]
    results = await asyncio.gather(*map(settling.settled, outcomes), return_exceptions=True)
    assert (results[0], type(results[1]), results[2]) == (True, UnicodeEncodeError, True)
    states = {row.id: row.state for row in store.read_now(rows)}
    assert (states[good.id], states[bad.id], states[other.id]) == (1, 0, 1)


def test_a_delayed_notice_waits_for_its_time(store: Database, time: Time) -> None:
    store.call(tell)
    (entry,) = claimed(store)
    assert settled(store, entry, DELAYED, to_microseconds(time.now + timedelta(minutes=10)))
    time.pass_by(minutes=9)
    assert claimed(store) == []
    time.pass_by(minutes=1)
    assert [again.attempts for again in claimed(store)] == [2]
    assert [leaf["kind"] for leaf in store.read_now(leaves)] == ["notice-delayed"]


@pytest.mark.parametrize(
    ("delivery", "state"), [(REFUSED, NoticeState.ADDRESS_REFUSED), (DELAYED, NoticeState.GAVE_UP)]
)
def test_a_notice_given_up_tells_the_author(store: Database, delivery: Delivery, state: NoticeState) -> None:
    store.call(tell)
    (entry,) = claimed(store)
    assert settled(store, entry, delivery)
    (told,) = claimed(store)
    assert (told.kind, told.person_id, told.state) == (NoticeKind.DELIVERY_FAILED, "clerk", state)
    assert str(told.reference) == "SM-7K2Q-9F4T"


def test_no_address_at_all_is_told_as_such(store: Database) -> None:
    store.call(
        lambda tx: tx.execute(tables.person_address.delete().where(tables.person_address.c.person_id == "agent"))
    )
    store.call(tell)
    (entry,) = claimed(store)
    settled(store, entry, Delivery(DeliveryState.FAILED))
    assert [told.state for told in claimed(store)] == [NoticeState.NO_ADDRESS]


def test_an_employee_s_notice_that_fails_makes_no_other(store: Database) -> None:
    store.call(tell, "clerk", NoticeKind.DELIVERY_FAILED)
    (entry,) = claimed(store)
    assert settled(store, entry, REFUSED)
    assert claimed(store) == []


def assign(tx: Transaction, person_id: str, key: Ed25519PrivateKey) -> None:
    row: dict[str, Any] = {
        "id": f"place-{person_id}", "case_id": "case", "team_id": None, "person_id": person_id, "from_us": 0,
        "until_us": None, "version": 1,
    }  # fmt: skip
    tx.insert(tables.assignment, **row, signature=sign(tables.assignment, row, key))


def test_without_an_author_the_whole_office_of_the_case_is_told(store: Database) -> None:
    store.call(assign, "clerk", AUTHORITY)
    store.call(assign, "chief", AUTHORITY)
    store.call(tell, message_id=None)
    (entry,) = claimed(store)
    settled(store, entry, REFUSED)
    assert {told.person_id for told in claimed(store)} == {"clerk", "chief"}


def test_a_place_nobody_granted_gets_no_notice(store: Database) -> None:
    store.call(assign, "chief", Ed25519PrivateKey.generate())
    store.call(tell, message_id=None)
    (entry,) = claimed(store)
    settled(store, entry, REFUSED)
    assert claimed(store) == []


def test_a_failed_notice_can_be_tried_again_and_a_delivered_one_not(store: Database) -> None:
    store.call(tell, "clerk", NoticeKind.REPLY_RECEIVED)
    (entry,) = claimed(store)
    settled(store, entry, REFUSED)
    assert [row.last_reply for row in store.read_now(waiting)] == ["550 5.1.1 unknown"]
    assert store.call(retry, entry.id, "clerk")
    (again,) = claimed(store)
    settled(store, again, DELIVERED)
    assert store.read_now(waiting) == []
    assert not store.call(retry, entry.id, "clerk")
    assert not store.call(retry, "absent", "clerk")


def test_a_notice_the_programme_does_not_use_is_withheld_for_good(store: Database, time: Time) -> None:
    store.call(tell)
    (entry,) = claimed(store)
    assert store.call(withhold, entry)
    assert not store.call(withhold, entry)
    assert not store.call(retry, entry.id, "clerk")
    time.pass_by(days=1)
    assert claimed(store) == []
    assert store.read_now(waiting) == []
    assert [leaf["kind"] for leaf in store.read_now(leaves)] == ["notice-withheld"]


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "ransom"},
        {"fields": '{"state": "x"}'},
        {"fields": "[]"},
        {"fields": "{"},
        {"fields": '{"reference": "0"}'},
    ],
)
def test_a_row_that_cannot_be_read_stands_in_nobody_s_way(store: Database, damage: dict[str, str]) -> None:
    broken = store.call(tell)
    store.call(lambda tx: tx.execute(update(tables.outbox).where(tables.outbox.c.id == broken).values(**damage)))
    whole = store.call(tell)
    assert [entry.id for entry in claimed(store)] == [whole]
    assert [leaf["facts"]["outbox"] for leaf in store.read_now(leaves)] == [broken]
    assert claimed(store) == []


def test_a_claim_reads_the_index_of_waiting_rows(store: Database) -> None:
    """A thousand settled rows and few due ones: the plan walks the partial index."""
    dialect = store._engine.dialect
    plan = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    query = _DUE.params(now=1, most=5).compile(dialect=dialect, compile_kwargs={"literal_binds": True})

    def fill(tx: Transaction) -> None:
        for number in range(3000):
            tx.insert(
                tables.outbox, id=f"{number:08}", programme="cwa", kind="message_waiting", person_id="agent",
                state=1, due_us=number, created_us=0,
            )  # fmt: skip

    store.call(fill)
    told = store.call(lambda tx: "\n".join(str(tuple(row)) for row in tx.all(text(f"{plan} {query}"))))
    assert "ix_outbox_due" in told
