"""The verbs of correspondence: a message from either side enters a case, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlalchemy import select

from gateway.casework.enclosing import enclosed_for, enter_uncopied
from gateway.casework.sealed import SealedMessage
from gateway.domain.errors import NotAllowed
from gateway.domain.guard import Guarded
from gateway.domain.notice import NoticeKind
from gateway.domain.reference import random_part
from gateway.domain.rights import Side, Standing, Verb
from gateway.store.authority import AuthorityKey
from gateway.store.cases import Case, case_by_id, circle_of, correspondents, office, standing
from gateway.store.confirmations import SealedAsked, enter_asked
from gateway.store.delegations import has_case, members_of
from gateway.store.ids import below, new_id
from gateway.store.outbox import put
from gateway.store.parcels import ALONE, Parcel, enter_parcel
from gateway.store.people import teams_of
from gateway.store.reminders import FIRST_LOOK_US
from gateway.store.tables import message, message_wrap, recipient, repeat, segment
from gateway.store.transaction import Lookup, Transaction
from gateway.store.unopened import watch

_REPEAT = Lookup(repeat.c.key, (repeat.c.at_us, repeat.c.reference, repeat.c.message_id))
_REFERENCE = Lookup(message.c.reference, (message.c.id,))
REPEAT_WINDOW_US = 7 * 24 * 3600 * 1_000_000
BY_RELAY = "relay"
"""Who an entry says it was where a mail system vouched, and nobody says who wrote it."""
_NOT_YOURS = "You have no open case by that reference. Ask the person who opened the case for you."


class Served(NamedTuple):
    """One person who is served: how they were addressed ("to", "cc", "bcc") and the DSN they were sent with."""

    person_id: str
    addressed_as: str
    notify: str = ""


class Posting(NamedTuple):
    """A sealed message and all that its verb needs to know of it.

    `repeat_key` tells a repeated submission, `submission_key` a form that was sent twice. `left_in_clear` counts
    outside addresses in the header that this gateway did not serve; with `has_cloud_link` a link stands in place of a
    file.
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
    has_cloud_link: bool = False
    relay: str | None = None
    """The trusted relay that vouched for the author; None for one who signed in."""
    nameless: bool = False
    """True where a team wrote it and nobody says who of it: `author_id` is then a member whose rights it is held to."""
    on_behalf_of: str | None = None
    """The colleague in whose name the author wrote."""
    asked: SealedAsked | None = None
    """What the author is to be told by mail; None for nothing."""
    delay_us: int = 0
    """For how long a message of the office waits before the other side may see it and is told."""
    is_guarded: bool = False
    """Whether the wrong client guard looks at a message to the other side before it is released."""
    parcels: tuple[Parcel, ...] = ()
    """Full copies for employees: each goes with the notice to its person."""
    uncopied: tuple[tuple[str, str], ...] = ()
    """Who chose a full copy and gets none, each with a fixed reason."""
    fitting: tuple[str, ...] = ()
    """The cases among which its author has still to choose: then it is no posting yet, and `case_id` is empty."""
    drafted: tuple[str, int] | None = None
    """Of what was a draft: its reference, and when it came."""

    def settle(self) -> None:
        """Make the octets durable that the rows will name. Raises StoreFull or StoreUnavailable."""
        self.sealed.settle()


Write = Callable[[Transaction, Posting, Side, str, int | None], None]
"""Gives a message its place: side, reference, and until when it waits."""


class Posted(NamedTuple):
    """What became of a posting: its reference, and whether this very message had been posted before."""

    reference: str
    message_id: str
    repeated: bool


def post(tx: Transaction, authority: AuthorityKey, posting: Posting) -> Posted:
    """Enter a message into its case: message, recipients, entry, notices.

    Rights are checked here again, in the transaction that uses them. Raises NotAllowed.
    """
    return posted_before(tx, posting) or enter(tx, authority, posting, insert_message)


