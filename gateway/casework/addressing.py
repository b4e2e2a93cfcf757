"""Whom a submission is for: from the envelope, the subject's reference and the thread to one case and its people.

The envelope decides who is served. A case address means the other side of that case; a designated user's own address
means that person, in a case shared with the author; a colleague's address means a colleague of that case. Unknown and
forbidden get the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from gateway.casework.correspondence import Served
from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import outbox_id_of
from gateway.domain.reference import Reference, find, parse
from gateway.domain.rights import Side, Verb
from gateway.domain.summary import Mailbox
from gateway.store.cases import (
    Case,
    case_by_id,
    case_by_reference,
    case_sealing_key,
    correspondents,
    office,
    standing,
    standings,
)
from gateway.store.memory import Source, remembered
from gateway.store.messages import find_by_message_ids, find_by_notices
from gateway.store.people import addresses_of, people_by_address, team_by_address, teams_of
from gateway.store.sealing import SealingKey

MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Mailroom:
    """What addressing knows of a programme on its site: domain, employees' domains, one sentence on whom to ask."""

    domain: str
    employee_domains: frozenset[str]
    ask: str
    authority: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Target:
    """One accepted envelope recipient: a case's other side (`case_id`), or a person in one of the `shared` cases."""

    address: Address
    case_id: str | None
    person_id: str | None
    shared: frozenset[str]
    notify: str = ""


@dataclass(frozen=True, slots=True)
class Hints:
    """What a header says about the case: subject, the Message-IDs it answers (nearest first), and who stands in it."""

    subject: str
    answered: tuple[str, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a submission goes: its case and key, its parent, who is served and how, and who was left in the clear."""

    case: Case
    key: SealingKey
    parent_id: str | None
    recipients: tuple[Served, ...]
    left_in_clear: int


def sender_team(source: Source, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> str | None:
    """Return the team whose address this is, None when it is the author's own. Raises NotAllowed for another's."""
    if any(person.id == author_id for person in people_by_address(source, address.key, now_us)):
        return None
    team = team_by_address(source, address.key)
    if team is not None and team.id in teams_of(source, mailroom.authority, author_id, now_us):
        return team.id
    raise NotAllowed(
        f"The sender address is neither yours nor your team's. Write from the address you signed in for. {mailroom.ask}"
    )


def resolve(source: Source, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> Target:
    """Return what one envelope recipient stands for. Raises NotAllowed, the same for unknown and forbidden."""
    if address.domain == mailroom.domain:
        return _case_target(source, mailroom, author_id, address, now_us)
    for person in people_by_address(source, address.key, now_us):
        shared = _shared_cases(source, mailroom.authority, author_id, person.id, now_us)
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
) -> Decision:
    """Return the case and people of a whole submission. `deposit_hashes` are the keyed hashes of `hints.answered`.

    Raises NotAllowed when no case or several fit, naming the references; Tampered when the case's key is not genuine.
    """
    notices = [found for text in hints.answered if (found := outbox_id_of(text))]
    parent = find_by_message_ids(source, deposit_hashes) or find_by_notices(source, notices)
    entered = _case_of(source, mailroom, targets, hints, parent.case_id if parent else None)
    places = _header_places(hints)
    recipients = _served(source, mailroom, entered, author_id, targets, places, now_us)
    return Decision(
        case=entered,
        key=case_sealing_key(source, mailroom.authority, entered.id),
        parent_id=parent.id if parent is not None and parent.case_id == entered.id else None,
        recipients=recipients,
        left_in_clear=_left_in_clear(source, mailroom, author_id, targets, places, now_us),
    )


def _case_target(source: Source, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> Target:
    try:
        found = case_by_reference(source, parse(address.local))
    except ValueError:
        found = None
    if found is not None and found.is_open:
        place = standing(source, mailroom.authority, found.id, author_id, now_us)
        if place is not None and place.side is Side.OFFICE and place.may(Verb.WRITE):
            if not correspondents(source, mailroom.authority, found.id, now_us):
                raise NotAllowed(f"Nobody of the other side has access to this case now. {mailroom.ask}")
            return Target(address, found.id, None, frozenset({found.id}))
    raise NotAllowed(f"You have no open case by this address, so nothing was sent. {mailroom.ask}")


@remembered
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
def _own_addresses(connection: Connection, person_id: str, now_us: int) -> list[str]:
    return addresses_of(connection, [person_id], now_us).get(person_id, [])


def _case_of(
    source: Source,
    mailroom: Mailroom,
    targets: Sequence[Target],
    hints: Hints,
    parent_case: str | None,
) -> Case:
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
    if chosen is None:
        raise NotAllowed(_which_case(source, possible))
    entered = case_by_id(source, next(iter(addressed), chosen))
    if entered is None or not entered.is_open:
        raise NotAllowed(f"You have no open case by that reference. {mailroom.ask}")
    return entered


def _hinted(source: Source, hints: Hints, parent_case: str | None) -> list[str]:
    found = [case_by_reference(source, reference) for reference in _unique(find(hints.subject))]
    cases = [entered.id for entered in found if entered is not None]
    if parent_case is not None:
        cases.append(parent_case)
    return cases


def _unique(references: Iterable[Reference]) -> list[Reference]:
    return list(dict.fromkeys(reference.of_case for reference in references))[:MAX_NAMED]


def _which_case(source: Source, possible: Iterable[str]) -> str:
    cases = [case_by_id(source, case_id) for case_id in sorted(possible)]
    named = ", ".join(f"[{entered.reference}]" for entered in cases[:MAX_NAMED] if entered is not None)
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
    others = correspondents(source, mailroom.authority, entered.id, now_us)
    colleagues = office(source, mailroom.authority, entered.id, now_us)
    served: dict[str, Served] = {}
    for target in targets:
        place = places.get(target.address.key, "bcc")
        people = sorted(others) if target.case_id else [target.person_id or ""]
        for person_id in people:
            if person_id not in others and person_id not in colleagues:
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
    own = _own_addresses(source, author_id, now_us)
    domains = mailroom.employee_domains | {mailroom.domain} | {text.lower().rpartition("@")[2] for text in own}
    return sum(key not in inside and key.rpartition("@")[2] not in domains for key in places)


def _key_of(text: str) -> str | None:
    try:
        return parse_address(text).key
    except Malformed:
        return None
