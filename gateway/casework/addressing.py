"""Whom a submission is for: from the envelope, the subject's reference and the thread to one case and its people.

The envelope decides who is served. A case address means the other side of that case, and so does a thread address,
which names the message that is answered as well; a designated user's own address means that person, in a case shared
with the author; a colleague's address means a colleague of that case. Unknown and forbidden get the same answer. A
thread address that we made has been told to an employee: where it is not its author's to use, they hear why, and what
is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from gateway.casework.correspondence import Served
from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import outbox_id_of
from gateway.domain.reference import Reference, find, parse
from gateway.domain.rights import Side, Verb
from gateway.domain.summary import Mailbox
from gateway.domain.thread_address import LASTS, ThreadAddress, ThreadAddresses
from gateway.store.absences import absent_of, predecessors_of
from gateway.store.cases import (
    Case,
    case_by_id,
    case_by_reference,
    case_sealing_key,
    circle_of,
    correspondents,
    standing,
    standings,
)
from gateway.store.delegations import has_case, owners_of
from gateway.store.memory import Source, remembered
from gateway.store.messages import find_by_message_ids, find_by_notices, find_by_reference
from gateway.store.people import addresses_of, people_by_address, teams_of
from gateway.store.sealing import SealingKey

MAX_NAMED = 5
MAX_FITTING = 100
_LASTS_US = LASTS // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mailroom:
    """What addressing knows of a programme on its site: domain, employees' domains, one sentence on whom to ask.

    Without `threads` no thread address is known.
    """

    domain: str
    employee_domains: frozenset[str]
    ask: str
    authority: Ed25519PublicKey
    threads: ThreadAddresses | None = field(default=None, repr=False)


class Target(NamedTuple):
    """One accepted envelope recipient: a case's other side (`case_id`), or a person in one of the `shared` cases.

    `thread_of` is the message that a thread address names; `notify` and `original` are what RCPT said (RFC 3461).
    """

    address: Address
    case_id: str | None
    person_id: str | None
    shared: frozenset[str]
    notify: str = ""
    thread_of: str | None = None
    original: str | None = None


class Hints(NamedTuple):
    """What a header says about the case: subject, the Message-IDs it answers (nearest first), and who stands in it."""

    subject: str
    answered: tuple[str, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]


class Decision(NamedTuple):
    """Where a submission goes: its case and key, its parent, who is served and how, and who was left in the clear."""

    case: Case
    key: SealingKey
    parent_id: str | None
    recipients: tuple[Served, ...]
    left_in_clear: int
    fitting: tuple[tuple[str, SealingKey], ...] = ()
    """The cases among which the author has still to choose, with their keys; `case` and `key` are the first's then."""


