"""The author's word on a message that the wrong client guard holds, and the notifier's waiting for it.

A yes releases it once; withdrawn it never goes; who does not answer is told again, and in the end it is not sent. Each
answer is entered. A colleague's yes counts nothing: who wrote it knows what belongs in it. Where the author has left,
the successor has the cases, and the word. Whoever may withdraw may withdraw it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, select, update

from gateway.casework.guard_asking import ask, authors_of, tell
from gateway.domain.errors import NotAllowed
from gateway.domain.guard import OVERDUE_US, REMIND_US, RUN_OUT_US, Answer, Guarded
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.rights import Side, Verb
from gateway.failpoints import failpoint
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id, office, standing
from gateway.store.guard import answer_wait, due_waits, overdue
from gateway.store.outbox import NOTIFIER, put
from gateway.store.reminders import take_turns
from gateway.store.tables import case, guard_wait, message, outbox
from gateway.store.transaction import Transaction

AT_ONCE: Final = 100
_ASKED: Final = (Guarded.ANSWER.value, Guarded.OVERDUE.value)
_NOTHING = "There is no such message here, or it is not yours to release."


def say_yes(
    tx: Transaction, key: AuthorityKey, person_id: str, message_id: str, *, by_team: str | None = None
) -> NoticeState:
    """Let a message go that waits for this person's word; return what became of it: released, not held (any more), or
    not released, as it is not theirs, or their case is closed or not theirs now.

    `by_team` is the team that said it where nobody says who of it: then `person_id` is any member.
    """
    row = tx.one(_HELD.where(message.c.id == message_id).with_for_update())
    if row is None or row.case_id is None or person_id not in authors_of(tx.connection, key, row, tx.now_us):
        return NoticeState.GUARD_NOT_RELEASED
    if by_team is not None and (row.author_id is not None or row.team_id != by_team):
        return NoticeState.GUARD_NOT_RELEASED
    if row.guard not in _ASKED:
        return NoticeState.GUARD_NOT_HELD
    place = standing(tx.connection, key, row.case_id, person_id, tx.now_us)
    within = case_by_id(tx.connection, row.case_id)
    is_open = within is not None and within.is_open
    if place is None or place.side is not Side.OFFICE or not place.may(Verb.WRITE, is_open=is_open):
        return NoticeState.GUARD_NOT_RELEASED
    return NoticeState.GUARD_RELEASED if _let_go(tx, row, person_id) else NoticeState.GUARD_NOT_HELD


def say_yes_by_answer(
    tx: Transaction, key: AuthorityKey, person_id: str, outbox_id: str, by_team: str | None = None
) -> NoticeState:
    """Do what `say_yes` does for the message that a notice told of, and tell by mail what became of it."""
    told = select(outbox.c.message_id, message.c.case_id, message.c.reference, case.c.programme)
    of_notice = told.join(message, message.c.id == outbox.c.message_id).join(case, case.c.id == message.c.case_id)
    row = tx.one(of_notice.where(outbox.c.id == outbox_id))
    if row is None:
        raise NotAllowed(_NOTHING)
    state = say_yes(tx, key, person_id, row.message_id, by_team=by_team)
    is_theirs = state is not NoticeState.GUARD_NOT_RELEASED
    put(
        tx,
        programme=row.programme,
        kind=NoticeKind.GUARD_ANSWER,
        person_id=person_id,
        case_id=row.case_id if is_theirs else None,
        message_id=row.message_id if is_theirs else None,
        fields={"state": state.value, **({"reference": row.reference} if is_theirs else {})},
    )
    return state


def say_yes_as_operator(tx: Transaction, reference: str, by: str) -> bool:
    """Let a message go in place of an author who is away; False where none of this reference waits for a word."""
    row = tx.one(_HELD.where(message.c.reference == reference).with_for_update())
    return row is not None and row.guard in _ASKED and _let_go(tx, row, by)


def plan_waits(tx: Transaction, key: AuthorityKey, overdue_us: int = OVERDUE_US, at_once: int = AT_ONCE) -> int:
    """Ask authors of messages that nobody could look at, tell those again who have not answered, and end what has
    waited to the last; return how many that were.
    """
    take_turns(tx)
    late, waits = overdue(tx, overdue_us, at_once), due_waits(tx, at_once)
    for row in late:
        tx.execute(update(message).where(message.c.id == row.id).values(guard=Guarded.OVERDUE.value))
        ask(tx, key, row, None)
        tx.record("guard-asked", NOTIFIER, message=row.id, case=row.case_id, why="not-looked-at")
    for row in waits:
        _wait_on(tx, key, row)
    if late or waits:
        failpoint("guard.plan")
    return len(late) + len(waits)


def _let_go(tx: Transaction, row: Row[Any], by: str) -> bool:
    """Write the yes down; False where there is an answer. The schema's own trigger then takes the mark away."""
    if not answer_wait(tx, row.id, Answer.YES, by):
        return False
    tx.record("guard-answered", by, message=row.id, case=row.case_id, answer=Answer.YES.value)
    return True


def _wait_on(tx: Transaction, key: AuthorityKey, row: Row[Any]) -> None:
    """Tell the author again, or end it. What waits no more is looked at no more."""
    mine = update(guard_wait).where(guard_wait.c.message_id == row.id)
    until_us = row.since_us + RUN_OUT_US
    if row.guard not in _ASKED:
        tx.execute(mine.values(remind_us=None))
    elif tx.now_us >= until_us:
        _run_out(tx, key, row)
    else:
        later = [row.since_us + after for after in REMIND_US if row.since_us + after > tx.now_us]
        tx.execute(mine.values(reminded=row.reminded + 1, remind_us=min([*later, until_us])))
        tell(tx, key, row, until_us, is_looked_at=row.guard == Guarded.ANSWER.value)


def _run_out(tx: Transaction, key: AuthorityKey, row: Row[Any]) -> None:
    """Never send it: it is withdrawn before it was released, so that the other side never learns of it.

    Where its author has left and nobody goes on for them, who works on the case hears of it.
    """
    gone = update(message).where(message.c.id == row.id)
    tx.execute(gone.values(withdrawn_us=tx.now_us, held_until_us=None, guard=None))
    answer_wait(tx, row.id, Answer.RUN_OUT, NOTIFIER)
    tx.record("guard-answered", NOTIFIER, message=row.id, case=row.case_id, answer=Answer.RUN_OUT.value)
    told = authors_of(tx.connection, key, row, tx.now_us)
    for person_id in told or sorted(office(tx.connection, key, row.case_id, tx.now_us)):
        put(
            tx,
            programme=row.programme,
            kind=NoticeKind.GUARD_ANSWER,
            person_id=person_id,
            case_id=row.case_id,
            message_id=row.id,
            fields={"state": NoticeState.GUARD_RUN_OUT.value, "reference": row.reference},
        )


_HELD = select(
    message.c.id, message.c.case_id, message.c.author_id, message.c.team_id, message.c.reference, message.c.guard
)
