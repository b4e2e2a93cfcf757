"""What authors are told of their own messages, with the clock in the test's hand, over SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, update

from gateway.casework.confirming import plan_confirmations
from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.deposit import SealedMessage
from gateway.casework.releasing import release_due
from gateway.casework.withdrawing import withdraw, withdraw_by_answer
from gateway.domain.confirmation import Asked, AskedRecipient, Wish
from gateway.domain.errors import NotAllowed, Tampered
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.confirmations import asked_key, has_due, is_news, open_asked, seal_asked
from gateway.store.database import Database
from gateway.store.hastening import hasten
from gateway.store.ids import new_id
from gateway.store.messages import is_shown_to, last_activity, message_row, messages_of_case, unread_counts
from gateway.store.outbox import OutboxState
from tests.timed import DELAYED, DELIVERED, REFUSED, Timed

KEY = asked_key(b"r" * 32)
SENDER = "dana@agency.example"
Told = list[tuple[str, dict[str, Any]]]


def send(
    timed: Timed, *to: str, wish: Wish = Wish.EACH, delay_minutes: int = 0, notify: str = "", displayed: bool = False
) -> str:
    """Post a message of dana's as the submission door does; return its id."""
    case_id = timed.site.tour["case"]
    key = timed.database.read_now(lambda c: case_sealing_key(c, timed.authority, case_id))
    sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
    people = tuple(timed.people[name] for name in to or ("ines", "raul"))
    asked = Asked(
        "<one@agency.example>", SENDER, "QQ1" if notify else "",
        tuple(AskedRecipient(frozenset(notify.split(",")), "", (one,)) for one in people) if notify else (), displayed,
    )  # fmt: skip
    posting = Posting(
        sealed, case_id, timed.people["dana"], tuple(Served(one, "to") for one in people),
        asked=seal_asked(KEY, sealed.id, wish, asked), delay_us=delay_minutes * 60_000_000,
    )  # fmt: skip
    timed.database.call(post, timed.authority, posting)
    return sealed.id


def plan(timed: Timed) -> None:
    now_us = int(timed.time().timestamp() * 1_000_000)
    while timed.notifier.read_now(has_due, now_us):
        timed.notifier.call(release_due, timed.authority)
        timed.notifier.call(plan_confirmations, timed.authority, KEY, timed.programmes)


def rows(timed: Timed, *kinds: NoticeKind) -> Sequence[Row[Any]]:
    table = tables.outbox
    wanted = select(table).where(table.c.kind.in_([one.value for one in kinds])).order_by(table.c.id)
    return timed.database.read_now(lambda c: c.execute(wanted).all())


def told(timed: Timed) -> Told:
    """Plan, and return what the author is told."""
    plan(timed)
    own = [one for one in NoticeKind if one.is_confirmation]
    return [(row.kind, json.loads(row.fields)) for row in rows(timed, *own)]


def test_a_message_is_confirmed_once_with_how_many_people_are_notified(timed: Timed) -> None:
    send(timed)
    found = told(timed)
    assert [(kind, fields["count"]) for kind, fields in found] == [("confirmation", 2)]
    assert "until_us" not in found[0][1]
    assert told(timed) == found


def test_who_wants_no_confirmation_and_asked_for_nothing_has_no_row(timed: Timed) -> None:
    timed.post()
    assert not timed.database.read_now(lambda c: c.execute(select(tables.confirmation)).all())
    assert told(timed) == []


def test_the_first_reading_is_told_with_its_instant_then_only_that_all_have_read(timed: Timed) -> None:
    message_id = send(timed)
    told(timed)
    timed.time.pass_by(hours=2)
    read_us = int(timed.time().timestamp() * 1_000_000)
    timed.open("ines", message_id)
    first = told(timed)[1:]
    assert [(kind, one["reads"], one["count"], one["until_us"]) for kind, one in first] == [
        ("message_read", 1, 2, read_us)
    ]
    timed.open("ines", message_id)
    assert len(told(timed)) == 2
    timed.time.pass_by(hours=1)
    timed.open("raul", message_id)
    assert [one["reads"] for kind, one in told(timed) if kind == "message_read"] == [1, 2]


