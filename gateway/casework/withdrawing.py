"""The verb of withdrawing, whole or not at all: a message of the office is hidden from the other side from then on.

Where nobody of the other side has opened it, it is gone from their view. Where somebody has, they see in its place that
it was withdrawn, and when. Where it was not released, they never learn that there was one. The record keeps all of it:
nothing is deleted, and every opening stands in its own entry.

An employee withdraws at the desk, or by answering a notice of their own message: then the answer names the notice, only
the message's author may, or who goes on for them, and a notice tells them what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select, update
from sqlalchemy.sql import ColumnElement

from gateway.casework.guard_asking import authors_of
from gateway.domain.errors import NotAllowed
from gateway.domain.guard import Answer
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.rights import Side, Verb
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id, standing
from gateway.store.guard import answer_wait
from gateway.store.outbox import OutboxState, put
from gateway.store.reminders import release
from gateway.store.tables import case, message, outbox, recipient
from gateway.store.transaction import Transaction

_TOLD = (NoticeKind.MESSAGE_WAITING.value, NoticeKind.REMINDER.value)
_NOTHING = "There is no such message here, or it is not yours to withdraw."
_SEVERAL = (
    "That notice tells of several messages, so none was withdrawn. Withdraw at the desk, or answer its confirmation."
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal came to: since when it holds, by how many it had been opened, whether it held before; whether
    the message waited to be released.
    """

    at_us: int
    opened: int
    repeated: bool
    was_held: bool = False


def withdraw(tx: Transaction, authority: AuthorityKey, person_id: str, message_id: str) -> Withdrawn:
    """Withdraw a message that the office wrote, at the wish of an employee of its case.

    Notices of it that have not gone out are not sent, reminders end. A repeat changes nothing and is told the same.
    Raises NotAllowed for what is absent, of the other side, or not theirs.
    """
    found = select(message.c.id, message.c.case_id, message.c.side, message.c.withdrawn_us, message.c.held_until_us)
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
    was_held = row.held_until_us is not None
    gone = update(message).where(message.c.id == message_id)
    tx.execute(gone.values(withdrawn_us=tx.now_us, held_until_us=None))  # a trigger takes the guard's mark away
    answer_wait(tx, message_id, Answer.WITHDRAWN, person_id)
    release(tx, message_id)
    unsent = tx.execute(update(outbox).where(_unsent(message_id)).values(_ended(tx.now_us)))
    tx.record("withdrawn", person_id, message=message_id, case=row.case_id, readers=readers, unsent=unsent)
    return Withdrawn(tx.now_us, len(readers), repeated=False, was_held=was_held)


def withdraw_by_answer(
    tx: Transaction, authority: AuthorityKey, person_id: str, outbox_id: str, by_team: str | None = None
) -> NoticeState:
    """Withdraw the message that a notice told its author of, and tell them by mail what became of it.

    What is not theirs is not withdrawn, and they are told that. `by_team` is the team that said it where nobody says
    who of it: `person_id` is then any member, whose own messages are none of the team's. Raises NotAllowed where the
    notice told of several, or of no message.
    """
    lead = outbox.c.lead_id == outbox_id
    if tx.one(select(outbox.c.id).where(lead, outbox.c.state == OutboxState.JOINED.value).limit(1)) is not None:
        raise NotAllowed(_SEVERAL)
    row = tx.one(_TOLD_OF.where(outbox.c.id == outbox_id))
    if row is None:
        raise NotAllowed(_NOTHING)
    is_theirs = person_id in authors_of(tx.connection, authority, row, tx.now_us)
    if by_team is not None:
        is_theirs = is_theirs and row.author_id is None and row.team_id == by_team
    done = _try(tx, authority, person_id, row.message_id) if is_theirs else None
    state = NoticeState.NOT_WITHDRAWN if done is None else _state_of(done)
    fields: dict[str, str | int] = {"state": state.value, "reads": 0 if done is None else done.opened}
    put(
        tx,
        programme=row.programme,
        kind=NoticeKind.WITHDRAWAL,
        person_id=person_id,
        case_id=row.case_id if is_theirs else None,
        message_id=row.message_id if is_theirs else None,
        fields=fields | ({"reference": row.reference} if is_theirs else {}),
    )
    return state


def _try(tx: Transaction, authority: AuthorityKey, person_id: str, message_id: str) -> Withdrawn | None:
    try:
        return withdraw(tx, authority, person_id, message_id)
    except NotAllowed:
        return None


def _state_of(done: Withdrawn) -> NoticeState:
    if done.repeated:
        return NoticeState.WITHDRAWN_BEFORE
    if done.was_held:
        return NoticeState.WITHDRAWN_NO_TRACE
    return NoticeState.WITHDRAWN_AFTER_READING if done.opened else NoticeState.WITHDRAWN_UNREAD


def _unsent(message_id: str) -> ColumnElement[bool]:
    """Tell the rows that tell of this message alone and of which nothing is under way."""
    joined = outbox.alias()
    joined_here = and_(joined.c.lead_id == outbox.c.id, joined.c.state == OutboxState.JOINED.value)
    alone = ~select(joined.c.id).where(joined_here).exists()
    return and_(
        outbox.c.message_id == message_id,
        outbox.c.kind.in_(_TOLD),
        outbox.c.state == OutboxState.WAITING.value,
        or_(outbox.c.attempts == 0, and_(outbox.c.lease_until_us.is_(None), alone)),
    )


def _ended(now_us: int) -> dict[str, int | None]:
    return {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": now_us}


_TOLD_OF = (
    select(
        outbox.c.message_id,
        message.c.author_id,
        message.c.team_id,
        message.c.case_id,
        message.c.reference,
        case.c.programme,
    )
    .join(message, message.c.id == outbox.c.message_id)
    .join(case, case.c.id == message.c.case_id)
)
