"""What programs may write of the wrong client guard's marks, held to the verbs that they run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from gateway.casework.guard_answers import plan_waits, say_yes
from gateway.casework.guarding import Look, settle_look
from gateway.casework.withdrawing import withdraw
from gateway.domain.notice import NoticeState
from gateway.store import tables
from gateway.store.database import Database
from tests.contract.test_guard import OVERDUE_US, held, paper, send
from tests.contract.test_privileges import is_refused, open_as
from tests.timed import Timed

__all__ = ["open_as"]
TAKERS = pytest.mark.parametrize("program", ["submission", "portal"])
OpenAs = Callable[[str], Database]


def mark(timed: Timed, message_id: str) -> str | None:
    wanted = select(tables.message.c.guard).where(tables.message.c.id == message_id)
    return timed.database.read_now(lambda c: c.execute(wanted).scalar_one())


@TAKERS
def test_a_yes_and_a_withdrawal_take_the_mark_away(timed: Timed, open_as: OpenAs, program: str) -> None:
    asked, unlooked, own = held(timed), send(timed), open_as(program)
    assert (mark(timed, asked), mark(timed, unlooked)) == ("answer", "look")
    assert own.call(say_yes, timed.authority, timed.people["dana"], asked) is NoticeState.GUARD_RELEASED
    assert own.call(say_yes, timed.authority, timed.people["dana"], asked) is NoticeState.GUARD_NOT_HELD
    assert own.call(withdraw, timed.authority, timed.people["omar"], unlooked).was_held
    assert (mark(timed, asked), mark(timed, unlooked)) == (None, None)


@TAKERS
def test_who_takes_these_words_sets_no_mark_and_takes_none_away(timed: Timed, open_as: OpenAs, program: str) -> None:
    message, wait = tables.message, tables.guard_wait
    asked, unlooked, own = held(timed), send(timed), open_as(program)
    of = {"message_id": unlooked, "since_us": 1, "reminded": 0, "answer": "yes"}
    for statement in (
        update(message).where(message.c.id == unlooked).values(guard=None),
        update(message).where(message.c.id == asked).values(guard="look"),
        update(wait).values(since_us=0),
        insert(wait).values(of),
    ):
        with pytest.raises(DBAPIError) as refused:
            own.call(lambda tx, one=statement: tx.execute(one))
        assert is_refused(refused.value)
    own.call(lambda tx: tx.execute(update(wait).where(wait.c.message_id == asked).values(answer="looked-at")))
    assert (mark(timed, asked), mark(timed, unlooked)) == ("answer", "look")


def test_the_notifier_and_the_keyholder_write_what_their_verbs_do(timed: Timed, open_as: OpenAs) -> None:
    message, looked = send(timed), send(timed)
    timed.site.add_user("olga", [timed.site.season["reference"]], "act")
    blind = paper(timed, "667113456", "olga")
    timed.time.pass_by(minutes=61)
    assert timed.notifier.call(plan_waits, timed.authority, OVERDUE_US) == 2
    keyholder = open_as("keyholder")
    keyholder.call(settle_look, timed.authority, Look(looked))
    keyholder.call(settle_look, timed.authority, Look(message, (blind,)))
    assert (mark(timed, message), mark(timed, looked)) == ("answer", None)
    timed.time.pass_by(days=1)
    assert timed.notifier.call(plan_waits, timed.authority, OVERDUE_US) == 1
    timed.time.pass_by(days=7)
    assert timed.notifier.call(plan_waits, timed.authority, OVERDUE_US) == 1
    assert mark(timed, message) is None