def test_a_colleague_who_reads_is_not_the_other_side(timed: Timed) -> None:
    message_id = send(timed, "ines", "omar")
    timed.open("omar", message_id)
    assert [kind for kind, _ in told(timed)] == ["confirmation"]


def test_a_daily_digest_comes_once_at_its_time_with_numbers_alone(timed: Timed) -> None:
    first = send(timed, wish=Wish.DAILY)
    send(timed, wish=Wish.DAILY)
    timed.open("ines", first)
    assert told(timed) == []
    timed.time.set("2026-03-02T17:00")
    ((kind, fields),) = told(timed)
    assert (kind, fields["count"], fields["reads"]) == ("daily_digest", 2, 1)
    assert "reference" not in fields
    assert len(told(timed)) == 1
    timed.open("raul", first)
    timed.time.set("2026-03-03T18:00")
    assert len(told(timed)) == 1  # a second reader of the same message is no news
    third = send(timed, wish=Wish.DAILY)
    timed.open("ines", third)
    plan(timed)
    timed.time.set("2026-03-04T17:01")
    assert told(timed)[-1][1]["count"] == 1


def test_a_digest_tells_of_all_however_many_are_looked_at_together(timed: Timed) -> None:
    for _ in range(5):
        send(timed, wish=Wish.DAILY)
    plan(timed)
    timed.time.set("2026-03-02T17:00")
    for _ in range(5):
        timed.notifier.call(plan_confirmations, timed.authority, KEY, timed.programmes, at_once=2)
    assert [(kind, fields["count"]) for kind, fields in told(timed)] == [("daily_digest", 5)]


def test_a_clock_that_was_ahead_puts_off_no_digest_and_no_release(timed: Timed) -> None:
    digest = send(timed, wish=Wish.DAILY)
    timed.time.pass_by(days=300)
    timed.database.call(is_news, [digest])
    held = send(timed, wish=Wish.NEVER, delay_minutes=30)
    assert told(timed) == []
    timed.time.pass_by(days=-300)
    timed.notifier.call(hasten, 3600 * 1_000_000)
    timed.time.pass_by(minutes=29)
    plan(timed)
    wanted = select(tables.message.c.held_until_us).where(tables.message.c.id == held)
    assert timed.database.read_now(lambda c: c.execute(wanted).scalar_one()) is not None
    timed.time.pass_by(minutes=1)
    plan(timed)
    assert timed.database.read_now(lambda c: c.execute(wanted).scalar_one()) is None
    timed.time.set("2026-03-02T17:00")
    assert [kind for kind, _ in told(timed)] == ["daily_digest"]


def test_reports_are_sent_of_whom_they_are_asked_and_of_what_was_asked(timed: Timed) -> None:
    send(timed, wish=Wish.NEVER, notify="SUCCESS,FAILURE")
    plan(timed)
    first, second = sorted(timed.claim(), key=lambda one: timed.people["ines"] != one.person_id)
    timed.settle(first)
    ((kind, fields),) = told(timed)
    assert (kind, fields["report"], fields["state"]) == ("delivery_report", "delivered:0", "host_accepted")
    timed.settle(second, REFUSED)
    assert [one["report"] for _, one in told(timed)] == ["delivered:0", "failed:1"]
    assert [kind for kind, _ in told(timed)] == ["delivery_report"] * 2


def test_what_was_not_asked_is_not_reported(timed: Timed) -> None:
    send(timed, wish=Wish.NEVER, notify="FAILURE")
    plan(timed)
    for entry in timed.claim():
        timed.settle(entry)
    assert told(timed) == []


