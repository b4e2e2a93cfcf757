"""Replies that nobody has opened: who is told, when, how often, and what ends it; over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from gateway.casework.unopened import tell_unopened
from gateway.domain.notice import NoticeKind
from gateway.store import tables
from gateway.store.outbox import OutboxState
from gateway.store.unopened import opened
from tests.timed import DELAYED, Timed

DAY = {"hours": 24}


@pytest.fixture(autouse=True)
def _supervised(timed: Timed) -> None:
    """Vera supervises the team of both cases, beside dana and omar."""
    made = timed.site.enact(
        "add_employee", programme="cwa", name="Vera", address="vera@agency.example", username="vera"
    )
    timed.people["vera"] = made["person"]
    timed.site.enact("add_team_member", team="desk@agency.example", person=made["person"], supervisor=True)


def told(timed: Timed) -> list[str]:
    """Plan and deliver what is due; return who was told that a reply is unopened."""
    while timed.notifier.call(tell_unopened, timed.authority, timed.programmes):
        pass
    return [name for name, kind, _ in timed.told() if kind == NoticeKind.UNOPENED]


def reply(timed: Timed) -> str:
    message = timed.post("dana", author="ines")
    timed.told()
    return message


def open_(timed: Timed, message: str) -> None:
    """Do what an opening by somebody of the office does in the keyholder."""
    timed.database.call(opened, message)


def test_the_team_and_its_supervisor_are_told_after_a_day_and_the_supervisor_again(timed: Timed) -> None:
    reply(timed)
    found = []
    for _ in range(0, 10 * 24, 6):
        timed.time.pass_by(hours=6)
        found += [(timed.time.now.isoformat()[8:13], one) for one in told(timed)]
    assert found == [("03T15", "dana"), ("03T15", "omar"), ("03T15", "vera"), ("05T15", "vera")]


def test_what_is_opened_in_time_is_told_to_nobody(timed: Timed) -> None:
    message = reply(timed)
    timed.time.pass_by(hours=23)
    assert told(timed) == []
    open_(timed, message)
    timed.time.pass_by(days=9)
    assert told(timed) == []


def test_opened_after_the_first_time_it_goes_no_further(timed: Timed) -> None:
    message = reply(timed)
    timed.time.pass_by(**DAY)
    assert told(timed) == ["dana", "omar", "vera"]
    open_(timed, message)
    timed.time.pass_by(days=9)
    assert told(timed) == []


def test_what_is_opened_while_its_notice_waits_or_is_delayed_is_withheld(timed: Timed) -> None:
    message = reply(timed)
    timed.time.pass_by(**DAY)
    timed.notifier.call(tell_unopened, timed.authority, timed.programmes)
    first, *_ = timed.claim(1)
    assert timed.settle(first, DELAYED, first.lease_us)
    open_(timed, message)
    timed.time.pass_by(hours=1)
    assert timed.claim() == []
    states = [OutboxState(row.state) for row in timed.rows() if row.kind == NoticeKind.UNOPENED]
    assert states == [OutboxState.WITHHELD] * 3


@pytest.mark.parametrize("ended", ["withdrawn", "closed", "answered"])
def test_withdrawn_closed_or_answered_by_mail_it_is_told_to_nobody(ended: str, timed: Timed) -> None:
    message = reply(timed)
    if ended == "withdrawn":
        timed.change(tables.message, message, withdrawn_us=1)
    elif ended == "closed":
        of_tour = update(tables.case).where(tables.case.c.id == timed.site.tour["case"])
        timed.database.call(lambda tx: tx.execute(of_tour.values(closed_us=1)))
    else:
        timed.time.pass_by(hours=1)
        timed.post("ines", author="omar")
        timed.told()
    timed.time.pass_by(days=4)
    assert told(timed) == []


def test_a_notifier_that_was_away_tells_each_reply_once(timed: Timed) -> None:
    reply(timed)
    timed.time.pass_by(days=30)
    assert told(timed) == ["dana", "omar", "vera"]
    timed.time.pass_by(days=30)
    assert told(timed) == []


def test_a_clock_set_back_tells_nothing_twice(timed: Timed) -> None:
    reply(timed)
    timed.time.pass_by(**DAY)
    assert len(told(timed)) == 3
    timed.time.pass_by(hours=-30)
    assert told(timed) == []
    timed.time.pass_by(hours=31)
    assert told(timed) == []


def test_a_case_of_one_employee_goes_to_their_team_and_supervisor(timed: Timed) -> None:
    timed.site.enact("unassign", case=timed.site.tour["case"], team="desk@agency.example")
    timed.site.enact("assign", case=timed.site.tour["case"], person=timed.people["dana"])
    reply(timed)
    timed.time.pass_by(**DAY)
    assert told(timed) == ["dana", "omar", "vera"]


def test_who_has_left_is_not_told(timed: Timed) -> None:
    reply(timed)
    timed.site.enact("end_person", person=timed.people["omar"])
    timed.time.pass_by(**DAY)
    assert told(timed) == ["dana", "vera"]


@pytest.mark.parametrize("hours", [(), (1,)])
def test_a_programme_says_when(hours: tuple[int, ...], timed: Timed) -> None:
    programme = timed.programmes["cwa"]
    timed.programmes["cwa"] = replace(programme, timing=replace(programme.timing, unopened_hours=hours))
    reply(timed)
    timed.time.pass_by(hours=1)
    assert told(timed) == (["dana", "omar", "vera"] if hours else [])
    timed.time.pass_by(days=9)
    assert told(timed) == []


def test_what_an_employee_wrote_is_not_watched(timed: Timed) -> None:
    timed.post("ines")
    timed.told()
    timed.time.pass_by(days=2)
    assert told(timed) == []
