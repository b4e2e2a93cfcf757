"""Keys that full copies are encrypted to: rows that give power, each checked before it counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, text, update

from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.recipient_key import CODE_US, KeyKind, RecipientKey
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.people import addresses_of
from gateway.store.tables import key_look, recipient_key
from gateway.store.transaction import Transaction


def recipient_key_of(
    connection: Connection, authority: AuthorityKey, person_id: str, now: datetime
) -> RecipientKey | None:
    """Return the key of an employee that a full copy may be encrypted to now, or None.

    That is one which its owner has proven to hold, has not ended, and is for an address that is theirs still.
    """
    row = key_in_use(connection, authority, person_id, to_microseconds(now))
    return None if row is None else as_key(row)


def key_in_use(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> Row[Any] | None:
    """Return the row of that key, or None."""
    for row in keys_of(connection, authority, person_id, now_us):
        if row.confirmed_us is None or (row.expires_us is not None and row.expires_us <= now_us):
            continue
        addresses = addresses_of(connection, [person_id], now_us).get(person_id, [])
        if row.address.lower() in {one.lower() for one in addresses}:
            return row
    return None


def keys_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> list[Row[Any]]:
    """Return the genuine rows of somebody's keys that have not been taken away nor found revoked, the newest first."""
    table = recipient_key
    rows = connection.execute(
        select(table)
        .outerjoin(key_look, key_look.c.key_id == table.c.id)
        .where(
            table.c.person_id == person_id,
            or_(table.c.until_us.is_(None), table.c.until_us > now_us),
            key_look.c.revoked_us.is_(None),
        )
        .order_by(table.c.created_us.desc(), table.c.id.desc())
    )
    return genuine(table, rows, authority)


@dataclass(frozen=True, slots=True)
class Look:
    """When it was last looked up whether a key is revoked, and whether it is."""

    at_us: int = 0
    is_revoked: bool = False

    def is_from(self, now_us: int, within_us: int) -> bool:
        """Tell whether it is no further from now than that, on either side: a clock may have been ahead."""
        return abs(now_us - self.at_us) < within_us


def looks_of(connection: Connection, key_ids: Collection[str]) -> dict[str, Look]:
    """Return what was looked up, by key; a key that is not named never was."""
    rows = connection.execute(select(key_look).where(key_look.c.key_id.in_(sorted(key_ids))))
    return {row.key_id: Look(int(row.looked_us), row.revoked_us is not None) for row in rows}


def enter_look(tx: Transaction, key_id: str, *, is_revoked: bool) -> bool:
    """Write down what was looked up of a key now. Return True where this is the first time that it is revoked."""
    tx.execute(_LOOKED, {"key": key_id, "now": tx.now_us})
    first = update(key_look).where(key_look.c.key_id == key_id, key_look.c.revoked_us.is_(None))
    return is_revoked and bool(tx.execute(first.values(revoked_us=tx.now_us)))


def as_key(row: Row[Any]) -> RecipientKey:
    """Return a row as a value."""
    expires = None if row.expires_us is None else from_microseconds(row.expires_us)
    return RecipientKey(KeyKind(row.kind), bytes(row.octets), row.fingerprint, expires, row.address)


def proof_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> bytes | None:
    """Return the ciphertext of the code that somebody's newest key waits for, None where none waits."""
    waiting = (row for row in keys_of(connection, authority, person_id, now_us) if row.confirmed_us is None)
    found = next((row for row in waiting if row.created_us + CODE_US > now_us), None)
    return None if found is None else bytes(found.proof)


# Two portals may look the same key up at once.
_LOOKED = text(
    "INSERT INTO key_look (key_id, looked_us) VALUES (:key, :now) "
    "ON CONFLICT (key_id) DO UPDATE SET looked_us = excluded.looked_us"
)