def test_a_notice_that_waits_for_hours_is_reported_as_delayed_once(timed: Timed) -> None:
    send(timed, "ines", wish=Wish.NEVER, notify="DELAY,SUCCESS")
    plan(timed)
    (entry,) = timed.claim()
    late_us = int(timed.time().timestamp() * 1_000_000) + 6 * 3600 * 1_000_000
    timed.settle(entry, DELAYED, late_us)
    assert told(timed) == []
    timed.time.pass_by(hours=4)
    assert [one["report"] for _, one in told(timed)] == ["delayed:0"]
    timed.time.pass_by(hours=2)
    (entry,) = [one for one in timed.claim() if one.kind is NoticeKind.MESSAGE_WAITING]
    timed.settle(entry)
    assert [one["report"] for _, one in told(timed)] == ["delayed:0", "delivered:0"]


def test_a_receipt_goes_to_the_mail_tool_that_asked_and_once(timed: Timed) -> None:
    message_id = send(timed, wish=Wish.NEVER, displayed=True)
    assert told(timed) == []
    timed.open("raul", message_id)
    timed.open("ines", message_id)
    assert [kind for kind, _ in told(timed)] == ["read_receipt"]


def test_who_has_lost_the_case_is_told_nothing_more(timed: Timed) -> None:
    message_id = send(timed)
    told(timed)
    timed.site.enact("end_person", person=timed.people["dana"])
    timed.open("ines", message_id)
    assert [kind for kind, _ in told(timed)] == ["confirmation"]


def test_notices_of_trouble_stand_in_the_thread_too(timed: Timed) -> None:
    send(timed, "ines")
    plan(timed)
    for entry in timed.claim():
        timed.settle(entry, REFUSED if entry.kind is NoticeKind.MESSAGE_WAITING else DELIVERED)
    (trouble,) = timed.claim()
    assert trouble.kind is NoticeKind.DELIVERY_FAILED
    assert open_asked(KEY, trouble.message_id or "", trouble.asked).message_id == "<one@agency.example>"


def test_what_was_asked_is_sealed_to_its_message(timed: Timed) -> None:
    first, second = send(timed), send(timed)
    sealed = timed.database.read_now(
        lambda c: c.execute(select(tables.confirmation.c.sealed).where(tables.confirmation.c.message_id == first))
    ).scalar_one()
    assert b"agency" not in bytes(sealed)
    with pytest.raises(Tampered):
        open_asked(KEY, second, bytes(sealed))


def test_a_row_that_was_tampered_with_stops_no_other(timed: Timed) -> None:
    first = send(timed)
    send(timed)
    broken = update(tables.confirmation).where(tables.confirmation.c.message_id == first).values(sealed=b"x" * 40)
    timed.database.call(lambda tx: tx.execute(broken))
    assert [kind for kind, _ in told(timed)] == ["confirmation"]


def view(timed: Timed, message_id: str) -> dict[str, Any]:
    """Everything by which the other side could see a message."""
    case_id, ines = timed.site.tour["case"], timed.people["ines"]

    def look(c: Any) -> Mapping[str, Any]:
        side = Side.CORRESPONDENT
        row = message_row(c, message_id)
        listed = [one.id for one in messages_of_case(c, case_id, side)]
        return {
            "listed": listed.count(message_id),
            "opened": is_shown_to(row, side),
            "unread": unread_counts(c, ines, [case_id]).get(case_id, 0),
            "activity": bool(last_activity(c, [case_id], side)),
        }

    return dict(timed.database.read_now(look))


NOTHING = {"listed": 0, "opened": False, "unread": 0, "activity": False}
ALL = {"listed": 1, "opened": True, "unread": 1, "activity": True}