def enter(tx: Transaction, authority: AuthorityKey, posting: Posting, write: Write) -> Posted:
    """Do what `post` does with what was not posted before; `write` gives the message its place. Raises NotAllowed."""
    entered = _open_case(tx, posting.case_id)
    place = standing(tx.known, authority, posting.case_id, posting.author_id, tx.now_us)
    if place is None or not place.may(Verb.WRITE):
        raise NotAllowed(_NOT_YOURS)
    if posting.nameless and not has_case(tx.known, authority, posting.team_id or "", posting.case_id, tx.now_us):
        raise NotAllowed(_NOT_YOURS)
    sides = _sides(tx, authority, posting)
    reference = _free_reference(tx, entered)
    if posting.is_guarded and (place.side is not Side.OFFICE or Side.CORRESPONDENT not in sides.values()):
        posting = posting._replace(is_guarded=False)
    is_held = posting.is_guarded or (posting.delay_us and place.side is Side.OFFICE)
    held_until_us = tx.now_us + posting.delay_us if is_held else None
    write(tx, posting, place.side, reference, held_until_us)
    for served in posting.recipients:
        kind = None if held_until_us is not None else _told_by(sides[served.person_id])
        _insert_recipient(tx, posting, served, is_owed=kind is NoticeKind.MESSAGE_WAITING)
        if kind is not None:
            team = _team_of_thread(tx, authority, posting, served.person_id) if kind.is_for_employees else {}
            fields: dict[str, str | int] = {"reference": reference, "count": 1, **team}
            _tell(tx, authority, posting, entered, served.person_id, kind, fields)
    if place.side is Side.CORRESPONDENT:
        watch(tx, posting.sealed.id)
        enter_uncopied(tx, posting.sealed.id, posting.uncopied)
    if posting.asked is not None and not posting.nameless:
        enter_asked(tx, posting.sealed.id, posting.author_id, posting.asked)
    _tell_author(tx, authority, posting, entered, place, reference)
    _insert_entry(tx, posting, place, reference, held_until_us)
    if posting.repeat_key:
        tx.insert(repeat, key=posting.repeat_key, message_id=posting.sealed.id, reference=reference, at_us=tx.now_us)
    return Posted(reference, posting.sealed.id, repeated=False)


def reply(tx: Transaction, authority: AuthorityKey, posting: Posting) -> Posted:
    """Enter an answer written in the portal: everyone of the other side is served, whoever that is at this instant.

    `posting.recipients` is left empty by the caller. Raises NotAllowed.
    """
    if known := posted_before(tx, posting):
        return known
    place = standing(tx.known, authority, posting.case_id, posting.author_id, tx.now_us)
    if place is None or not place.may(Verb.WRITE):
        raise NotAllowed(_NOT_YOURS)
    if place.side is Side.OFFICE:
        people = set(correspondents(tx.known, authority, posting.case_id, tx.now_us))
    else:
        people = office(tx.known, authority, posting.case_id, tx.now_us)
    served = tuple(Served(person_id, "to") for person_id in sorted(people - {posting.author_id}))
    return post(tx, authority, posting._replace(recipients=served))


def posted_before(tx: Transaction, posting: Posting) -> Posted | None:
    """Return what became of this very posting when it came before, or None. Raises NotAllowed for another's form."""
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


def _sides(tx: Transaction, authority: AuthorityKey, posting: Posting) -> dict[str, Side]:
    circle = circle_of(tx.known, authority, posting.case_id, tx.now_us)
    sides: dict[str, Side] = {}
    for served in posting.recipients:
        side = circle.side_of(served.person_id)
        if side is None:
            raise NotAllowed("A recipient has no access to this case any more. Ask whoever runs the case.")
        sides[served.person_id] = side
    return sides


def _free_reference(tx: Transaction, entered: Case) -> str:
    while True:
        reference = str(entered.reference.with_message(random_part(below)))
        if tx.find(_REFERENCE, reference) is None:
            return reference


def _told_by(side: Side) -> NoticeKind:
    return NoticeKind.MESSAGE_WAITING if side is Side.CORRESPONDENT else NoticeKind.REPLY_RECEIVED


def _insert_recipient(tx: Transaction, posting: Posting, served: Served, *, is_owed: bool) -> None:
    """Enter a recipient. Of a message that waits they hear when it is released, and owe a reading from then on."""
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


