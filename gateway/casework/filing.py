"""What becomes of mail in the intake tray: looked at, filed, put back, discarded. Nothing is unwrapped here.

Asked by a local operator; to file what is proposed to a case of theirs, also under a live session. Until it is filed
it is sealed to a month's intake key and nobody's but the operators'; once filed, to its case's key alone. What is
absent and what is forbidden look the same to a session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.casework.act import OPERATOR
from gateway.casework.openings import Wrap, find_wraps
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.intake import Tray
from gateway.domain.notice import NoticeKind
from gateway.domain.reference import parse, random_part
from gateway.domain.rights import Thing, Verb, may
from gateway.failpoints import failpoint
from gateway.store.authority import AuthorityKey
from gateway.store.cases import Case, case_by_id, case_by_reference, case_sealing_key, office
from gateway.store.ids import new_id
from gateway.store.intake import item, items_by_id
from gateway.store.outbox import put
from gateway.store.places import employee_or_user
from gateway.store.sealing import SealingKey
from gateway.store.sessions import LiveSession
from gateway.store.tables import form_document, intake, message, message_wrap, recipient
from gateway.store.transaction import Transaction

NOTHING = "There is no such message in the intake tray."
_NOT_YOURS = "There is no such message here, or it is not yours to file."


@dataclass(frozen=True, slots=True)
class Move:
    """A message on its way from one key to another: its wrap now, and the key it is to be wrapped to."""

    wrap: Wrap
    to: SealingKey


@dataclass(frozen=True, slots=True)
class Filed:
    """What a filing came to: the message's reference in its case, how many are told, and if it stood there before."""

    reference: str
    told: int
    repeated: bool


def find_items(connection: Connection, key: AuthorityKey, message_ids: Iterable[str]) -> tuple[Wrap, ...]:
    """Return the wraps of items that stand in no case; those of filed ones belong to their cases."""
    rows = [row for row in items_by_id(connection, message_ids) if row.case_id is None]
    return find_wraps(connection, key, None, rows)


def find_item(connection: Connection, key: AuthorityKey, known_as: str) -> Wrap:
    """Return the wrap of one item that stands in no case. Raises NotAllowed when there is none."""
    row = _row(connection, known_as)
    wraps = () if row.case_id is not None else find_wraps(connection, key, None, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return wraps[0]


def find_filing(
    connection: Connection, key: AuthorityKey, known_as: str, case: str, session: LiveSession | None, now_us: int
) -> Move | Filed:
    """Return how an item goes into a case, or what became of it where it stands there already.

    `session` is None for an operator. Raises NotAllowed for what is not there or not theirs, Malformed where the item
    stands in another case or was discarded.
    """
    row, into = _row(connection, known_as), find_case(connection, case)
    if session is not None:
        _require_right(connection, key, row, into, session, now_us)
    if known := _filed_before(row, into):
        return known
    wraps = find_wraps(connection, key, None, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return Move(wraps[0], case_sealing_key(connection, key, into.id))


def find_filed(connection: Connection, key: AuthorityKey, known_as: str, to: SealingKey) -> Move | None:
    """Return how a filed or linked item goes back into the tray, None where it is in it. Raises NotAllowed."""
    row = _row(connection, known_as)
    if row.filed_us is None:
        return None
    wraps = find_wraps(connection, key, row.case_id, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return Move(wraps[0], to)


def find_case(connection: Connection, known_as: str) -> Case:
    """Return an open case by id or reference. Raises NotAllowed when there is none."""
    try:
        found = case_by_reference(connection, parse(known_as))
    except ValueError:
        found = case_by_id(connection, known_as)
    if found is None or not found.is_open:
        raise NotAllowed("There is no such open case.")
    return found


def enter_listing(tx: Transaction, wraps: tuple[Wrap, ...]) -> None:
    """Write the entry of a list of summaries for an operator."""
    ids = [wrap.message_id for wrap in wraps]
    tx.record("intake_listed", OPERATOR, count=len(ids), first=ids[0] if ids else None, last=ids[-1] if ids else None)


def enter_look(tx: Transaction, message_id: str) -> None:
    """Write the entry of an operator's opening of one item."""
    tx.record("intake_opened", OPERATOR, message=message_id)


def enter_filing(
    tx: Transaction, key: AuthorityKey, by: str, known_as: str, case: str, move: Move, wrapped: bytes
) -> Filed:
    """Put an item into its case, whole or not at all: sealed to the case's key alone, its employees told, the entry.

    What `find_filing` found is judged again. Raises as it does.
    """
    row, into = _locked(tx, known_as), find_case(tx.connection, case)
    if known := _filed_before(row, into):
        return known
    _rewrap(tx, move, wrapped)
    reference = _free_reference(tx, into)
    tx.execute(message.update().where(message.c.id == row.id).values(case_id=into.id, reference=reference))
    failpoint("keyholder.file")
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=tx.now_us))
    failpoint("keyholder.file")
    people = sorted(office(tx.connection, key, into.id, tx.now_us))
    for person_id in people:
        _tell(tx, into, row.id, person_id, reference)
    facts = {"case": into.id, "reference": reference, "tray": row.tray, "recipients": people, "key": move.to.id}
    tx.record("filed", by, message=row.id, **facts)
    tx.flush()
    failpoint("keyholder.file")
    return Filed(reference, len(people), repeated=False)


def enter_put_back(tx: Transaction, known_as: str, move: Move | None, wrapped: bytes, by: str = OPERATOR) -> bool:
    """Put a filed or discarded item back into its tray; False when it waits there already. Raises NotAllowed."""
    row = _locked(tx, known_as)
    if row.filed_us is None and row.discarded_us is None:
        return False
    if row.filed_us is not None:
        if move is None or tx.one(_wrap_of(move.wrap)) is None:
            raise NotAllowed(NOTHING)
        _rewrap(tx, move, wrapped)
        tx.execute(recipient.delete().where(recipient.c.message_id == row.id))
        tx.execute(form_document.delete().where(form_document.c.message_id == row.id))
        tx.execute(message.update().where(message.c.id == row.id).values(case_id=None, reference=None))
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=None, discarded_us=None))
    tx.record("intake_put_back", by, message=row.id, case=row.case_id, key=move.to.id if move else None)
    return True


