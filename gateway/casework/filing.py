"""What becomes of mail in the intake tray: looked at, filed, put back, discarded. Nothing is unwrapped here.

Asked by a local operator; to file what is proposed to a case of theirs, also under a live session. Until it is filed
it is sealed to a month's intake key and nobody's but the operators'; once filed, to its case's key alone. What is
absent and what is forbidden look the same to a session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, false, select

from gateway.casework.acknowledging import acknowledge_fax, withhold_acknowledgement
from gateway.casework.act import OPERATOR, Actor
from gateway.casework.handling import NOTHING, Done, LastAct, may_work, note_act, require_free, settle_acts
from gateway.casework.openings import Wrap, find_wraps
from gateway.domain.errors import Malformed, Moved, NotAllowed
from gateway.domain.intake import Tray
from gateway.domain.notice import NoticeKind
from gateway.domain.reference import parse, random_part
from gateway.domain.rights import Thing, Verb
from gateway.failpoints import failpoint
from gateway.store.authority import AuthorityKey
from gateway.store.cases import Case, case_by_id, case_by_reference, case_sealing_key, office
from gateway.store.ids import new_id
from gateway.store.intake import item, items_by_id, lock_item
from gateway.store.outbox import put
from gateway.store.places import employee_or_user
from gateway.store.sealing import SealingKey
from gateway.store.sessions import LiveSession
from gateway.store.tables import form, form_document, intake, message, message_wrap, recipient, sealing_key
from gateway.store.transaction import Transaction

_NOT_YOURS = "There is no such message here, or it is not yours to file."
_WAITS_NOT = "It does not wait in the tray. Put it back first."


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


def find_items(
    connection: Connection, key: AuthorityKey, message_ids: Iterable[str], actor: Actor, now_us: int
) -> tuple[Wrap, ...]:
    """Return the wraps of items that the actor may work on and that stand in no case."""
    rows = [row for row in items_by_id(connection, message_ids) if row.case_id is None]
    return find_wraps(connection, key, None, [row for row in rows if may_work(connection, actor, row, now_us)])


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


def enter_listing(tx: Transaction, wraps: tuple[Wrap, ...], by: str = OPERATOR) -> None:
    """Write the entry of a list of summaries."""
    ids = [wrap.message_id for wrap in wraps]
    first, last = (ids[0], ids[-1]) if ids else (None, None)
    tx.record("intake_listed", by, count=len(ids), first=first, last=last, units=max(1, len(ids)))


def enter_look(tx: Transaction, message_id: str) -> None:
    """Write the entry of an operator's opening of one item."""
    tx.record("intake_opened", OPERATOR, message=message_id)


def enter_filing(
    tx: Transaction, key: AuthorityKey, by: str, known_as: str, case: str, move: Move, wrapped: bytes
) -> Filed:
    """Put an item into its case, whole or not at all: sealed to the case's key alone, its employees told, the entry. Of
    a fax those of the other side who may act are told when it was received.

    What `find_filing` found is judged again. Raises as it does, and Moved while somebody else works on it.
    """
    row, into = _locked(tx, known_as), find_case(tx.connection, case)
    if known := _filed_before(row, into):
        return known
    require_free(tx, row.id, _person(by))
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
    note_act(tx, row.id, Done.FILED, _person(by), place=into.id)
    acknowledge_fax(tx, key, into.id, row.id)
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
        others = (message_wrap.c.message_id == row.id) & (message_wrap.c.key_id != move.to.id)
        tx.execute(message_wrap.delete().where(others))
        tx.execute(form_document.delete().where(form_document.c.message_id == row.id))
        _out_of_case(tx, row.id)
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=None, discarded_us=None))
    settle_acts(tx, row.id)
    tx.record("intake_put_back", by, message=row.id, case=row.case_id, key=move.to.id if move else None)
    return True