def insert_message(
    tx: Transaction, posting: Posting, side: Side, reference: str | None, held_until_us: int | None
) -> None:
    """Write a message's rows; without a `reference` it has no case."""
    sealed = posting.sealed
    tx.insert(
        message,
        id=sealed.id,
        case_id=posting.case_id or None,
        reference=reference,
        side=side.value,
        author_id=None if posting.nameless else posting.author_id,
        team_id=posting.team_id,
        parent_id=posting.parent_id,
        composed=int(sealed.composed),
        octets=sealed.octets,
        sealed_summary=sealed.sealed_summary,
        message_id_hash=sealed.message_id_hash,
        submission_key=posting.submission_key,
        received_us=tx.now_us,
        withdrawn_us=None,
        held_until_us=held_until_us,
        guard=Guarded.LOOK.value if posting.is_guarded and reference else None,
    )
    tx.insert(message_wrap, message_id=sealed.id, key_id=sealed.key_id, suite=sealed.suite, wrapped=sealed.wrapped)
    for other in sealed.others:
        tx.insert(message_wrap, message_id=sealed.id, key_id=other.key_id, suite=other.suite, wrapped=other.wrapped)
    for row in sealed.segments:
        tx.insert(segment, **row)


def _team_of_thread(tx: Transaction, authority: AuthorityKey, posting: Posting, person_id: str) -> dict[str, str]:
    """Return the team that what is answered was written for, where this employee is of it: any member may answer."""
    if posting.parent_id is None:
        return {}
    answered = tx.one(select(message.c.team_id).where(message.c.id == posting.parent_id))
    if answered is None or answered.team_id not in teams_of(tx.known, authority, person_id, tx.now_us):
        return {}
    return {"team": answered.team_id}


def _tell(
    tx: Transaction,
    authority: AuthorityKey,
    posting: Posting,
    entered: Case,
    person_id: str,
    kind: NoticeKind,
    fields: Mapping[str, str | int],
) -> None:
    """Enter the notice to a recipient, with the full copy that goes with it, if there is one."""
    made = None
    if posting.parcels and kind is NoticeKind.REPLY_RECEIVED:
        made = enclosed_for(tx, authority, posting.case_id, posting.parcels, person_id)
    row_id = _insert_notice(tx, posting, entered, person_id, kind, fields, lead_id=None if made is None else ALONE)
    if made is not None:
        enter_parcel(tx, posting.sealed.id, row_id, made)


def _insert_notice(
    tx: Transaction,
    posting: Posting,
    entered: Case,
    person_id: str,
    kind: NoticeKind,
    fields: Mapping[str, str | int],
    lead_id: str | None = None,
) -> str:
    return put(
        tx,
        programme=entered.programme,
        kind=kind,
        person_id=person_id,
        case_id=entered.id,
        message_id=posting.sealed.id,
        fields=fields,
        lead_id=lead_id,
    )


def _tell_author(
    tx: Transaction, authority: AuthorityKey, posting: Posting, entered: Case, place: Standing, reference: str
) -> None:
    if place.side is Side.CORRESPONDENT:
        fields: dict[str, str | int] = {"reference": reference, "count": 1}
        _insert_notice(tx, posting, entered, posting.author_id, NoticeKind.SUBMISSION_SUCCESSFUL, fields)
    if posting.left_in_clear:
        fields = {"reference": reference, "count": posting.left_in_clear}
        for person_id in _authors(tx, authority, posting):
            _insert_notice(tx, posting, entered, person_id, NoticeKind.LEFT_IN_CLEAR, fields)
    if posting.has_cloud_link:
        fields = {"reference": reference, "count": 1}
        for person_id in _authors(tx, authority, posting):
            _insert_notice(tx, posting, entered, person_id, NoticeKind.CLOUD_LINK, fields)


def _authors(tx: Transaction, authority: AuthorityKey, posting: Posting) -> list[str]:
    """Return whom a message's author is told by: of a team of which nobody says who wrote it, everybody."""
    if not posting.nameless or posting.team_id is None:
        return [posting.author_id]
    return sorted(members_of(tx.known, authority, posting.team_id, tx.now_us))


def _insert_entry(
    tx: Transaction, posting: Posting, place: Standing, reference: str, held_until_us: int | None
) -> None:
    tx.record(
        "deposited",
        BY_RELAY if posting.nameless else posting.author_id,
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
        **({} if held_until_us is None else {"held_until_us": held_until_us}),
        **({"human": "not stated"} if posting.nameless else {}),
        **_was_draft(posting),
        **({"on_behalf_of": posting.on_behalf_of} if posting.on_behalf_of else {}),
    )


def _was_draft(posting: Posting) -> dict[str, str | int]:
    return {} if posting.drafted is None else {"draft": posting.drafted[0], "accepted_us": posting.drafted[1]}
