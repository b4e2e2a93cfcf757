"""How a message that the wrong client guard holds is asked about: whose word it waits for, and what they are told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, update

from gateway.domain.guard import REMIND_US, RUN_OUT_US
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id
from gateway.store.delegations import members_of
from gateway.store.outbox import put
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
    """Tell a message's author that it waits for their word, and until when."""
    state = NoticeState.GUARD_ANOTHER_CASE if is_looked_at else NoticeState.GUARD_NOT_LOOKED_AT
    fields = {"reference": row.reference, "count": 1, "state": state.value, "until_us": until_us}
    for person_id in authors_of(tx, key, row):
        put(
            tx,
            programme=_programme(tx, row.case_id),
            kind=NoticeKind.GUARD_WAITS,
            person_id=person_id,
            case_id=row.case_id,
            message_id=row.id,
            fields=fields,
        )


def authors_of(tx: Transaction, key: AuthorityKey, row: Row[Any]) -> list[str]:
    """Return whose word releases a message: its author's; of a team of which nobody said who wrote it, anybody's."""
    if row.author_id is not None:
        return [row.author_id]
    return sorted(members_of(tx.connection, key, row.team_id, tx.now_us)) if row.team_id else []


def _programme(tx: Transaction, case_id: str) -> str:
    within = case_by_id(tx.connection, case_id)
    return "" if within is None else within.programme
