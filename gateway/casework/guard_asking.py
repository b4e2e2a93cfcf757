"""How a message that the wrong client guard holds is asked about: whose word it waits for, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, update

from gateway.domain.guard import REMIND_US, RUN_OUT_US, Guarded
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.store.absences import successors_of
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id
from gateway.store.delegations import members_of
from gateway.store.outbox import put
from gateway.store.people import person_by_id
from gateway.store.tables import guard_wait
from gateway.store.transaction import Transaction


def ask(tx: Transaction, key: AuthorityKey, row: Row[Any], other: str | None) -> None:
    """Ask the author of a message that is not released; without `other`, as nobody could look at it."""
    asked = update(guard_wait).where(guard_wait.c.message_id == row.id)
    if not tx.execute(asked.values(other_case_id=other)):
        first = tx.now_us + REMIND_US[0]
        tx.insert(
            guard_wait, message_id=row.id, other_case_id=other, since_us=tx.now_us, remind_us=first, reminded=0,
            answer=None, answered_by=None, answered_us=None,
        )  # fmt: skip
    tell(tx, key, row, tx.now_us + RUN_OUT_US, is_looked_at=other is not None)


def tell(tx: Transaction, key: AuthorityKey, row: Row[Any], until_us: int, *, is_looked_at: bool) -> None:
    """Tell those whose word a message waits for that it does, and until when."""
    why = NoticeState.GUARD_ANOTHER_CASE if is_looked_at else NoticeState.GUARD_NOT_LOOKED_AT
    for person_id in authors_of(tx.connection, key, row, tx.now_us):
        state = why if row.author_id in (None, person_id) else NoticeState.GUARD_HANDED_ON
        put(
            tx,
            programme=_programme(tx, row.case_id),
            kind=NoticeKind.GUARD_WAITS,
            person_id=person_id,
            case_id=row.case_id,
            message_id=row.id,
            fields={"reference": row.reference, "count": 1, "state": state.value, "until_us": until_us},
        )


def tell_again(tx: Transaction, key: AuthorityKey, rows: Iterable[Row[Any]]) -> None:
    """Tell of messages whose waiting is somebody else's now, as `waits_of` has them."""
    for row in rows:
        tell(tx, key, row, row.since_us + RUN_OUT_US, is_looked_at=row.guard == Guarded.ANSWER.value)


def authors_of(connection: Connection, key: AuthorityKey, row: Row[Any], now_us: int) -> list[str]:
    """Return whose word releases a message: its author's, or who goes on for an author who has left; of a team of which
    nobody said who wrote it, anybody's.
    """
    if row.author_id is None:
        return sorted(members_of(connection, key, row.team_id, now_us)) if row.team_id else []
    if person_by_id(connection, row.author_id) is not None:
        return [row.author_id]
    heirs = sorted(successors_of(connection, key, row.author_id, now_us))
    return [one for one in heirs if person_by_id(connection, one) is not None]


def _programme(tx: Transaction, case_id: str) -> str:
    within = case_by_id(tx.connection, case_id)
    return "" if within is None else within.programme
