"""The verbs of correspondence: a message from either side enters a case, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select

from gateway.casework.deposit import SealedMessage
from gateway.domain.errors import NotAllowed
from gateway.domain.notice import NoticeKind
from gateway.domain.reference import random_part
from gateway.domain.rights import Side, Standing, Verb
from gateway.store.cases import Case, case_by_id, correspondents, office, standing
from gateway.store.ids import below, new_id
from gateway.store.outbox import put
from gateway.store.reminders import FIRST_LOOK_US
from gateway.store.tables import message, message_wrap, recipient, repeat, segment
from gateway.store.transaction import Lookup, Transaction

_REPEAT = Lookup(repeat.c.key, (repeat.c.at_us, repeat.c.reference, repeat.c.message_id))
_REFERENCE = Lookup(message.c.reference, (message.c.id,))
REPEAT_WINDOW_US = 7 * 24 * 3600 * 1_000_000
_NOT_YOURS = "You have no open case by that reference. Ask the person who opened the case for you."


@dataclass(frozen=True, slots=True)
class Served:
    """One person who is served: how they were addressed ("to", "cc", "bcc") and the DSN they were sent with."""

    person_id: str
    addressed_as: str
    notify: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A sealed message and all that its verb needs to know of it.

    `repeat_key` tells a repeated submission, `submission_key` a form that was sent twice. `left_in_clear` counts
    outside addresses in the header that this gateway did not serve.
    """

    sealed: SealedMessage
    case_id: str
    author_id: str
    recipients: tuple[Served, ...]
    team_id: str | None = None
    parent_id: str | None = None
    repeat_key: str | None = None
    submission_key: str | None = None
    left_in_clear: int = 0
    relay: str | None = None
    """The trusted relay that vouched for the author; None for one who signed in."""

    def settle(self) -> None:
        """Make the octets durable that the rows will name. Raises StoreFull or StoreUnavailable."""
        self.sealed.settle()


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a posting: its reference, and whether this very message had been posted before."""

    reference: str
    message_id: str
    repeated: bool


def post(tx: Transaction, authority: Ed25519PublicKey, posting: Posting) -> Posted:
    """Enter a message into its case: message, recipients, entry, notices.

    Rights are checked here again, in the transaction that uses them. Raises NotAllowed.
    """
    if known := _posted_before(tx, posting):
        return known
    entered = _open_case(tx, posting.case_id)
    place = standing(tx.known, authority, posting.case_id, posting.author_id, tx.now_us)
    if place is None or not place.may(Verb.WRITE):
        raise NotAllowed(_NOT_YOURS)
    sides = _sides(tx, authority, posting)
    reference = _free_reference(tx, entered)
    _insert_message(tx, posting, place, reference)
    for served in posting.recipients:
        is_owed = sides[served.person_id] is Side.CORRESPONDENT
        tx.insert(
            recipient,
            id=new_id(),
            message_id=posting.sealed.id,
            person_id=served.person_id,
            addressed_as=served.addressed_as,
            notify=served.notify,
            first_read_us=None,
            remind_us=tx.now_us + FIRST_LOOK_US if is_owed else None,
        )
        kind = NoticeKind.MESSAGE_WAITING if is_owed else NoticeKind.REPLY_RECEIVED
        _insert_notice(tx, posting, entered, served.person_id, kind, reference)
    _tell_author(tx, posting, entered, place, reference)
    _insert_entry(tx, posting, place, reference)
    if posting.repeat_key:
        tx.insert(repeat, key=posting.repeat_key, message_id=posting.sealed.id, reference=reference, at_us=tx.now_us)
    return Posted(reference, posting.sealed.id, repeated=False)


def reply(tx: Transaction, authority: Ed25519PublicKey, posting: Posting) -> Posted:
    """Enter an answer written in the portal: everyone of the other side is served, whoever that is at this instant.

    `posting.recipients` is left empty by the caller. Raises NotAllowed.
    """
    if known := _posted_before(tx, posting):
        return known
    place = standing(tx.known, authority, posting.case_id, posting.author_id, tx.now_us)
    if place is None or not place.may(Verb.WRITE):
        raise NotAllowed(_NOT_YOURS)
    if place.side is Side.OFFICE:
        people = set(correspondents(tx.known, authority, posting.case_id, tx.now_us))
    else:
        people = office(tx.known, authority, posting.case_id, tx.now_us)
    served = tuple(Served(person_id, "to") for person_id in sorted(people - {posting.author_id}))
    return post(tx, authority, replace(posting, recipients=served))


def _posted_before(tx: Transaction, posting: Posting) -> Posted | None:
    if posting.repeat_key:
        row = tx.find_conflict(_REPEAT, posting.repeat_key)
        if row is not None and row[0] > tx.now_us - REPEAT_WINDOW_US:
            return Posted(reference=row[1], message_id=row[2], repeated=True)
        if row is not None:
            tx.execute(repeat.delete().where(repeat.c.key == posting.repeat_key))
    if posting.submission_key:
        row = tx.one(select(message).where(message.c.submission_key == posting.submission_key))
        if row is not None and row.author_id == posting.author_id:
            return Posted(row.reference, row.id, repeated=True)
        if row is not None:
            raise NotAllowed(_NOT_YOURS)
    return None


def _open_case(tx: Transaction, case_id: str) -> Case:
    entered = case_by_id(tx.known, case_id)
    if entered is None or not entered.is_open:
        raise NotAllowed(_NOT_YOURS)
    return entered


def _sides(tx: Transaction, authority: Ed25519PublicKey, posting: Posting) -> dict[str, Side]:
    others = correspondents(tx.known, authority, posting.case_id, tx.now_us)
    colleagues = office(tx.known, authority, posting.case_id, tx.now_us)
    sides: dict[str, Side] = {}
    for served in posting.recipients:
        if served.person_id in others:
            sides[served.person_id] = Side.CORRESPONDENT
        elif served.person_id in colleagues:
            sides[served.person_id] = Side.OFFICE
        else:
            raise NotAllowed("A recipient has no access to this case any more. Ask whoever runs the case.")
    return sides


def _free_reference(tx: Transaction, entered: Case) -> str:
    while True:
        reference = str(entered.reference.with_message(random_part(below)))
        if tx.find(_REFERENCE, reference) is None:
            return reference


def _insert_message(tx: Transaction, posting: Posting, place: Standing, reference: str) -> None:
    sealed = posting.sealed
    tx.insert(
        message,
        id=sealed.id,
        case_id=posting.case_id,
        reference=reference,
        side=place.side.value,
        author_id=posting.author_id,
        team_id=posting.team_id,
        parent_id=posting.parent_id,
        composed=int(sealed.composed),
        octets=sealed.octets,
        sealed_summary=sealed.sealed_summary,
        message_id_hash=sealed.message_id_hash,
        submission_key=posting.submission_key,
        received_us=tx.now_us,
        withdrawn_us=None,
    )
    tx.insert(message_wrap, message_id=sealed.id, key_id=sealed.key_id, suite=sealed.suite, wrapped=sealed.wrapped)
    for row in sealed.segments:
        tx.insert(segment, **row)


def _insert_notice(
    tx: Transaction, posting: Posting, entered: Case, person_id: str, kind: NoticeKind, reference: str, count: int = 1
) -> None:
    put(
        tx,
        programme=entered.programme,
        kind=kind,
        person_id=person_id,
        case_id=entered.id,
        message_id=posting.sealed.id,
        fields={"reference": reference, "count": count},
    )


def _tell_author(tx: Transaction, posting: Posting, entered: Case, place: Standing, reference: str) -> None:
    if place.side is Side.CORRESPONDENT:
        _insert_notice(tx, posting, entered, posting.author_id, NoticeKind.SUBMISSION_SUCCESSFUL, reference)
    if posting.left_in_clear:
        _insert_notice(
            tx,
            posting,
            entered,
            posting.author_id,
            NoticeKind.LEFT_IN_CLEAR,
            reference,
            posting.left_in_clear,
        )


def _insert_entry(tx: Transaction, posting: Posting, place: Standing, reference: str) -> None:
    tx.record(
        "deposited",
        posting.author_id,
        message=posting.sealed.id,
        case=posting.case_id,
        reference=reference,
        side=place.side.value,
        team=posting.team_id,
        parent=posting.parent_id,
        recipients=[{"person": served.person_id, "as": served.addressed_as} for served in posting.recipients],
        ciphertext=posting.sealed.ciphertext_hashes,
        commitment=posting.sealed.commitment,
        octets=posting.sealed.octets,
        left_in_clear=posting.left_in_clear,
        relay=posting.relay,
    )
