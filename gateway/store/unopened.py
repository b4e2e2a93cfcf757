"""Messages of the other side that nobody who works on their case has opened: rows by due time, until somebody has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Integer, Row, and_, bindparam, select, text, update

from gateway.domain.rights import Side
from gateway.store.tables import case, message, unopened
from gateway.store.transaction import Transaction

FIRST_LOOK_US: Final = 3600 * 1_000_000
"""A message is first looked at an hour after it came: nobody is told earlier, and most are opened by then."""


def watch(tx: Transaction, message_id: str) -> None:
    """Have the notifier look whether a message is opened."""
    tx.insert(unopened, message_id=message_id, look_us=tx.now_us + FIRST_LOOK_US, told=0, opened_us=None)


def opened(tx: Transaction, message_id: str) -> None:
    """Note that somebody who works on its case has opened a message: nobody is told of it any more."""
    first = update(unopened).where(unopened.c.message_id == message_id, unopened.c.opened_us.is_(None))
    tx.execute(first.values(opened_us=tx.now_us, look_us=None))


def due(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Return messages to be looked at now, the longest due first, with what is needed to decide."""
    return list(tx.all(_DUE, {"now": tx.now_us, "most": limit}))


def look_again(tx: Transaction, message_id: str, told: int, look_us: int | None) -> None:
    """Write how often people were told of a message, and when to look again; None for never."""
    row = update(unopened).where(unopened.c.message_id == message_id)
    tx.execute(row.values(told=told, look_us=look_us))


def still_unopened(tx: Transaction, message_ids: Collection[str]) -> set[str]:
    """Return those of these messages that are in an open case, not withdrawn, and neither opened nor followed by one
    that the office wrote in their case: whoever answered by mail has seen it.
    """
    return {row.id for row in tx.all(_STILL, {"listed": sorted(message_ids)})} if message_ids else set()


_ANSWER = message.alias()
_DUE = (
    select(unopened.c.message_id, unopened.c.told, message.c.case_id, message.c.reference, message.c.received_us)
    .add_columns(case.c.programme)
    .join(message, message.c.id == unopened.c.message_id)
    .join(case, case.c.id == message.c.case_id)
    .where(text("unopened.look_us IS NOT NULL"), unopened.c.look_us <= bindparam("now"))
    .order_by(unopened.c.look_us)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=unopened, skip_locked=True)
)
_STILL = (
    select(message.c.id)
    .join(unopened, unopened.c.message_id == message.c.id)
    .join(case, case.c.id == message.c.case_id)
    .where(
        message.c.id.in_(bindparam("listed", expanding=True)),
        message.c.withdrawn_us.is_(None),
        case.c.closed_us.is_(None),
        unopened.c.opened_us.is_(None),
        ~select(_ANSWER.c.id)
        .where(
            and_(
                _ANSWER.c.case_id == message.c.case_id,
                _ANSWER.c.side == Side.OFFICE.value,
                _ANSWER.c.received_us > message.c.received_us,
            )
        )
        .exists(),
    )
)
