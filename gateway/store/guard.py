"""What the wrong client guard has still to look at, and messages that wait for their author's word, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, select, text, tuple_, update

from gateway.domain.guard import Answer, Guarded
from gateway.store.tables import case, guard_wait, message, person
from gateway.store.transaction import Transaction

TO_LOOK_AT = (Guarded.LOOK.value, Guarded.OVERDUE.value)


def to_look_at(connection: Connection, limit: int, after: Row[Any] | None = None) -> list[Row[Any]]:
    """Return id, octets, guard and arrival of messages that nobody has looked at, those that came first first.

    With `after` those that came after such a row.
    """
    place = (0, "") if after is None else (after.received_us, after.id)
    return list(connection.execute(_TO_LOOK_AT, {"most": limit, "received": place[0], "id": place[1]}))


def waiting_for_word(connection: Connection) -> list[Row[Any]]:
    """Return the messages that wait for their author's word, the oldest first: reference, author, since when, when it
    runs out of patience next, and why: the guard's state.
    """
    return list(connection.execute(_WAITING))


def figures(connection: Connection, now_us: int) -> tuple[int, int, int]:
    """Return how many messages wait for a look, for how many seconds the first does, how many for a word."""
    count, first = connection.execute(_FIRST).one()
    asked = connection.execute(select(func.count()).select_from(message).where(_ASKED)).scalar_one()
    return int(count), 0 if first is None else max(0, now_us - int(first)) // 1_000_000, int(asked)


def is_due(connection: Connection, now_us: int, overdue_us: int) -> bool:
    """Tell whether a message has waited too long for a look, or its author is to be told again."""
    asked = {"now": now_us, "before": now_us - overdue_us}
    return any(connection.execute(one, asked).first() is not None for one in (_ONE_OVERDUE, _ONE_REMINDER))


def overdue(tx: Transaction, overdue_us: int, limit: int) -> Sequence[Row[Any]]:
    """Return messages that have waited too long for a look."""
    return tx.all(_OVERDUE, {"before": tx.now_us - overdue_us, "most": limit})


def due_waits(tx: Transaction, limit: int) -> Sequence[Row[Any]]:
    """Return messages whose author is to be told again, or no more."""
    return tx.all(_DUE, {"now": tx.now_us, "most": limit})


def answer_wait(tx: Transaction, message_id: str, answer: Answer, by: str) -> bool:
    """Write down how the waiting for a word has ended; False where none was waited for."""
    values = {"answer": answer.value, "answered_by": by, "answered_us": tx.now_us, "remind_us": None}
    mine = update(guard_wait).where(guard_wait.c.message_id == message_id, guard_wait.c.answer.is_(None))
    return bool(tx.execute(mine.values(values)))


def waits_of(connection: Connection, people: Iterable[str]) -> list[Row[Any]]:
    """Return the messages of these authors, in open cases, that wait for a word, those that do so for longest first."""
    return list(connection.execute(_WAITS, {"people": sorted(people)}))


def wait_of(connection: Connection, message_id: str) -> Row[Any] | None:
    """Return what is waited for: the row of a message that waits, or has waited, for a word."""
    return connection.execute(select(guard_wait).where(guard_wait.c.message_id == message_id)).first()


# What is NOT NULL stands in the text, so that the partial indexes are used.
_GUARDED = text("message.guard IS NOT NULL")
_UNSEEN = message.c.guard.in_(TO_LOOK_AT)
_ASKED = message.c.guard.in_((Guarded.ANSWER.value, Guarded.OVERDUE.value))
_MOST = bindparam("most", type_=Integer)
_TO_LOOK_AT = (
    select(message.c.id, message.c.octets, message.c.guard, message.c.received_us)
    .where(
        _GUARDED,
        _UNSEEN,
        tuple_(message.c.received_us, message.c.id) > tuple_(bindparam("received"), bindparam("id")),
    )
    .order_by(message.c.received_us, message.c.id)
    .limit(_MOST)
)
_FIRST = select(func.count(), func.min(message.c.held_until_us)).where(_GUARDED, _UNSEEN)
_LATE = (_GUARDED, message.c.guard == Guarded.LOOK.value, message.c.held_until_us <= bindparam("before"))
_ONE_OVERDUE = select(message.c.id).where(*_LATE).limit(1)
_OF_A_WAIT = (message.c.id, message.c.case_id, message.c.author_id, message.c.team_id, message.c.reference)
_OVERDUE = (
    select(*_OF_A_WAIT, case.c.programme)
    .join(case, case.c.id == message.c.case_id)
    .where(*_LATE)
    .order_by(message.c.held_until_us)
    .limit(_MOST)
    .with_for_update(of=message, skip_locked=True)
)
_REMIND = (text("guard_wait.remind_us IS NOT NULL"), guard_wait.c.remind_us <= bindparam("now"))
_ONE_REMINDER = select(guard_wait.c.message_id).where(*_REMIND).limit(1)
# The message too: who takes a yes or a withdrawal locks it first, and would wait for what this waits for.
_DUE = (
    select(*_OF_A_WAIT, guard_wait.c.since_us, guard_wait.c.reminded, message.c.guard, case.c.programme)
    .join(message, message.c.id == guard_wait.c.message_id)
    .join(case, case.c.id == message.c.case_id)
    .where(*_REMIND)
    .order_by(guard_wait.c.remind_us)
    .limit(_MOST)
    .with_for_update(of=[message, guard_wait], skip_locked=True)
)
_WAITS = (
    select(*_OF_A_WAIT, guard_wait.c.since_us, message.c.guard)
    .join(guard_wait, guard_wait.c.message_id == message.c.id)
    .join(case, case.c.id == message.c.case_id)
    .where(
        _GUARDED,
        _ASKED,
        message.c.author_id.in_(bindparam("people", expanding=True)),
        case.c.closed_us.is_(None),
    )
    .order_by(guard_wait.c.since_us)
)
_WAITING = (
    select(
        *_OF_A_WAIT,
        person.c.username,
        guard_wait.c.since_us,
        guard_wait.c.remind_us,
        message.c.guard,
    )
    .join(guard_wait, guard_wait.c.message_id == message.c.id)
    .outerjoin(person, person.c.id == message.c.author_id)
    .where(_GUARDED, _ASKED)
    .order_by(guard_wait.c.since_us)
)
