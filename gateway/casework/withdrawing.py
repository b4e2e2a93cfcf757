"""The verb of withdrawing, whole or not at all: a message of the office is hidden from the other side from then on.

Where nobody of the other side has opened it, it is gone from their view. Where somebody has, they see in its place that
it was withdrawn, and when. The record keeps all of it: nothing is deleted, and every opening stands in its own entry.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.sql import ColumnElement

from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind
from gateway.domain.rights import Side, Verb
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id, standing
from gateway.store.outbox import OutboxState
from gateway.store.reminders import release
from gateway.store.tables import message, outbox, recipient
from gateway.store.transaction import Transaction

_TOLD = (NoticeKind.MESSAGE_WAITING.value, NoticeKind.REMINDER.value)
_NOTHING = "There is no such message here, or it is not yours to withdraw."


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal came to: since when it holds, by how many it had been opened, whether it held before."""

    at_us: int
    opened: int
    repeated: bool


def withdraw(tx: Transaction, authority: AuthorityKey, person_id: str, message_id: str) -> Withdrawn:
    """Withdraw a message that the office wrote, at the wish of an employee of its case.

    Notices of it that have not gone out are not sent, reminders end. A repeat changes nothing and is told the same.
    Raises NotAllowed for what is absent, of the other side, or not theirs.
    """
    found = select(message.c.id, message.c.case_id, message.c.side, message.c.withdrawn_us)
    row = tx.one(found.where(message.c.id == message_id).with_for_update())
    if row is None or row.case_id is None or row.side != Side.OFFICE.value:
        raise NotAllowed(_NOTHING)
    place = standing(tx.connection, authority, row.case_id, person_id, tx.now_us)
    within = case_by_id(tx.connection, row.case_id)
    is_open = within is not None and within.is_open
    if place is None or place.side is not Side.OFFICE or not place.may(Verb.WITHDRAW, is_open=is_open):
        raise NotAllowed(_NOTHING)
    read = select(recipient.c.person_id).where(recipient.c.message_id == message_id)
    readers = sorted(one.person_id for one in tx.all(read.where(recipient.c.first_read_us.is_not(None))))
    if row.withdrawn_us is not None:
        return Withdrawn(int(row.withdrawn_us), len(readers), repeated=True)
    tx.execute(update(message).where(message.c.id == message_id).values(withdrawn_us=tx.now_us))
    release(tx, message_id)
    unsent = tx.execute(update(outbox).where(_unsent(message_id)).values(_ended(tx.now_us)))
    tx.record("withdrawn", person_id, message=message_id, case=row.case_id, readers=readers, unsent=unsent)
    return Withdrawn(tx.now_us, len(readers), repeated=False)


def _unsent(message_id: str) -> ColumnElement[bool]:
    """Tell the rows that tell of this message alone and of which nothing is under way."""
    joined = outbox.alias()
    alone = ~exists().where(and_(joined.c.lead_id == outbox.c.id, joined.c.state == OutboxState.JOINED.value))
    return and_(
        outbox.c.message_id == message_id,
        outbox.c.kind.in_(_TOLD),
        outbox.c.state == OutboxState.WAITING.value,
        or_(outbox.c.attempts == 0, and_(outbox.c.lease_until_us.is_(None), alone)),
    )


def _ended(now_us: int) -> dict[str, int | None]:
    return {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": now_us}