@remembered
def resolve(connection: Connection, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> Target:
    """Return what one envelope recipient stands for. Raises NotAllowed, the same for unknown and forbidden."""
    if address.domain == mailroom.domain:
        found = None if mailroom.threads is None else mailroom.threads.read(address)
        if found is not None:
            return _thread_target(connection, mailroom, author_id, address, found, now_us)
        return _case_target(connection, mailroom, author_id, address, now_us)
    for person in people_by_address(connection, address.key, now_us):
        shared = _shared_cases(connection, mailroom.authority, author_id, person.id, now_us)
        if shared:
            return Target(address, None, person.id, shared)
    raise NotAllowed(f"You have no open case with this recipient, so nothing was sent. {mailroom.ask}")


def decide(
    source: Source,
    mailroom: Mailroom,
    deposit_hashes: Sequence[str],
    author_id: str,
    targets: Sequence[Target],
    hints: Hints,
    now_us: int,
    *,
    may_wait: bool = False,
    team_id: str | None = None,
) -> Decision:
    """Return the case and people of a whole submission. `deposit_hashes` are the keyed hashes of `hints.answered`.

    Where several cases fit, `may_wait` leaves the choice to its author; `team_id` is the team whose cases count, where
    nobody says who of it wrote. Raises NotAllowed when no case or several fit, naming the references; Tampered when a
    case's key is not genuine.
    """
    notices = [found for text in hints.answered if (found := outbox_id_of(text))]
    parent = find_by_message_ids(source, deposit_hashes) or find_by_notices(source, notices)
    cases = _cases_of(source, mailroom, targets, hints, parent.case_id if parent else None)
    if len(cases) > 1 and team_id is not None:
        cases = [one for one in cases if has_case(source, mailroom.authority, team_id, one.id, now_us)] or cases
    if len(cases) > (MAX_FITTING if may_wait else 1):
        raise NotAllowed(_which_case(cases))
    entered = cases[0]
    places = _header_places(hints)
    recipients = _served(source, mailroom, entered, author_id, targets, places, now_us)
    return Decision(
        case=entered,
        key=_key(source, mailroom, entered),
        parent_id=parent.id if parent is not None and parent.case_id == entered.id else _thread_of(targets),
        recipients=recipients,
        left_in_clear=_left_in_clear(source, mailroom, author_id, targets, places, now_us),
        fitting=() if len(cases) == 1 else tuple((one.id, _key(source, mailroom, one)) for one in cases),
    )


def _key(source: Source, mailroom: Mailroom, entered: Case) -> SealingKey:
    return case_sealing_key(source, mailroom.authority, entered.id)


def _thread_of(targets: Sequence[Target]) -> str | None:
    """Return the message that a thread address names: it finds the thread where a mail tool drops In-Reply-To."""
    return next((target.thread_of for target in targets if target.thread_of), None)


def _thread_target(
    source: Source, mailroom: Mailroom, author_id: str, address: Address, found: ThreadAddress, now_us: int
) -> Target:
    row = find_by_reference(source, str(found.message))
    entered = case_by_reference(source, found.message) if row is not None else None
    if row is None or entered is None or row.case_id != entered.id:
        raise NotAllowed(_no_such_address(mailroom))
    case_address = f"{entered.reference.local_part}@{mailroom.domain}"
    if not entered.is_open:
        raise NotAllowed(f"Case {entered.reference} is closed, and takes no answers. {mailroom.ask}")
    if mailroom.threads is None or not mailroom.threads.is_for(found, _holders(source, mailroom, author_id, now_us)):
        raise NotAllowed(
            f"This address was made for the answers of another employee. If case {entered.reference} is yours, "
            f"write to {case_address}, the address on its card. {mailroom.ask}"
        )
    if now_us > row.received_us + _LASTS_US:
        raise NotAllowed(
            f"This address is of an old thread, and has ended. Take it out of your address book. For case "
            f"{entered.reference} write to {case_address}, the address on its card. {mailroom.ask}"
        )
    place = standing(source, mailroom.authority, entered.id, author_id, now_us)
    if place is None or place.side is not Side.OFFICE or not place.may(Verb.WRITE):
        raise NotAllowed(
            f"Case {entered.reference} is not yours any more, so nothing was sent. Whoever has it writes to "
            f"{case_address}, the address on its card. {mailroom.ask}"
        )
    _require_correspondents(source, mailroom, entered, now_us)
    return Target(address, entered.id, None, frozenset({entered.id}), thread_of=row.id)


def _holders(source: Source, mailroom: Mailroom, author_id: str, now_us: int) -> set[str]:
    """Return for whom an address may have been made that this author answers to: themselves, their teams, those in
    whose names they write or for whom they stand in, and those whose work they go on with.
    """
    found = {author_id}
    for of in (teams_of, owners_of, absent_of, predecessors_of):
        found |= of(source, mailroom.authority, author_id, now_us)
    return found


def _require_correspondents(source: Source, mailroom: Mailroom, entered: Case, now_us: int) -> None:
    if not correspondents(source, mailroom.authority, entered.id, now_us):
        raise NotAllowed(f"Nobody of the other side has access to this case now. {mailroom.ask}")


def _no_such_address(mailroom: Mailroom) -> str:
    return f"You have no open case by this address, so nothing was sent. {mailroom.ask}"


def _case_target(source: Source, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> Target:
    try:
        found = case_by_reference(source, parse(address.local))
    except ValueError:
        found = None
    if found is not None and found.is_open:
        place = standing(source, mailroom.authority, found.id, author_id, now_us)
        if place is not None and place.side is Side.OFFICE and place.may(Verb.WRITE):
            _require_correspondents(source, mailroom, found, now_us)
            return Target(address, found.id, None, frozenset({found.id}))
    raise NotAllowed(_no_such_address(mailroom))


def _shared_cases(
    connection: Connection, authority: Ed25519PublicKey, author_id: str, person_id: str, now_us: int
) -> frozenset[str]:
    mine = {
        case_id
        for case_id, place in standings(connection, authority, None, author_id, now_us).items()
        if place.side is Side.OFFICE and place.may(Verb.WRITE)
    }
    theirs = standings(connection, authority, mine, person_id, now_us)
    return frozenset(
        case_id for case_id in theirs if (entered := case_by_id(connection, case_id)) is not None and entered.is_open
    )


@remembered
def _domains_inside(connection: Connection, mailroom: Mailroom, author_id: str, now_us: int) -> frozenset[str]:
    """Return the domains in which nobody is left in the clear: ours, the employees', those of the author."""
    own = addresses_of(connection, [author_id], now_us).get(author_id, [])
    return mailroom.employee_domains | {mailroom.domain} | {text.lower().rpartition("@")[2] for text in own}


def _cases_of(
    source: Source,
    mailroom: Mailroom,
    targets: Sequence[Target],
    hints: Hints,
    parent_case: str | None,
) -> list[Case]:
    """Return the cases that fit, by their references: one, where anything says which."""
    addressed = {target.case_id for target in targets if target.case_id}
    if len(addressed) > 1:
        raise NotAllowed("This message is addressed to several cases. Send one message for each case.")
    possible = frozenset.intersection(*(target.shared for target in targets))
    if not possible:
        raise NotAllowed("The recipients do not share one open case with you. Send one message for each case.")
    hinted = _hinted(source, hints, parent_case)
    chosen = next((case_id for case_id in hinted if case_id in possible), None)
    if chosen is None and hinted and not addressed:
        raise NotAllowed("The case named in the subject or thread is not one you share with these recipients.")
    if chosen is None and len(possible) == 1:
        chosen = next(iter(possible))
    wanted = addressed or ({chosen} if chosen is not None else possible)
    found = [entered for one in wanted if (entered := case_by_id(source, one)) is not None and entered.is_open]
    if not found:
        raise NotAllowed(f"You have no open case by that reference. {mailroom.ask}")
    return found if len(found) == 1 else sorted(found, key=lambda entered: str(entered.reference))


def _hinted(source: Source, hints: Hints, parent_case: str | None) -> list[str]:
    found = [case_by_reference(source, reference) for reference in _unique(find(hints.subject))]
    cases = [entered.id for entered in found if entered is not None]
    if parent_case is not None:
        cases.append(parent_case)
    return cases


def _unique(references: Iterable[Reference]) -> list[Reference]:
    return list(dict.fromkeys(reference.of_case for reference in references))[:MAX_NAMED]


def _which_case(cases: Sequence[Case]) -> str:
    named = ", ".join(f"[{entered.reference}]" for entered in cases[:MAX_NAMED])
    return f"Several open cases fit: {named}. Put one of these references into the subject and send again."


def _served(
    source: Source,
    mailroom: Mailroom,
    entered: Case,
    author_id: str,
    targets: Sequence[Target],
    places: Mapping[str, str],
    now_us: int,
) -> tuple[Served, ...]:
    circle = circle_of(source, mailroom.authority, entered.id, now_us)
    served: dict[str, Served] = {}
    for target in targets:
        place = places.get(target.address.key, "bcc")
        people = sorted(circle.others) if target.case_id else [target.person_id or ""]
        for person_id in people:
            if circle.side_of(person_id) is None:
                raise NotAllowed(f"A recipient has no access to this case. {mailroom.ask}")
            if person_id != author_id and person_id not in served:
                served[person_id] = Served(person_id, place, target.notify)
    if not served:
        raise NotAllowed("The only recipient is yourself. Address the case or a correspondent of it.")
    return tuple(served.values())


def _header_places(hints: Hints) -> dict[str, str]:
    places: dict[str, str] = {}
    for place, boxes in (("to", hints.to), ("cc", hints.cc)):
        for box in boxes:
            key = _key_of(box.address)
            if key is not None:
                places.setdefault(key, place)
    return places


def _left_in_clear(
    source: Source,
    mailroom: Mailroom,
    author_id: str,
    targets: Sequence[Target],
    places: Mapping[str, str],
    now_us: int,
) -> int:
    inside = {target.address.key for target in targets}
    domains = _domains_inside(source, mailroom, author_id, now_us)
    return sum(key not in inside and key.rpartition("@")[2] not in domains for key in places)


def _key_of(text: str) -> str | None:
    try:
        return parse_address(text).key
    except Malformed:
        return None