def test_a_message_that_waits_is_confirmed_at_once_and_seen_by_nobody_until_it_is_released(timed: Timed) -> None:
    message_id = send(timed, delay_minutes=10)
    until_us = int(timed.time().timestamp() * 1_000_000) + 600_000_000
    assert [(kind, one["until_us"]) for kind, one in told(timed)] == [("confirmation", until_us)]
    assert view(timed, message_id) == NOTHING
    timed.time.pass_by(minutes=9, seconds=59)
    plan(timed)
    assert view(timed, message_id) == NOTHING
    assert not rows(timed, NoticeKind.MESSAGE_WAITING)
    timed.time.pass_by(seconds=1)
    assert view(timed, message_id) == NOTHING  # until it is released, whatever the clock says
    plan(timed)
    assert view(timed, message_id) == ALL
    assert len(rows(timed, NoticeKind.MESSAGE_WAITING)) == 2
    plan(timed)
    assert len(rows(timed, NoticeKind.MESSAGE_WAITING)) == 2


def test_its_own_side_sees_what_waits(timed: Timed) -> None:
    message_id = send(timed, delay_minutes=10)
    case_id = timed.site.tour["case"]
    listed = timed.database.read_now(messages_of_case, case_id, Side.OFFICE)
    assert [row.id for row in listed] == [message_id]


def test_withdrawn_while_it_waits_it_leaves_no_trace(timed: Timed) -> None:
    message_id = send(timed, delay_minutes=10)
    plan(timed)
    done = timed.database.call(withdraw, timed.authority, timed.people["dana"], message_id)
    assert (done.was_held, done.opened) == (True, 0)
    timed.time.pass_by(days=30)
    plan(timed)
    assert view(timed, message_id) == NOTHING
    assert not rows(timed, NoticeKind.MESSAGE_WAITING, NoticeKind.REMINDER)
    assert "reminder" not in {kind for _, kind, _ in timed.told()}


def test_reminders_count_from_the_release(timed: Timed) -> None:
    message_id = send(timed, "ines", delay_minutes=10)
    owed = select(tables.recipient.c.remind_us).where(tables.recipient.c.message_id == message_id)
    assert timed.database.read_now(lambda c: c.execute(owed).scalar_one()) is None
    timed.time.pass_by(minutes=10)
    plan(timed)
    assert timed.database.read_now(lambda c: c.execute(owed).scalar_one()) > 0


def test_what_was_released_late_is_reminded_of_and_owed_as_of_its_release(timed: Timed) -> None:
    send(timed, "ines", delay_minutes=6 * 24 * 60)
    timed.time.pass_by(days=6)
    plan(timed)
    released = timed.time.now
    told_on = {kind: day for day, _, kind, _ in reversed(timed.days("2026-03-20"))}
    first, last = (f"{released + timedelta(days=days):%m-%d}" for days in (2, 8))
    assert (told_on["reminder"][:5], told_on["not_read"][:5]) == (first, last)


def test_a_notice_is_late_by_when_its_message_was_released(timed: Timed) -> None:
    send(timed, "ines", wish=Wish.NEVER, notify="DELAY", delay_minutes=5 * 60)
    timed.time.pass_by(hours=5)
    plan(timed)
    (entry,) = timed.claim()
    timed.settle(entry, DELAYED, int(timed.time().timestamp() * 1_000_000) + 6 * 3600 * 1_000_000)
    assert told(timed) == []
    timed.time.pass_by(hours=4)
    assert [one["report"] for _, one in told(timed)] == ["delayed:0"]


def test_who_lost_their_place_while_it_waited_is_not_told(timed: Timed) -> None:
    send(timed, delay_minutes=10)
    timed.site.enact("end_person", person=timed.people["raul"])
    timed.time.pass_by(minutes=10)
    plan(timed)
    assert [row.person_id for row in rows(timed, NoticeKind.MESSAGE_WAITING)] == [timed.people["ines"]]


def answer(timed: Timed, name: str = "dana") -> NoticeState:
    (row, *_) = rows(timed, NoticeKind.CONFIRMATION)
    return timed.database.call(withdraw_by_answer, timed.authority, timed.people[name], row.id)


