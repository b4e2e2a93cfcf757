"""What senders of faxes are told: a dated acknowledgement where their case is known, a letter where it is not.

A fax was received when its line says so. Where that says nothing, or its clock cannot be right, it is when our own
system took it, and whoever is told is told that, too. Nothing of what was faxed is in either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from gateway.casework.act import OPERATOR
from gateway.casework.handling import UNDO_US
from gateway.domain.errors import UnknownRecipient
from gateway.domain.fax import CLOCK_US, KIND, Outcome, is_clock_odd
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.record import Fact
from gateway.domain.rights import Right
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id, correspondents
from gateway.store.fax import clock_offset_us
from gateway.store.intake import item
from gateway.store.outbox import OutboxState, put, record_withheld
from gateway.store.tables import fax_arrival, outbox
from gateway.store.transaction import Transaction

_KIND: Final = NoticeKind.SUBMISSION_RECEIVED


@dataclass(frozen=True, slots=True)
class Receipt:
    """A fax as its sender is told of it: our reference, when it was received, and if that is by our own clock."""

    reference: str
    at_us: int
    is_own_time: bool


def acknowledge_fax(tx: Transaction, authority: AuthorityKey, case_id: str, message_id: str) -> int:
    """Tell those of the other side who may act in a case that a fax put into it was received, and when.

    They are told once the act can be undone no more. Return how many; nobody for what is no fax, or was told before.
    """
    received = time_of_receipt(tx.connection, message_id)
    into = case_by_id(tx.connection, case_id)
    if received is None or into is None or _waiting(tx, message_id, case_id):
        return 0
    at_us, is_own_time = received
    rights = correspondents(tx.connection, authority, case_id, tx.now_us)
    people = sorted(person for person, right in rights.items() if right is Right.ACT)
    state = NoticeState.OWN_TIME if is_own_time else NoticeState.FAX_LINE_TIME
    for person_id in people:
        put(
            tx,
            programme=into.programme,
            kind=_KIND,
            person_id=person_id,
            case_id=case_id,
            message_id=message_id,
            fields={"count": 1, "until_us": at_us, "state": state.value},
            due_us=tx.now_us + UNDO_US,
        )
    if people:
        told: dict[str, Fact] = {"received": at_us, "own_time": int(is_own_time), "recipients": list(people)}
        tx.record("fax_acknowledged", OPERATOR, message=message_id, case=case_id, **told)
    return len(people)


def withhold_acknowledgement(tx: Transaction, message_id: str) -> int:
    """Take back acknowledgements of a fax that nobody has been sent; return how many."""
    rows = tx.all(select(outbox.c.id, outbox.c.person_id).where(*_unsent(message_id)))
    ended = {"state": OutboxState.WITHHELD.value, "settled_us": tx.now_us}
    for row in rows:
        tx.execute(update(outbox).where(outbox.c.id == row.id, *_unsent(message_id)).values(ended))
        record_withheld(tx, row.id, _KIND, row.person_id)
    return len(rows)


def enter_letter(tx: Transaction, known_as: str, reason: str, language: str, by: str = OPERATOR) -> Receipt:
    """Enter that a letter was made to whoever sent a fax, and return what it tells. Raises UnknownRecipient."""
    row = item(tx.connection, known_as)
    received = None if row is None or row.kind != KIND else time_of_receipt(tx.connection, row.id)
    if row is None or received is None:
        raise UnknownRecipient("There is no such fax. See: gateway intake list")
    at_us, is_own_time = received
    told: dict[str, Fact] = {"received": at_us, "own_time": int(is_own_time)}
    tx.record("fax_letter_made", by, message=row.id, reason=reason, language=language, **told)
    return Receipt(row.reference, at_us, is_own_time)


def time_of_receipt(connection: Connection, message_id: str) -> tuple[int, bool] | None:
    """Return when a fax was received, in microseconds, and whether that is by our own clock; None for what is none."""
    wanted = select(fax_arrival).where(
        fax_arrival.c.message_id == message_id, fax_arrival.c.outcome == Outcome.FILED.value
    )
    row = connection.execute(wanted).first()
    return None if row is None else _receipt(connection, row)


def _receipt(connection: Connection, row: Row[Any]) -> tuple[int, bool]:
    came_us = row.at_us if row.arrived_us is None else row.arrived_us
    if row.told_us is None:
        return row.at_us, True
    is_odd = is_clock_odd(row.told_us, came_us, row.pages_counted)
    if is_odd and (row.told_us > came_us or not _is_right(connection, row.source)):
        return row.at_us, True
    return row.told_us, False


def _is_right(connection: Connection, source: str) -> bool:
    """Tell whether other faxes show that a source's clock is right: then one that came late was held up on its way."""
    offset_us = clock_offset_us(connection, source)
    return offset_us is not None and abs(offset_us) <= CLOCK_US


def _waiting(tx: Transaction, message_id: str, case_id: str) -> bool:
    """Tell whether it is acknowledged in a case already, or will be."""
    wanted = select(outbox.c.id).where(
        outbox.c.message_id == message_id, outbox.c.kind == _KIND.value, outbox.c.case_id == case_id,
        outbox.c.state != OutboxState.WITHHELD.value,
    )  # fmt: skip
    return tx.one(wanted) is not None


def _unsent(message_id: str) -> tuple[Any, ...]:
    return (
        outbox.c.message_id == message_id, outbox.c.kind == _KIND.value,
        outbox.c.state == OutboxState.WAITING.value, outbox.c.attempts == 0,
    )  # fmt: skip
