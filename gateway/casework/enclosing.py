"""Who may have a full copy of a reply, and who may still: asked when it is made, stored, and sent.

All of it has to hold: the site permits it in the programme, the employee chose it, has a key that counts, and has a
place of their own in the case. Who stands in for somebody, or looks for a stated purpose, is told by the link.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.recipient_key import LOOK_COUNTS_US, KeyKind, RecipientKey
from gateway.domain.rights import Capacity
from gateway.store.authority import AuthorityKey
from gateway.store.cases import case_by_id, office, standing
from gateway.store.outbox import put
from gateway.store.parcels import Kept, Parcel
from gateway.store.people import person_by_id, wishes_of
from gateway.store.recipient_keys import Look, as_key, enter_look, key_in_use, looks_of
from gateway.store.transaction import Transaction

PORTAL = "portal"


class Withheld(StrEnum):
    """Why a parcel that was made is not sent."""

    NOT_PERMITTED = "not-permitted"
    NOT_CHOSEN = "not-chosen"
    NO_PLACE = "no-place"
    KEY_GONE = "key-gone"
    NOT_LOOKED_UP = "not-looked-up"
    DAMAGED = "damaged"
    NOT_TAKEN = "not-taken"


@dataclass(frozen=True, slots=True)
class Wanting:
    """An employee who is to have a full copy, and the key it is encrypted to, with the id of its row."""

    person_id: str
    key_id: str
    key: RecipientKey


def wanting(
    connection: Connection, authority: AuthorityKey, permitted: Collection[str], case_id: str, now_us: int
) -> list[Wanting]:
    """Return who of a case is to have the other side's reply whole; `permitted` are keys of programmes."""
    entered = case_by_id(connection, case_id)
    if entered is None or entered.programme not in permitted:
        return []
    found: list[Wanting] = []
    for person_id in sorted(office(connection, authority, case_id, now_us)):
        if not wishes_of(connection, person_id).full_copies:
            continue
        row = key_in_use(connection, authority, person_id, now_us)
        if row is not None and has_own_place(connection, authority, case_id, person_id, now_us):
            found.append(Wanting(person_id, row.id, as_key(row)))
    return found


def has_own_place(connection: Connection, authority: AuthorityKey, case_id: str, person_id: str, now_us: int) -> bool:
    """Tell whether an employee is of a case themselves, by an assignment or a team."""
    place = standing(connection, authority, case_id, person_id, now_us)
    return place is not None and place.capacity is Capacity.OF_THE_CASE


def enclosed_for(
    tx: Transaction, authority: AuthorityKey, case_id: str, parcels: Iterable[Parcel], person_id: str
) -> Parcel | None:
    """Return the parcel that goes with the notice to a person, where they have a place of their own now."""
    made = next((one for one in parcels if one.person_id == person_id), None)
    if made is None or not has_own_place(tx.connection, authority, case_id, person_id, tx.now_us):
        return None
    return made


def enter_uncopied(tx: Transaction, message_id: str, uncopied: Iterable[tuple[str, str]]) -> None:
    """Write for each employee, by a fixed reason, that they chose a full copy and get the link only."""
    for person_id, reason in uncopied:
        tx.record("parcel-not-made", PORTAL, message=message_id, person=person_id, reason=reason)


def why_withheld(
    connection: Connection,
    authority: AuthorityKey,
    permitted: Collection[str],
    kept: Kept,
    place: tuple[str, str | None],
    now_us: int,
) -> Withheld | None:
    """Return why a parcel may not be sent now, None where it may; `place` is programme and case of its notice."""
    programme, case_id = place
    if programme not in permitted:
        return Withheld.NOT_PERMITTED
    if not wishes_of(connection, kept.person_id).full_copies:
        return Withheld.NOT_CHOSEN
    if case_id is None or not has_own_place(connection, authority, case_id, kept.person_id, now_us):
        return Withheld.NO_PLACE
    row = key_in_use(connection, authority, kept.person_id, now_us)
    if row is None or row.id != kept.key_id:
        return Withheld.KEY_GONE
    if row.kind == KeyKind.SMIME.value:
        look = looks_of(connection, [row.id]).get(row.id, Look())
        return None if look.is_from(now_us, LOOK_COUNTS_US) else Withheld.NOT_LOOKED_UP
    return None


def enter_look_at(tx: Transaction, one: Wanting, tells: Collection[str], *, is_revoked: bool) -> bool:
    """Write down what was looked up of somebody's certificate; one that is revoked counts no more, and its owner is
    told that in programmes that `tells` names. Return True where it is news.
    """
    owner = person_by_id(tx.connection, one.person_id)
    if not enter_look(tx, one.key_id, is_revoked=is_revoked) or owner is None:
        return False
    fingerprint = one.key.fingerprint[:128]
    tx.record("recipient_key_revoked", PORTAL, person=one.person_id, key=one.key_id, fingerprint=fingerprint)
    if owner.programme in tells:
        told = {"state": NoticeState.COPY_KEY_REVOKED.value}
        put(tx, programme=owner.programme, kind=NoticeKind.ACCOUNT_CHANGED, person_id=owner.id, fields=told)
    return True
