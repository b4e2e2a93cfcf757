"""The author's word on a message that the wrong client guard holds, with the clock in the test's hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.guard_answers import plan_waits, say_yes, say_yes_as_operator, say_yes_by_answer
from gateway.casework.guarding import Look, settle_look
from gateway.casework.releasing import release_due
from gateway.casework.sealed import SealedMessage
from gateway.casework.withdrawing import withdraw
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.guard import figures, is_due, waiting_for_word
from gateway.store.ids import new_id
from tests.timed import Timed

OVERDUE_US = 3600 * 1_000_000


def paper(timed: Timed, number: str, user: str) -> str:
    """A paper of this designated user's agreement with this number; return the number's blind index."""
    blind = timed.site.authority.blind("cwa", number)
    agreement, form_id = timed.site.users[user]["agreement"], new_id()

    def write(tx: Any) -> None:
        tx.insert(tables.form, id=form_id, agreement_id=agreement, designated_user_id=None, kind="consent",
                  received="2026-01-05", created_us=tx.now_us)  # fmt: skip
        tx.insert(tables.form_field, form_id=form_id, key="agent-tin", blind=blind)

    timed.database.call(write)
    return blind


def send(timed: Timed, *to: str) -> str:
    case_id = timed.site.tour["case"]
    key = timed.database.read_now(lambda c: case_sealing_key(c, timed.authority, case_id))
    sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
    served = tuple(Served(timed.people[name], "to") for name in to or ("ines",))
    posting = Posting(sealed, case_id, timed.people["dana"], served, is_guarded=True)
    timed.database.call(post, timed.authority, posting)
    return sealed.id


def held(timed: Timed) -> str:
    """A message of dana's with a number of the season, which is another case of hers, as the look leaves it."""
    timed.site.add_user("olga", [timed.site.season["reference"]], "act")
    message = send(timed)
    timed.database.call(settle_look, timed.authority, Look(message, (paper(timed, "667113456", "olga"),)))
    return message


def plan(timed: Timed) -> None:
    while timed.notifier.read_now(is_due, int(timed.time().timestamp() * 1_000_000), OVERDUE_US):
        timed.notifier.call(plan_waits, timed.authority, OVERDUE_US)
    timed.notifier.call(release_due, timed.authority)


def told(timed: Timed) -> list[tuple[str, str]]:
    """Plan what is due; return what was put into the outbox so far for dana, and for ines."""
    plan(timed)
    kinds = {NoticeKind.GUARD_WAITS, NoticeKind.GUARD_ANSWER, NoticeKind.MESSAGE_WAITING}
    return [(row.kind, json.loads(row.fields).get("state", "")) for row in timed.rows() if row.kind in kinds]


def answers(timed: Timed) -> list[str]:
    wanted = select(tables.leaf.c.body).where(tables.leaf.c.kind == "guard-answered").order_by(tables.leaf.c.id)
    bodies = timed.database.read_now(lambda c: list(c.execute(wanted).scalars()))
    return [json.loads(body)["facts"]["answer"] for body in bodies]


ASKED, UNLOOKED = ("guard_waits", "guard_another_case"), ("guard_waits", "guard_not_looked_at")


def test_who_does_not_answer_is_told_again_and_in_the_end_it_is_never_sent(timed: Timed) -> None:
    held(timed)
    assert told(timed) == [ASKED]
    for days, times in ((1, 2), (1, 2), (1, 3), (3, 3)):
        timed.time.pass_by(days=days)
        assert told(timed) == [ASKED] * times
    timed.time.pass_by(days=1)
    assert told(timed) == [*[ASKED] * 3, ("guard_answer", "guard_run_out")]
    timed.time.pass_by(days=30)
    assert (len(told(timed)), answers(timed)) == (4, ["run-out"])


def test_a_yes_of_the_author_releases_once_and_nobody_elses_does(timed: Timed) -> None:
    message = held(timed)
    for name in ("omar", "eve", "ines"):
        said = timed.database.call(say_yes, timed.authority, timed.people[name], message)
        assert said is NoticeState.GUARD_NOT_RELEASED
    assert told(timed) == [ASKED]
    for state in (NoticeState.GUARD_RELEASED, NoticeState.GUARD_NOT_HELD):
        assert timed.database.call(say_yes, timed.authority, timed.people["dana"], message) is state
    assert told(timed) == [ASKED, ("message_waiting", "")]
    assert (len(told(timed)), answers(timed)) == (2, ["yes"])


def test_withdrawn_it_never_goes_and_a_later_yes_changes_nothing(timed: Timed) -> None:
    message = held(timed)
    done = timed.database.call(withdraw, timed.authority, timed.people["omar"], message)
    assert done.was_held
    assert timed.database.call(say_yes, timed.authority, timed.people["dana"], message) is NoticeState.GUARD_NOT_HELD
    timed.time.pass_by(days=10)
    assert (told(timed), answers(timed)) == ([ASKED], [])
    wait = timed.database.read_now(lambda c: c.execute(select(tables.guard_wait)).one())
    assert (wait.answer, wait.answered_by) == ("withdrawn", timed.people["omar"])