def find_linking(connection: Connection, key: AuthorityKey, known_as: str, to: SealingKey) -> Move:
    """Return how an item comes to an agreement, beside those that it is linked to. Raises NotAllowed, Malformed where
    it is filed or discarded.
    """
    row = _row(connection, known_as)
    if row.case_id is not None or row.discarded_us is not None:
        raise Malformed(_WAITS_NOT)
    wraps = find_wraps(connection, key, None, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return Move(wraps[0], to)


def enter_linking(tx: Transaction, by: str, known_as: str, form_id: str, move: Move, wrapped: bytes) -> None:
    """Link an item to a paper, whole or not at all: sealed to the agreement's key, out of its tray, the entry.

    Nothing happens where it shows that paper already. Raises Malformed where it does not wait, Moved while somebody
    else works on it.
    """
    row = _locked(tx, known_as)
    if row.case_id is not None or row.discarded_us is not None or tx.one(_wrap_of(move.wrap)) is None:
        raise Malformed(_WAITS_NOT)
    if tx.one(_link(row.id, form_id)) is not None:
        return
    require_free(tx, row.id, _person(by))
    _rewrap(tx, move, wrapped)
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=row.filed_us or tx.now_us))
    tx.insert(form_document, message_id=row.id, form_id=form_id, linked_us=tx.now_us)
    note_act(tx, row.id, Done.LINKED, _person(by), place=form_id)
    tx.record("document_linked", by, message=row.id, form=form_id, key=move.to.id)


def find_place_taken(
    connection: Connection, key: AuthorityKey, row: Row[Any], form_id: str | None, to: SealingKey
) -> Move | None:
    """Return how an item that leaves a paper (None: its case) goes back into the tray; None where it has other places.

    Raises NotAllowed where it is not there.
    """
    places = _places(connection, row)
    if form_id not in places:
        raise NotAllowed(NOTHING)
    if len(places) > 1:
        return None
    wraps = find_wraps(connection, key, row.case_id, [row])
    if not wraps:
        raise NotAllowed(NOTHING)
    return Move(wraps[0], to)


def enter_place_taken(
    tx: Transaction, by: str, row: Row[Any], form_id: str | None, move: Move | None, wrapped: bytes
) -> None:
    """Take an item from a paper, or from its case, and from there alone; into its tray where it has no other place.

    What `find_place_taken` found is judged again: who takes its last wrap away would close it for good. Raises Moved
    where its places are others now.
    """
    now = _locked(tx, row.id)
    places = _places(tx.connection, now)
    if now.case_id != row.case_id or form_id not in places or (len(places) > 1) is not (move is None):
        raise Moved("Somebody has given it another place since you looked, or taken one. Look again.")
    if move is not None:
        if tx.one(_wrap_of(move.wrap)) is None:
            raise Malformed(_WAITS_NOT)
        _rewrap(tx, move, wrapped)
        tx.execute(message_wrap.delete().where(_wrap_row(move.wrap)))
    else:
        tx.execute(message_wrap.delete().where(message_wrap.c.message_id == row.id, _only_for(tx, row, form_id)))
    if form_id is None:
        _out_of_case(tx, row.id)
    else:
        link = (form_document.c.message_id == row.id) & (form_document.c.form_id == form_id)
        tx.execute(form_document.delete().where(link))
    failpoint("keyholder.file")
    if move is not None:
        tx.execute(intake.update().where(intake.c.message_id == row.id).values(filed_us=None))
    case_id = row.case_id if form_id is None else None
    tx.record("intake_put_back", by, message=row.id, case=case_id, form=form_id, key=move.to.id if move else None)


def form_of_act(last: LastAct) -> str | None:
    """Return the paper that an act has linked its item to, None where it has filed it in a case."""
    return last.place if last.kind is Done.LINKED else None


def discard(tx: Transaction, known_as: str) -> bool:
    """Hide an item from its tray; it is kept, and so is its entry. False when it was hidden. Raises NotAllowed."""
    row = _locked(tx, known_as)
    if row.filed_us is not None:
        raise Malformed("It is filed or linked, and is not in the tray any more.")
    if row.discarded_us is not None:
        return False
    require_free(tx, row.id, None)
    tx.execute(intake.update().where(intake.c.message_id == row.id).values(discarded_us=tx.now_us))
    note_act(tx, row.id, Done.DISCARDED, None)
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
    lock_item(tx, row.message_id)
    return _row(tx.connection, known_as)


