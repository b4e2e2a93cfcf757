"""Keys that full copies are encrypted to: rows that give power, each checked before it counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.recipient_key import CODE_US, KeyKind, RecipientKey
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.people import addresses_of
from gateway.store.tables import recipient_key


def recipient_key_of(
    connection: Connection, authority: AuthorityKey, person_id: str, now: datetime
) -> RecipientKey | None:
    """Return the key of an employee that a full copy may be encrypted to now, or None.

    That is one which its owner has proven to hold, has not ended, and is for an address that is theirs still.
    """
    now_us = to_microseconds(now)
    for row in keys_of(connection, authority, person_id, now_us):
        if row.confirmed_us is None or (row.expires_us is not None and row.expires_us <= now_us):
            continue
        addresses = addresses_of(connection, [person_id], now_us).get(person_id, [])
        if row.address.lower() in {one.lower() for one in addresses}:
            return as_key(row)
    return None


def keys_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> list[Row[Any]]:
    """Return the genuine rows of somebody's keys that have not been taken away, the newest first."""
    table = recipient_key
    rows = connection.execute(
        select(table)
        .where(table.c.person_id == person_id, or_(table.c.until_us.is_(None), table.c.until_us > now_us))
        .order_by(table.c.created_us.desc(), table.c.id.desc())
    )
    return genuine(table, rows, authority)


def as_key(row: Row[Any]) -> RecipientKey:
    """Return a row as a value."""
    expires = None if row.expires_us is None else from_microseconds(row.expires_us)
    return RecipientKey(KeyKind(row.kind), bytes(row.octets), row.fingerprint, expires, row.address)


def proof_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> bytes | None:
    """Return the ciphertext of the code that somebody's newest key waits for, None where none waits."""
    waiting = (row for row in keys_of(connection, authority, person_id, now_us) if row.confirmed_us is None)
    found = next((row for row in waiting if row.created_us + CODE_US > now_us), None)
    return None if found is None else bytes(found.proof)
