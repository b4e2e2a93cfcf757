"""Who is reminded of what, when, and what stops it: over SQLite and PostgreSQL, with the clock in the test's hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from gateway.casework.reminding import plan_reminders
from gateway.domain.notice import NoticeKind
from gateway.domain.timing import Timing
from gateway.store import tables
from gateway.store.outbox import OutboxState
from gateway.store.reminders import _DUE, planned, stop
from tests.timed import DELAYED, REFUSED, ZONE, Time, Timed


def set_timing(timed: Timed, **changes: object) -> None:
    programme = timed.programmes["cwa"]
    timing: Timing = replace(programme.timing, **changes)  # type: ignore[arg-type]
    timed.programmes["cwa"] = replace(programme, timing=timing)


def test_who_does_not_read_is_reminded_at_the_programmes_times_and_then_the_employee_told(timed: Timed) -> None:
    timed.post("ines")
    assert timed.days("2026-03-20") == [
        ("03-02 10:00", "ines", "message_waiting", 1),
        ("03-04 10:00", "ines", "reminder", 1),
        ("03-07 10:00", "ines", "reminder", 1),
        ("03-10 03:00", "dana", "not_read", 1),  # looked at each four hours, and a night had an hour less
        ("03-12 11:00", "ines", "reminder", 1),
    ]


def test_a_reader_who_may_act_stops_the_reminders_of_everybody(timed: Timed) -> None:
    message = timed.post("ines", "raul")
    assert timed.told() == [("ines", "message_waiting", 1), ("raul", "message_waiting", 1)]
    timed.time.pass_by(days=1)
    timed.open("ines", message)
    assert timed.days("2026-03-20") == []


def test_a_reader_who_may_only_see_stops_their_own(timed: Timed) -> None:
    message = timed.post("ines", "raul")
    timed.told()
    timed.open("raul", message)
    told = timed.days("2026-03-20")
    assert {name for _, name, *_ in told} == {"ines", "dana"}
    assert [kind for *_, kind, _ in told].count("not_read") == 1


def test_somebody_who_may_act_and_was_no_recipient_stops_them_too(timed: Timed) -> None:
    message = timed.post("raul")
    timed.open("ines", message)
    assert timed.days("2026-03-20") == [("03-02 10:00", "raul", "message_waiting", 1)]


def test_reading_after_a_reminder_stops_those_to_come(timed: Timed) -> None:
    message = timed.post("ines")
    timed.days("2026-03-06")
    timed.open("ines", message)
    assert timed.days("2026-03-20") == []


def test_what_was_read_while_its_reminder_waited_is_not_reminded_of(timed: Timed) -> None:
    message = timed.post("ines")
    timed.told()
    timed.time.pass_by(days=2)
    timed.plan()
    timed.open("ines", message)
    assert timed.claim() == []
    assert [OutboxState(row.state) for row in timed.rows() if row.kind == "reminder"] == [OutboxState.WITHHELD]


def test_what_was_read_while_its_reminder_was_delayed_is_not_reminded_of(timed: Timed) -> None:
    message = timed.post("ines")
    timed.told()
    timed.time.pass_by(days=2)
    timed.plan()
    (entry,) = timed.claim()
    timed.settle(entry, DELAYED, entry.lease_us)
    timed.open("ines", message)
    timed.time.pass_by(hours=1)
    assert timed.claim() == []


def test_a_withdrawn_message_is_not_reminded_of(timed: Timed) -> None:
    message = timed.post("ines")
    timed.told()
    timed.change(tables.message, message, withdrawn_us=1)
    assert timed.days("2026-03-20") == []


def test_several_unread_messages_of_several_cases_make_one_reminder(timed: Timed) -> None:
    for hour in (10, 11, 15):
        timed.time.set(f"2026-03-02T{hour}:00")
        timed.post("raul")
    timed.post("raul", case=timed.site.season)
    told = [one for one in timed.days("2026-03-06") if one[2] == "reminder"]
    assert told == [("03-04 11:00", "raul", "reminder", 4)]


def test_a_reminder_of_one_case_names_it_and_one_of_several_names_none(timed: Timed) -> None:
    timed.post("raul")
    timed.post("raul")
    timed.send()
    timed.time.pass_by(days=2)
    (one,) = timed.send()
    assert str(one.reference) == timed.site.tour["reference"]
    timed.post("raul", case=timed.site.season)
    timed.send()
    timed.time.pass_by(days=3)
    (one,) = timed.send()
    assert (one.reference, one.count) == (None, 3)


def test_reminders_name_the_day_for_reading_while_it_is_to_come(timed: Timed) -> None:
    timed.post("ines")
    timed.send()
    timed.time.pass_by(days=2)
    (first,) = timed.send()
    assert first.until is not None
    assert first.until.astimezone(ZONE).date().isoformat() == "2026-03-09"
    timed.time.set("2026-03-12T12:00")
    last = next(entry for entry in timed.send() if entry.kind is NoticeKind.REMINDER)
    assert last.until is None


def test_nobody_is_reminded_at_night_of_their_own_zone(timed: Timed) -> None:
    timed.change(tables.person, timed.people["ines"], time_zone="Pacific/Honolulu")
    timed.time.set("2026-06-01T10:00")  # 4 in the morning in Honolulu
    timed.post("ines", "raul")
    timed.told()
    told = [one for one in timed.days("2026-06-04", hours=1) if one[2] == "reminder"]
    assert told == [("06-03 10:00", "raul", "reminder", 1), ("06-03 14:00", "ines", "reminder", 1)]


def test_a_person_gets_so_many_reminders_a_day_and_no_more(timed: Timed) -> None:
    set_timing(timed, reminder_days=(1, 2), not_read_days=0)
    timed.post("raul")
    timed.time.pass_by(hours=30)
    timed.post("raul", case=timed.site.season)
    timed.send()
    told = [one for one in timed.days("2026-03-09", hours=1) if one[2] == "reminder"]
    assert [day[:5] for day, *_ in told] == ["03-04", "03-05"]
    timed.time.set("2026-03-20T09:00")
    set_timing(timed, reminder_days=(1,), reminders_a_day=2)
    timed.post("raul")
    timed.told()
    timed.time.set("2026-03-21T09:00")
    assert timed.told() == [("raul", "reminder", 1)]
    assert timed.told() == []


def test_a_time_that_was_slept_through_makes_one_reminder_and_not_three(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    timed.time.pass_by(days=40)
    assert timed.told() == [("dana", "not_read", 1), ("ines", "reminder", 1)]
    assert timed.days("2026-06-01", hours=24) == []


def test_a_clock_set_back_reminds_of_nothing_twice(timed: Timed) -> None:
    timed.post("ines")
    timed.days("2026-03-05")
    timed.time.pass_by(days=-3)
    told = timed.days("2026-03-20")
    assert [kind for *_, kind, _ in told] == ["reminder", "not_read", "reminder"]


def test_who_has_lost_access_is_not_reminded_and_the_employee_still_hears(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    place = timed.site.users["ines"]["designated_user"]
    timed.site.enact("revoke_designated_user", designated_user=place)
    assert [one[1:] for one in timed.days("2026-03-20")] == [("dana", "not_read", 1)]


def test_access_lost_while_a_reminder_waits_ends_it(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    timed.time.pass_by(days=2)
    timed.plan()
    timed.site.enact("revoke_designated_user", designated_user=timed.site.users["ines"]["designated_user"])
    timed.time.pass_by(seconds=3)
    assert timed.claim() == []


def test_who_has_left_is_not_reminded(timed: Timed) -> None:
    timed.post("ines", "raul")
    timed.told()
    timed.site.enact("end_person", person="ines")
    assert {name for _, name, *_ in timed.days("2026-03-08")} == {"raul"}


def test_employees_are_not_reminded_of_replies(timed: Timed) -> None:
    timed.post("dana", "omar", author="ines")
    assert {kind for *_, kind, _ in timed.days("2026-03-20")} == {"reply_received", "submission_successful"}


def test_an_author_who_has_left_leaves_it_to_the_office_of_the_case(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    timed.site.enact("end_person", person="dana")
    told = [one for one in timed.days("2026-03-20") if one[2] == "not_read"]
    assert [name for _, name, *_ in told] == ["omar"]


def test_a_reminder_that_fails_tells_the_employee_which_message(timed: Timed) -> None:
    first, second = timed.post("raul"), timed.post("raul", case=timed.site.season, author="omar")
    timed.send()
    timed.time.pass_by(days=2)
    timed.plan()
    (entry,) = timed.claim()
    assert entry.joined == 1
    timed.settle(entry, REFUSED)
    failed = {(row.person_id, row.message_id) for row in timed.rows() if row.kind == "delivery_failed"}
    assert failed == {(timed.people["dana"], first), (timed.people["omar"], second)}
    assert timed.states()[first][1:2] == timed.states()[second][1:2] == [OutboxState.FAILED]


def test_a_programme_without_reminders_sends_none(timed: Timed) -> None:
    notices = timed.programmes["cwa"].notices - {NoticeKind.REMINDER, NoticeKind.NOT_READ}
    timed.programmes["cwa"] = replace(timed.programmes["cwa"], notices=notices)
    timed.post("ines")
    assert [kind for *_, kind, _ in timed.days("2026-03-20")] == ["message_waiting"]


def test_what_came_before_there_were_reminders_is_owed_no_reading(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    timed.database.call(lambda tx: tx.execute(update(tables.recipient).values(remind_us=None)))
    assert timed.days("2026-03-20") == []


def test_an_employee_stops_the_reminders_of_a_message_on_record(timed: Timed) -> None:
    message = timed.post("ines", "raul")
    timed.told()
    reference = timed.database.read_now(
        lambda c: c.execute(select(tables.message.c.reference).where(tables.message.c.id == message)).scalar_one()
    )
    assert [row.reference for row in timed.database.read_now(planned, 10)] == [reference, reference]
    assert timed.database.call(stop, reference, "operator") == 2
    assert timed.database.call(stop, "SM-0000-0000", "operator") is None
    assert timed.database.read_now(planned, 10) == []
    kinds = timed.database.read_now(lambda c: list(c.execute(select(tables.leaf.c.kind)).scalars()))
    assert kinds.count("reminders-stopped") == 1
    assert timed.days("2026-03-20") == []


def test_looking_for_what_is_due_walks_the_index_of_due_readings(timed: Timed) -> None:
    database = timed.database
    dialect = database._engine.dialect
    plan = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    query = str(_DUE.params(now=1, most=5).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    def explain(connection: object) -> str:
        if dialect.name != "sqlite":
            connection.exec_driver_sql("SET enable_seqscan = off")  # type: ignore[attr-defined]
        return "\n".join(str(tuple(row)) for row in connection.execute(text(f"{plan} {query}")))  # type: ignore[attr-defined]

    assert "ix_recipient_remind" in database.call(lambda tx: explain(tx.connection))


async def test_two_notifiers_that_plan_at_once_remind_once(timed: Timed, time: Time) -> None:
    for _ in range(20):
        timed.post("ines", "raul")
    timed.send()
    time.pass_by(days=2)
    plans = [
        store.run(plan_reminders, timed.authority, timed.programmes, 7)
        for _ in range(8)
        for store in (timed.notifier, timed.database)
    ]
    await asyncio.gather(*plans)
    assert len([row for row in timed.rows() if row.kind == "reminder"]) == 40
    assert timed.told() == [("ines", "reminder", 20), ("raul", "reminder", 20)]


@pytest.mark.parametrize("late", [timedelta(hours=1), timedelta(days=9)])
def test_a_message_is_told_unread_once_however_many_have_not_read_it(timed: Timed, late: timedelta) -> None:
    timed.post("ines", "raul")
    timed.told()
    timed.time.pass_by(days=8)
    timed.time.now += late
    timed.send()
    timed.time.pass_by(days=1)
    timed.send()
    assert len([row for row in timed.rows() if row.kind == "not_read"]) == 1