def answers(timed: Timed) -> list[tuple[str, int]]:
    found = [json.loads(row.fields) for row in rows(timed, NoticeKind.WITHDRAWAL)]
    return [(one["state"], one["reads"]) for one in found]


def test_an_answer_withdraws_what_nobody_has_opened_and_says_so(timed: Timed) -> None:
    message_id = send(timed)
    plan(timed)
    assert answer(timed) is NoticeState.WITHDRAWN_UNREAD
    assert answer(timed) is NoticeState.WITHDRAWN_BEFORE
    assert answers(timed) == [("withdrawn_unread", 0), ("withdrawn_before", 0)]
    assert view(timed, message_id)["listed"] == 0
    states = {row.state for row in rows(timed, NoticeKind.MESSAGE_WAITING)}
    assert states == {OutboxState.WITHHELD.value}


def test_an_answer_after_reading_says_how_many_had_read_and_never_who(timed: Timed) -> None:
    message_id = send(timed)
    plan(timed)
    timed.open("ines", message_id)
    assert answer(timed) is NoticeState.WITHDRAWN_AFTER_READING
    assert answers(timed) == [("withdrawn_after_reading", 1)]


def test_an_answer_while_it_waits_says_that_there_is_no_trace(timed: Timed) -> None:
    send(timed, delay_minutes=5)
    plan(timed)
    assert answer(timed) is NoticeState.WITHDRAWN_NO_TRACE


@pytest.mark.parametrize("program", ["submission", "portal"])
def test_the_programs_that_withdraw_may_do_all_of_it(timed: Timed, store_url: str, program: str) -> None:
    message_id = send(timed)
    plan(timed)
    timed.open("ines", message_id)
    (row, *_) = rows(timed, NoticeKind.CONFIRMATION)
    database = Database(store_url, clock=timed.time, program=program)
    if program == "portal":
        done = database.call(withdraw, timed.authority, timed.people["dana"], message_id)
        assert done.opened == 1
    else:
        state = database.call(withdraw_by_answer, timed.authority, timed.people["dana"], row.id)
        assert state is NoticeState.WITHDRAWN_AFTER_READING
    database.close()


@pytest.mark.parametrize("name", ["omar", "eve"])
def test_nobody_withdraws_anothers_message_by_its_confirmation(timed: Timed, name: str) -> None:
    message_id = send(timed)
    plan(timed)
    assert answer(timed, name) is NoticeState.NOT_WITHDRAWN
    (row,) = rows(timed, NoticeKind.WITHDRAWAL)
    assert (row.person_id, row.message_id, "reference" in row.fields) == (timed.people[name], None, False)
    assert view(timed, message_id) == ALL


def test_a_team_of_which_nobody_says_who_wrote_does_not_withdraw_for_one_of_it(timed: Timed) -> None:
    message_id = send(timed)
    plan(timed)
    (row,) = rows(timed, NoticeKind.CONFIRMATION)
    teams = select(tables.team.c.id).where(tables.team.c.address == "desk@agency.example")
    team = timed.database.read_now(lambda c: c.execute(teams).scalar_one())
    said = timed.database.call(withdraw_by_answer, timed.authority, timed.people["dana"], row.id, team)
    assert said is NoticeState.NOT_WITHDRAWN
    nameless = update(tables.message).where(tables.message.c.id == message_id).values(author_id=None, team_id=team)
    timed.database.call(lambda tx: tx.execute(nameless))
    said = timed.database.call(withdraw_by_answer, timed.authority, timed.people["omar"], row.id, team)
    assert said is NoticeState.WITHDRAWN_UNREAD


def test_an_answer_to_what_told_of_no_message_is_refused(timed: Timed) -> None:
    with pytest.raises(NotAllowed):
        timed.database.call(withdraw_by_answer, timed.authority, timed.people["dana"], "0" * 32)