def _filed_before(row: Row[Any], into: Case) -> Filed | None:
    if row.discarded_us is not None:
        raise Malformed("It was discarded. Put it back first.")
    if row.case_id is None:
        return None
    if row.case_id != into.id:
        raise Malformed("It is filed in another case. Put it back first.")
    return Filed(row.filed_as, 0, repeated=True)


def _require_right(
    connection: Connection, key: AuthorityKey, row: Row[Any], into: Case, session: LiveSession, now_us: int
) -> None:
    """An employee may file what is proposed to a case they stand in, whoever works the tray any to any case."""
    asks = employee_or_user(connection, key, session.person_id, now_us)
    actor = Actor(session.person_id, session.programme, session.side, asks)
    works = actor.may(Verb.WORK_TRAY, Thing(into.programme), now_us) and may_work(connection, actor, row, now_us)
    proposed = into.id if row.proposed_case_id == into.id else None
    thing = Thing(into.programme, proposed, into.is_open)
    if row.tray != Tray.CASES.value or not (works or actor.may(Verb.FILE, thing, now_us)):
        raise NotAllowed(_NOT_YOURS)


def _rewrap(tx: Transaction, move: Move, wrapped: bytes) -> None:
    """Put the new wrap in: in the place of the month's, so that nothing stays sealed to it; else beside the others."""
    message_id = move.wrap.message_id
    there = message_wrap.c.message_id == message_id
    if tx.one(select(message_wrap.c.key_id).where(there, message_wrap.c.key_id == move.to.id)) is None:
        tx.insert(message_wrap, message_id=message_id, key_id=move.to.id, suite=move.to.suite, wrapped=wrapped)
    tx.flush()
    failpoint("keyholder.file")
    of_months = select(sealing_key.c.id).where(sealing_key.c.month.is_not(None), sealing_key.c.id != move.to.id)
    tx.execute(message_wrap.delete().where(there, message_wrap.c.key_id.in_(of_months)))
    failpoint("keyholder.file")


def _out_of_case(tx: Transaction, message_id: str) -> None:
    withhold_acknowledgement(tx, message_id)
    tx.execute(recipient.delete().where(recipient.c.message_id == message_id))
    tx.execute(message.update().where(message.c.id == message_id).values(case_id=None, reference=None))


def _only_for(tx: Transaction, row: Row[Any], form_id: str | None) -> ColumnElement[bool]:
    """Say which wraps of an item are for one place alone: to its case's keys, or to those of the paper's agreement
    where no other paper of it shows there.
    """
    if form_id is None:
        return message_wrap.c.key_id.in_(select(sealing_key.c.id).where(sealing_key.c.case_id == row.case_id))
    agreement_id = tx.connection.execute(select(form.c.agreement_id).where(form.c.id == form_id)).scalar_one()
    beside = select(form.c.id).where(form.c.agreement_id == agreement_id, form.c.id != form_id)
    if tx.one(_links(row.id).where(form_document.c.form_id.in_(beside))) is not None:
        return false()
    return message_wrap.c.key_id.in_(select(sealing_key.c.id).where(sealing_key.c.agreement_id == agreement_id))


def _places(connection: Connection, row: Row[Any]) -> list[str | None]:
    """Return where an item stands: the papers that it shows, and None for a case."""
    linked = connection.execute(_links(row.id)).scalars()
    return [*map(str, linked), *([] if row.case_id is None else [None])]


def _links(message_id: str) -> Select[Any]:
    return select(form_document.c.form_id).where(form_document.c.message_id == message_id)


def _link(message_id: str, form_id: str) -> Select[Any]:
    return _links(message_id).where(form_document.c.form_id == form_id)


def _person(by: str) -> str | None:
    return None if by == OPERATOR else by


def _wrap_of(wrap: Wrap) -> Select[Any]:
    return select(message_wrap.c.key_id).where(_wrap_row(wrap))


def _wrap_row(wrap: Wrap) -> ColumnElement[bool]:
    return (message_wrap.c.message_id == wrap.message_id) & (message_wrap.c.key_id == wrap.key_id)


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