def find_linking(connection: Connection, key: AuthorityKey, known_as: str, to: SealingKey) -> Move:
    """Return how an item comes to an agreement. Raises NotAllowed, Malformed where it waits no longer."""
    row = _row(connection, known_as)
    if row.filed_us is not None or row.discarded_us is not None:
        raise Malformed("It does not wait in the tray. Put it back first.")
    wraps = find_wraps(connection, key, None, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return Move(wraps[0], to)


def enter_linking(tx: Transaction, by: str, known_as: str, form_id: str, move: Move, wrapped: bytes) -> None:
    """Link an item to a paper, whole or not at all: sealed to the agreement's key alone, out of its tray, the entry."""
    row = _locked(tx, known_as)
    if row.filed_us is not None or row.discarded_us is not None or tx.one(_wrap_of(move.wrap)) is None:
        raise Malformed("It does not wait in the tray. Put it back first.")
    _rewrap(tx, move, wrapped)
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=tx.now_us))
    tx.insert(form_document, message_id=row.id, form_id=form_id, linked_us=tx.now_us)
    tx.record("document_linked", by, message=row.id, form=form_id, key=move.to.id)


def discard(tx: Transaction, known_as: str) -> bool:
    """Hide an item from its tray; it is kept, and so is its entry. False when it was hidden. Raises NotAllowed."""
    row = _locked(tx, known_as)
    if row.filed_us is not None:
        raise Malformed("It is filed or linked, and is not in the tray any more.")
    if row.discarded_us is not None:
        return False
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(discarded_us=tx.now_us))
    tx.record("intake_discarded", OPERATOR, message=row.id)
    return True


def _row(connection: Connection, known_as: str) -> Row[Any]:
    row = item(connection, known_as)
    if row is None:
        raise NotAllowed(NOTHING)
    return row


def _locked(tx: Transaction, known_as: str) -> Row[Any]:
    """Return an item that nobody else can move before this transaction has ended."""
    row = _row(tx.connection, known_as)
    tx.one(select(intake.c.message_id).where(intake.c.message_id == row.message_id).with_for_update())
    return _row(tx.connection, known_as)


def _filed_before(row: Row[Any], into: Case) -> Filed | None:
    if row.discarded_us is not None:
        raise Malformed("It was discarded. Put it back first.")
    if row.filed_us is None:
        return None
    if row.case_id != into.id:
        raise Malformed("It is filed in another case, or linked to an agreement. Put it back first.")
    return Filed(row.filed_as, 0, repeated=True)


def _require_right(
    connection: Connection, key: AuthorityKey, row: Row[Any], into: Case, session: LiveSession, now_us: int
) -> None:
    """An employee may file what is proposed to a case they stand in; the rest is for administrators."""
    asks = employee_or_user(connection, key, session.person_id, now_us)
    proposed = into.id if row.proposed_case_id == into.id else None
    thing = Thing(into.programme, proposed, into.is_open)
    if asks is None or row.tray != Tray.CASES.value or not may(asks, Verb.FILE, thing, now_us):
        raise NotAllowed(_NOT_YOURS)


def _rewrap(tx: Transaction, move: Move, wrapped: bytes) -> None:
    """Put the new wrap in the place of the old one: nothing stays sealed to the key it leaves."""
    message_id = move.wrap.message_id
    tx.insert(message_wrap, message_id=message_id, key_id=move.to.id, suite=move.to.suite, wrapped=wrapped)
    tx.flush()
    failpoint("keyholder.file")
    old = message_wrap.c.key_id == move.wrap.key_id
    tx.execute(message_wrap.delete().where(message_wrap.c.message_id == message_id, old))
    failpoint("keyholder.file")


def _wrap_of(wrap: Wrap) -> Any:
    return select(message_wrap.c.key_id).where(
        message_wrap.c.message_id == wrap.message_id, message_wrap.c.key_id == wrap.key_id
    )


def _free_reference(tx: Transaction, into: Case) -> str:
    while True:
        reference = str(into.reference.with_message(random_part()))
        if tx.one(select(message.c.id).where(message.c.reference == reference)) is None:
            return reference


def _tell(tx: Transaction, into: Case, message_id: str, person_id: str, reference: str) -> None:
    tx.insert(
        recipient,
        id=new_id(),
        message_id=message_id,
        person_id=person_id,
        addressed_as="to",
        notify="",
        first_read_us=None,
    )
    put(
        tx,
        programme=into.programme,
        kind=NoticeKind.OUTSIDE_MAIL_FILED,
        person_id=person_id,
        case_id=into.id,
        message_id=message_id,
        fields={"reference": reference, "count": 1},
    )