def test_an_answer_to_the_notice_is_the_same_yes_and_is_told_of(timed: Timed) -> None:
    held(timed)
    (notice,) = [row for row in timed.rows() if row.kind == NoticeKind.GUARD_WAITS]
    for name, state in (("eve", "not_released"), ("dana", "released"), ("dana", "not_held")):
        said = timed.database.call(say_yes_by_answer, timed.authority, timed.people[name], notice.id)
        assert said.value == f"guard_{state}"
    (first, *_) = [row for row in timed.rows() if row.kind == NoticeKind.GUARD_ANSWER]
    assert (first.person_id, first.case_id, first.message_id) == (timed.people["eve"], None, None)


def test_a_team_of_which_nobody_says_who_wrote_does_not_answer_for_one_of_it(timed: Timed) -> None:
    message = held(timed)
    (notice,) = [row for row in timed.rows() if row.kind == NoticeKind.GUARD_WAITS]
    teams = select(tables.team.c.id).where(tables.team.c.address == "desk@agency.example")
    team = timed.database.read_now(lambda c: c.execute(teams).scalar_one())
    said = timed.database.call(say_yes_by_answer, timed.authority, timed.people["dana"], notice.id, team)
    assert said is NoticeState.GUARD_NOT_RELEASED
    nameless = update(tables.message).where(tables.message.c.id == message).values(author_id=None, team_id=team)
    timed.database.call(lambda tx: tx.execute(nameless))
    said = timed.database.call(say_yes_by_answer, timed.authority, timed.people["omar"], notice.id, team)
    assert said is NoticeState.GUARD_RELEASED


def test_an_operator_lets_one_go_whose_author_is_away(timed: Timed) -> None:
    held(timed)
    (row,) = timed.database.read_now(waiting_for_word)
    assert timed.database.call(say_yes_as_operator, row.reference, "operator")
    assert not timed.database.call(say_yes_as_operator, row.reference, "operator")
    assert told(timed)[-1] == ("message_waiting", "")


def test_who_has_lost_the_case_releases_nothing(timed: Timed) -> None:
    message = held(timed)
    timed.site.enact("end_person", person=timed.people["dana"])
    said = timed.database.call(say_yes, timed.authority, timed.people["dana"], message)
    assert said is NoticeState.GUARD_NOT_RELEASED


def test_that_a_leavers_message_is_never_sent_is_told_to_who_works_on_the_case(timed: Timed) -> None:
    held(timed)
    timed.site.enact("end_person", person=timed.people["dana"])
    timed.time.pass_by(days=8)
    assert told(timed)[-1] == ("guard_answer", "guard_run_out")
    answered = [row.person_id for row in timed.rows() if row.kind == NoticeKind.GUARD_ANSWER]
    assert answered == [timed.people["omar"]]


def test_what_nobody_can_look_at_is_left_to_its_author_and_a_later_look_still_releases_it(timed: Timed) -> None:
    message = send(timed)
    timed.time.pass_by(minutes=59)
    assert told(timed) == []
    timed.time.pass_by(minutes=2)
    assert told(timed) == [UNLOOKED]
    now_us = int(timed.time().timestamp() * 1_000_000)
    assert timed.database.read_now(figures, now_us) == (1, 3660, 1)
    timed.database.call(settle_look, timed.authority, Look(message))
    assert told(timed) == [UNLOOKED, ("message_waiting", "")]
    timed.time.pass_by(days=8)
    assert len(told(timed)) == 2


def test_a_number_of_both_cases_or_of_a_case_that_is_not_the_authors_holds_nothing(timed: Timed) -> None:
    timed.site.add_user("olga", [timed.site.season["reference"]], "act")
    strange = timed.site.enact("open_case", programme="cwa", series="SM", trial=True, person="eve")
    timed.site.add_user("sven", [strange["reference"]], "act")
    both = paper(timed, "536221188", "ines")
    paper(timed, "536221188", "olga")
    theirs = paper(timed, "219099998", "sven")
    message = send(timed)
    timed.database.call(settle_look, timed.authority, Look(message, (both, theirs)))
    assert told(timed) == [("message_waiting", "")]


def test_a_message_among_colleagues_is_not_guarded(timed: Timed) -> None:
    message = send(timed, "omar")
    guard = select(tables.message.c.guard, tables.message.c.held_until_us).where(tables.message.c.id == message)
    assert timed.database.read_now(lambda c: tuple(c.execute(guard).one())) == (None, None)


@pytest.mark.parametrize("times", [2])
def test_a_look_that_is_settled_twice_counts_once(timed: Timed, times: int) -> None:
    message = held(timed)
    for _ in range(times):
        assert timed.database.call(settle_look, timed.authority, Look(message)) is None
    assert told(timed) == [ASKED]
