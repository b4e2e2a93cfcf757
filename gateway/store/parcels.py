"""Parcels as rows: ciphertext of a full reply for one employee, kept from the reply until its notice has gone.

A parcel is entered with the notice that it goes with, in one transaction, and destroyed when that notice waits no more,
whatever became of it. What is destroyed is not in any later backup, and its absence costs nothing but the copy: the
notice with its link goes in any case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, exists, select

from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed
from gateway.failpoints import failpoint
from gateway.store.ids import new_id
from gateway.store.outbox import NOTIFIER, OutboxState
from gateway.store.tables import outbox, parcel
from gateway.store.transaction import Transaction

ALONE = "parcel"
"""The lead of a notice that carries a parcel: it is told by itself."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A whole entity of ciphertext for one employee: by which key (its row, its fingerprint, the address it is for)."""

    person_id: str
    key_id: str
    fingerprint: str
    address: str
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A parcel as its row names it, without its octets."""

    id: str
    message_id: str
    person_id: str
    key_id: str | None
    fingerprint: str
    address: str
    octets: int
    sha256: str


def enter_parcel(tx: Transaction, message_id: str, outbox_id: str, made: Parcel) -> None:
    """Write a parcel beside the notice that carries it, with its entry."""
    digest = hashlib.sha256(made.ciphertext).hexdigest()
    tx.insert(
        parcel,
        id=new_id(),
        message_id=message_id,
        person_id=made.person_id,
        outbox_id=outbox_id,
        key_id=made.key_id,
        fingerprint=made.fingerprint,
        address=made.address,
        octets=len(made.ciphertext),
        sha256=digest,
        ciphertext=made.ciphertext,
        created_us=tx.now_us,
    )
    tx.record(
        "parcel-made",
        made.person_id,
        message=message_id,
        person=made.person_id,
        key=made.fingerprint,
        ciphertext=digest,
        octets=len(made.ciphertext),
    )
    failpoint("parcel.entered")


def parcel_of(connection: Connection, outbox_id: str, lead_id: str | None) -> Kept | None:
    """Return the parcel that goes with a notice, or with that of which this one is for a further address."""
    row = connection.execute(_OF_NOTICE, {"rows": [outbox_id, lead_id or outbox_id]}).first()
    if row is None:
        return None
    return Kept(**row._mapping)


def ciphertext_of(connection: Connection, parcel_id: str) -> bytes | None:
    """Return a parcel's octets, None where it has been destroyed."""
    found = connection.execute(_OCTETS, {"parcel": parcel_id}).scalar()
    return None if found is None else bytes(found)


def destroy_parcel(tx: Transaction, kept: Kept, outcome: str) -> bool:
    """Delete a parcel, with its entry; `outcome` is a fixed word. Return False where it had been destroyed."""
    if not tx.execute(delete(parcel).where(parcel.c.id == kept.id)):
        return False
    tx.record(
        "parcel-destroyed", NOTIFIER, message=kept.message_id, person=kept.person_id, ciphertext=kept.sha256,
        outcome=outcome,
    )  # fmt: skip
    failpoint("parcel.destroyed")
    return True


def destroy_over(tx: Transaction) -> int:
    """Destroy the parcels whose notices wait no more; return how many."""
    rows = tx.all(_OVER)
    return sum(destroy_parcel(tx, Kept(**row._mapping), "over") for row in rows)


def has_over(connection: Connection) -> bool:
    """Tell whether a parcel's notices wait no more."""
    return connection.execute(_OVER.limit(1)).first() is not None


def is_same_address(one: str, other: str) -> bool:
    """Tell whether two texts are one address, in any letter case."""
    try:
        return parse_address(one).key == parse_address(other).key
    except Malformed:
        return False


_NAMED = (
    parcel.c.id,
    parcel.c.message_id,
    parcel.c.person_id,
    parcel.c.key_id,
    parcel.c.fingerprint,
    parcel.c.address,
    parcel.c.octets,
    parcel.c.sha256,
)
_OF_NOTICE = select(*_NAMED).where(parcel.c.outbox_id.in_(bindparam("rows", expanding=True)))
_OCTETS = select(parcel.c.ciphertext).where(parcel.c.id == bindparam("parcel"))
_LEADING = exists().where(outbox.c.id == parcel.c.outbox_id, outbox.c.state == OutboxState.WAITING.value)
_FURTHER = exists().where(outbox.c.lead_id == parcel.c.outbox_id, outbox.c.state == OutboxState.WAITING.value)
_OVER = select(*_NAMED).where(~_LEADING, ~_FURTHER)
