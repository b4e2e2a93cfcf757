"""What is told together, what waits, and that nothing is told twice: over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.notice import NoticeKind, NoticeState
from gateway.store import tables
from gateway.store.claims import _NEW, _new_of, claim
from gateway.store.database import Database
from gateway.store.hastening import hasten
from gateway.store.outbox import OutboxState, put, retry, waiting
from gateway.store.transaction import Transaction
from tests.timed import DELAYED, DELIVERED, LEASE_US, REFUSED, Time, Timed

SECOND_US = 1_000_000


def set_timing(timed: Timed, **changes: int) -> None:
    programme = timed.programmes["cwa"]
    timed.programmes["cwa"] = replace(programme, timing=replace(programme.timing, **changes))


def test_the_first_goes_at_once_and_what_follows_within_the_minute_goes_as_one(timed: Timed, time: Time) -> None:
    timed.post("ines")
    assert timed.told() == [("ines", "message_waiting", 1)]
    for _ in range(4):
        time.pass_by(seconds=10)
        timed.post("ines")
        assert timed.told() == []
    time.pass_by(seconds=20)
    assert timed.told() == [("ines", "message_waiting", 4)]
    time.pass_by(minutes=5)
    timed.post("ines")
    assert timed.told() == [("ines", "message_waiting", 1)]


def test_what_came_together_before_anybody_looked_goes_as_one(timed: Timed) -> None:
    messages = [timed.post("ines", "raul") for _ in range(5)]
    assert timed.told() == [("ines", "message_waiting", 5), ("raul", "message_waiting", 5)]
    assert all(states == [OutboxState.DELIVERED] * 2 for states in timed.states().values())
    assert set(timed.states()) == set(messages)


def test_a_held_first_one_makes_one_notification_of_a_minute(timed: Timed, time: Time) -> None:
    set_timing(timed, hold_seconds=30)
    timed.post("ines")
    assert timed.told() == []
    time.pass_by(seconds=20)
    timed.post("ines")
    assert timed.told() == []
    time.pass_by(seconds=10)
    assert timed.told() == [("ines", "message_waiting", 2)]


def test_without_a_time_to_merge_in_each_is_told_at_once(timed: Timed, time: Time) -> None:
    set_timing(timed, merge_seconds=0)
    timed.post("ines")
    assert timed.told() == [("ines", "message_waiting", 1)]
    time.pass_by(seconds=1)
    timed.post("ines")
    timed.post("ines")
    assert timed.told() == [("ines", "message_waiting", 1), ("ines", "message_waiting", 1)]
    time.pass_by(days=2)
    assert timed.told() == [("ines", "reminder", 3)]


def test_one_case_is_named_by_what_is_told_together_and_several_are_not(timed: Timed, time: Time) -> None:
    timed.post("raul")
    timed.post("raul")
    (one,) = timed.send()
    assert str(one.reference) == timed.site.tour["reference"]
    time.pass_by(minutes=2)
    timed.post("raul")
    timed.post("raul", case=timed.site.season)
    (one,) = timed.send()
    assert (one.reference, one.count) == (None, 2)


def test_replies_are_told_together_case_by_case_so_that_an_answer_goes_where_it_is_meant_to(timed: Timed) -> None:
    timed.site.add_user("nora", [timed.site.season["reference"]], "act")
    timed.post("dana", author="ines")
    timed.post("dana", author="ines")
    timed.post("dana", author="nora", case=timed.site.season)
    told = [entry for entry in timed.send() if entry.kind is NoticeKind.REPLY_RECEIVED]
    assert sorted(entry.count for entry in told) == [1, 2]
    assert {entry.case_id for entry in told} == {timed.site.tour["case"], timed.site.season["case"]}


def test_confirmations_are_each_told_alone(timed: Timed) -> None:
    for _ in range(3):
        timed.post("dana", author="ines")
    kinds = Counter(entry.kind for entry in timed.send())
    assert kinds[NoticeKind.SUBMISSION_SUCCESSFUL] == 3


def test_a_further_address_gets_the_same_and_waits_for_nothing(timed: Timed) -> None:
    def add_address(tx: Transaction) -> None:
        new = {"id": "second", "person_id": timed.people["ines"], "address": "ines@home.example"}
        tx.insert(tables.person_address, **new, key="ines@home.example", notify=1, from_us=0, until_us=None)

    timed.database.call(add_address)
    timed.post("ines")
    timed.post("ines")
    sent = timed.send()
    assert {(entry.address, entry.count) for entry in sent} == {("ines@tours.example", 2), ("ines@home.example", 2)}
    assert timed.send() == []


def test_a_delayed_one_is_tried_again_with_the_same_words_whatever_came_since(timed: Timed, time: Time) -> None:
    timed.post("ines")
    timed.post("ines")
    (first,) = timed.claim()
    timed.settle(first, DELAYED, first.lease_us)
    assert sorted(row.state for row in timed.rows()) == [OutboxState.WAITING, OutboxState.JOINED]
    timed.post("ines")
    time.pass_by(minutes=5)
    again = {entry.id: entry for entry in timed.claim()}
    assert len(again) == 2
    assert (again[first.id].count, again[first.id].reference) == (first.count, first.reference)


def test_a_lease_that_ran_out_repeats_the_same_notification(timed: Timed, time: Time) -> None:
    timed.post("ines")
    timed.post("ines")
    (first,) = timed.claim()
    timed.post("ines")
    time.pass_by(minutes=6)
    again = {entry.id: entry for entry in timed.claim()}
    assert again[first.id].count == 2
    assert timed.settle(again[first.id])
    assert not timed.settle(first)


def test_what_failed_together_is_told_by_author_and_case(timed: Timed) -> None:
    first, second = timed.post("raul"), timed.post("raul")
    third = timed.post("raul", case=timed.site.season, author="omar")
    (entry,) = timed.claim()
    assert timed.settle(entry, REFUSED)
    assert {states[0] for states in timed.states().values()} == {OutboxState.FAILED}
    told = {(e.person_id, e.case_id): e for e in timed.claim()}
    assert len(told) == 2
    of_dana = told[timed.people["dana"], timed.site.tour["case"]]
    assert (of_dana.kind, of_dana.count, of_dana.state) == (NoticeKind.DELIVERY_FAILED, 2, NoticeState.ADDRESS_REFUSED)
    assert str(of_dana.reference) == timed.site.tour["reference"]
    assert told[timed.people["omar"], timed.site.season["case"]].message_id == third
    assert of_dana.message_id in {first, second}


def test_what_failed_together_is_listed_once_and_tried_again_together(timed: Timed, time: Time) -> None:
    for _ in range(3):
        timed.post("ines")
    (entry,) = timed.claim()
    timed.settle(entry, REFUSED)
    failed = [row for row in timed.database.read_now(waiting) if row.kind == "message_waiting"]
    assert [row.id for row in failed] == [entry.id]
    assert timed.database.call(retry, entry.id, "dana")
    (again,) = [one for one in timed.claim() if one.kind is NoticeKind.MESSAGE_WAITING]
    assert (again.id, again.count, again.joined) == (entry.id, 3, 2)
    timed.settle(again, DELIVERED)
    assert {row.state for row in timed.rows() if row.kind == "message_waiting"} == {OutboxState.DELIVERED}


def test_one_that_failed_with_others_can_be_tried_again_alone(timed: Timed) -> None:
    for _ in range(3):
        timed.post("ines")
    (entry,) = timed.claim()
    timed.settle(entry, REFUSED)
    joined = next(row.id for row in timed.rows() if row.lead_id == entry.id)
    timed.time.pass_by(minutes=2)
    assert timed.database.call(retry, joined, "dana")
    (again,) = [one for one in timed.claim() if one.kind is NoticeKind.MESSAGE_WAITING]
    assert (again.id, again.count, again.lead_id) == (joined, 1, None)


def test_a_clock_set_back_by_days_holds_up_nothing(timed: Timed, time: Time) -> None:
    time.pass_by(days=5)
    timed.post("ines")
    assert len(timed.told()) == 1
    timed.post("ines")
    (_deferred,) = [row for row in timed.rows() if row.state == OutboxState.WAITING]
    time.pass_by(days=-3)
    timed.post("raul")
    timed.notifier.call(hasten, 3600 * SECOND_US)
    assert timed.told() == [("ines", "message_waiting", 1), ("raul", "message_waiting", 1)]
    assert timed.told() == []


def test_a_clock_set_forward_by_days_and_back_tells_nothing_twice(timed: Timed, time: Time) -> None:
    timed.post("ines")
    (entry,) = timed.claim()
    timed.settle(entry)
    time.pass_by(days=5)
    timed.open("ines", entry.message_id or "")
    assert timed.told() == []
    time.pass_by(days=-5)
    assert timed.told() == []


async def test_two_notifiers_that_claim_at_once_tell_a_person_once(timed: Timed) -> None:
    for _ in range(30):
        timed.post("ines", "raul")
    timings = {key: programme.timing for key, programme in timed.programmes.items()}
    calls = [
        store.run(claim, LEASE_US, 3, timings, timed.authority)
        for _ in range(6)
        for store in (timed.notifier, timed.database)
    ]
    found = [entry for entries in await asyncio.gather(*calls) for entry in entries]
    assert sorted(entry.count for entry in found) == [30, 30]


def test_a_person_with_very_many_stands_in_nobodys_way(timed: Timed) -> None:
    def fill(tx: Transaction) -> None:
        for _ in range(3_000):
            put(tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id=timed.people["ines"],
                case_id=timed.site.tour["case"])  # fmt: skip

    timed.post("ines")
    timed.told()
    timed.database.call(fill)
    timed.post("raul")
    assert [entry.person_id for entry in timed.claim(5)] == [timed.people["raul"]]
    timed.time.pass_by(minutes=1)
    assert [entry.count for entry in timed.claim(5)] == [3_000]


@pytest.mark.parametrize("which", ["together", "join"])
def test_what_is_told_together_is_found_by_person_among_waiting_rows(timed: Timed, which: str) -> None:
    """Thousands of settled rows of the same person, and few that wait: none of the former is looked at."""
    ines = timed.people["ines"]

    def fill(tx: Transaction) -> None:
        for number in range(3_000):
            tx.insert(tables.outbox, id=f"{number:08}", programme="cwa", kind="message_waiting", person_id=ines,
                      state=1, due_us=number, created_us=0, lead_id=None)  # fmt: skip

    timed.database.call(fill)
    dialect = timed.database._engine.dialect
    plan = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    query: Any = _NEW.params(people=[ines])
    if which == "join":
        query = select(tables.outbox.c.id).where(_new_of(("cwa", ines, "message_waiting")))
    words = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True})

    def explain(tx: Transaction) -> str:
        if dialect.name != "sqlite":
            tx.connection.exec_driver_sql("ANALYZE outbox")
        return "\n".join(str(tuple(row)) for row in tx.connection.exec_driver_sql(f"{plan} {words}"))

    told = timed.database.call(explain)
    assert "ix_outbox_person_state" in told or "ix_outbox_due" in told
    assert "Seq Scan" not in told


def test_an_old_lead_is_not_joined_by_what_is_new(timed: Timed, time: Time, store_url: str) -> None:
    """A claim in another process sees the pace that the first one kept."""
    timed.post("ines")
    (first,) = timed.claim()
    other = Database(store_url, clock=time)
    timed.post("ines")
    timings = {key: programme.timing for key, programme in timed.programmes.items()}
    assert other.call(claim, LEASE_US, 10, timings, timed.authority) == []
    other.close()
    assert timed.settle(first)
