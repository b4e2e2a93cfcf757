"""What became of an attempt: the row settled with an entry in the record, and employees told of what failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import bindparam, null, or_, select, text, update

from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import MAX_COUNT, NoticeKind, NoticeState
from gateway.domain.reference import parse
from gateway.domain.rights import Side
from gateway.failpoints import failpoint
from gateway.store import statements
from gateway.store.absences import deputies_of
from gateway.store.cases import office
from gateway.store.confirmations import NEWS_OF, is_news, is_news_of
from gateway.store.outbox import NOTIFIER, Entry, OutboxState, address_hash, joined_to, put
from gateway.store.reach import note_attempt, with_states
from gateway.store.tables import message, outbox, person
from gateway.store.transaction import Transaction

MAX_REPLY = 200


class Outcome(NamedTuple):
    """What became of an attempt for an entry; `next_due_us` is when a delayed one is tried again, None for never."""

    entry: Entry
    delivery: Delivery
    next_due_us: int | None


def settle_all(
    tx: Transaction, authority: Ed25519PublicKey, hash_key: bytes, outcomes: Sequence[Outcome]
) -> list[bool]:
    """Do what `settle` does for several; those of which there is nothing else to say are written together."""
    plain = _plain(tx, outcomes)
    if plain:
        rows = [_row(tx, one, OutboxState.DELIVERED) for one in plain.values()]
        statements.run_all(tx.connection, _SETTLE, rows)
        for one in plain.values():
            _record(tx, hash_key, one.entry, one.delivery, OutboxState.DELIVERED)
        told = {one.entry.message_id for one in plain.values() if one.entry.kind in NEWS_OF}
        if heard := [message_id for message_id in told if message_id is not None]:
            is_news(tx, heard, reports=True)
        failpoint("outbox.settle")
    return [one.entry.id in plain or settle(tx, authority, hash_key, *one) for one in outcomes]


def settle(
    tx: Transaction,
    authority: Ed25519PublicKey,
    hash_key: bytes,
    entry: Entry,
    delivery: Delivery,
    next_due_us: int | None,
) -> bool:
    """Write down what became of an attempt, with its entry in the record; return False when the lease was lost.

    A delayed one with `next_due_us` waits until then. Without it, or refused for good, the notice is given up, and the
    employees concerned get a notice of their own in the same verb; a notice to an employee that fails makes no other.
    What was joined ends alike: each message's row says what became of its notice.
    """
    ended = delivery.state is not DeliveryState.DELAYED or next_due_us is None
    state = OutboxState.WAITING
    if ended:
        state = OutboxState.DELIVERED if delivery.state is DeliveryState.DELIVERED else OutboxState.FAILED
    row = _row(tx, Outcome(entry, delivery, next_due_us), state)
    tx.flush()
    if not statements.run(tx.connection, _SETTLE, row):
        return False
    _record(tx, hash_key, entry, delivery, state)
    is_lost = state is OutboxState.FAILED
    note_attempt(tx, entry.id, entry.case_id, entry.person_id, entry.address, delivery, is_lost=is_lost)
    if is_lost and not entry.kind.is_for_employees:
        tell_employees(tx, authority, entry, _why(entry, delivery))
    if entry.joined:
        alike = OutboxState.JOINED if state is OutboxState.WAITING else state
        outcome = {"settled_us": row["settled_us"], "last_reply": row["last_reply"]}
        tx.execute(update(outbox).where(joined_to(entry.id)).values(**outcome, state=alike.value))
    if ended and entry.kind in NEWS_OF:
        is_news_of(tx, entry.lead_id or entry.id)
    failpoint("outbox.settle")
    return True


def tell_employees(tx: Transaction, authority: Ed25519PublicKey, entry: Entry, state: NoticeState) -> None:
    """Tell the author of each message of the notice, when an employee, else everybody of the office in its case.

    One notice to each employee and case.
    """
    by_employee: dict[tuple[str, str | None], list[tuple[str | None, str]]] = {}
    for message_id, case_id, reference in sorted(_messages(tx, entry), key=str):
        for person_id in concerned(tx, authority, message_id, case_id):
            by_employee.setdefault((person_id, case_id), []).append((message_id, reference))
    for (person_id, case_id), told in sorted(by_employee.items(), key=str):
        message_id, reference = told[0]
        fields: dict[str, str | int] = {"state": state.value}
        if reference:
            fields["reference"] = reference if len(told) == 1 else str(parse(reference).of_case)
        if len(told) > 1:
            fields["count"] = min(len(told), MAX_COUNT)
        put(
            tx,
            programme=entry.programme,
            kind=NoticeKind.DELIVERY_FAILED,
            person_id=person_id,
            case_id=case_id,
            message_id=message_id,
            fields=fields,
        )


def concerned(tx: Transaction, authority: Ed25519PublicKey, message_id: str | None, case_id: str | None) -> set[str]:
    """Return whom of the office a message concerns: its author, when an employee who has not left, and while they are
    absent their deputy; else the case's.
    """
    author = tx.one(
        select(message.c.author_id)
        .join(person, person.c.id == message.c.author_id)
        .where(message.c.id == message_id, message.c.side == Side.OFFICE.value, person.c.ended_us.is_(None))
    )
    if author is None:
        return office(tx.connection, authority, case_id, tx.now_us) if case_id else set()
    deputies = deputies_of(tx.connection, authority, [author.author_id], tx.now_us)
    if deputies and case_id:
        deputies &= office(tx.connection, authority, case_id, tx.now_us)
    return {author.author_id, *deputies}


def _plain(tx: Transaction, outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """Return by row those that were delivered alone, whose lease still lasts, to an address that is simply good."""
    maybe = [
        one
        for one in outcomes
        if one.delivery.state is DeliveryState.DELIVERED and one.entry.address is not None and not one.entry.joined
    ]
    if len(maybe) < LEAST_TOGETHER:
        return {}
    leases = {row.id: row.lease_until_us for row in tx.all(_LEASES, {"rows": [one.entry.id for one in maybe]})}
    special = with_states(tx.connection, {one.entry.person_id for one in maybe})
    return {
        one.entry.id: one
        for one in maybe
        if leases.get(one.entry.id) == one.entry.lease_us and one.entry.person_id not in special
    }


def _row(tx: Transaction, one: Outcome, state: OutboxState) -> dict[str, Any]:
    """Return the parameters of `_SETTLE`."""
    return {
        "state": state.value,
        "due_us": tx.now_us if one.next_due_us is None else one.next_due_us,
        "settled_us": None if state is OutboxState.WAITING else tx.now_us,
        "last_reply": str(one.delivery)[:MAX_REPLY],
        "row": one.entry.id,
        "lease": one.entry.lease_us,
    }


LEAST_TOGETHER = 2
_LEASES = (
    select(outbox.c.id, outbox.c.lease_until_us)
    .where(outbox.c.id.in_(bindparam("rows", expanding=True)), outbox.c.state == OutboxState.WAITING.value)
    .with_for_update()
)
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"), text("outbox.state = 0"), outbox.c.lease_until_us == bindparam("lease"))
    .values(
        state=bindparam("state"),
        due_us=bindparam("due_us"),
        lease_until_us=null(),
        settled_us=bindparam("settled_us"),
        last_reply=bindparam("last_reply"),
    )
)
"""Made once: to build it anew takes longer than what SQLite then does with it."""


def _why(entry: Entry, delivery: Delivery) -> NoticeState:
    if entry.address is None:
        return NoticeState.NO_ADDRESS
    return NoticeState.ADDRESS_REFUSED if delivery.state is DeliveryState.FAILED else NoticeState.GAVE_UP


def _messages(tx: Transaction, entry: Entry) -> set[tuple[str | None, str | None, str]]:
    """Return message, case and reference of all that a notice tells of: of its own row and of what is joined to it."""
    if not entry.joined:
        return {(entry.message_id, entry.case_id, str(entry.reference or ""))}
    lead = entry.lead_id or entry.id
    rows = tx.all(
        select(outbox.c.message_id, outbox.c.case_id, message.c.reference)
        .select_from(outbox.outerjoin(message, message.c.id == outbox.c.message_id))
        .where(or_(outbox.c.id == lead, outbox.c.lead_id == lead))
    )
    return {(row.message_id, row.case_id, row.reference or "") for row in rows}


def _record(tx: Transaction, hash_key: bytes, entry: Entry, delivery: Delivery, state: OutboxState) -> None:
    outcome = {OutboxState.WAITING: "delayed", OutboxState.DELIVERED: "delivered", OutboxState.FAILED: "failed"}[state]
    tx.record(
        f"notice-{outcome}",
        NOTIFIER,
        outbox=entry.id,
        notice=entry.kind.value,
        person=entry.person_id,
        case=entry.case_id,
        message=entry.message_id,
        joined=entry.joined,
        address=address_hash(hash_key, entry.address) if entry.address else None,
        attempts=entry.attempts,
        code=delivery.code,
        enhanced=delivery.enhanced,
    )
