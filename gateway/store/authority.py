"""Rows that give power: what is signed of them, and how a reader checks it before it acts on one.

The keyholder alone signs (Ed25519). Every program has the public key, so that mail-in programs can check a case's
sealing key and the authenticator a credential, too; see `docs/decisions/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Row, RowMapping, Table

from gateway import maillog
from gateway.domain.errors import Tampered
from gateway.domain.record import Fact, canonical
from gateway.store.tables.schema import LATER

_CONTEXT = b"gateway authority row v1\x00"


class Floors(Protocol):
    """The lowest version that each row may have. Called from any thread."""

    def accept(self, table: str, row_id: str, version: int) -> bool:
        """Tell whether a genuine row is no older than one already seen, and remember it when it is newer."""
        ...


@dataclass(frozen=True, slots=True)
class WatchfulKey:
    """The authority key with a memory: what was genuine once and has been replaced since is not genuine (rollback)."""

    public: Ed25519PublicKey
    floors: Floors

    def verify(self, signature: bytes, octets: bytes) -> None:
        """Check a signature. Raises InvalidSignature."""
        self.public.verify(signature, octets)


AuthorityKey = Ed25519PublicKey | WatchfulKey
"""What rows are checked with: the public key everywhere, in the keyholder the key with a memory."""


def statement(table: Table, row: Mapping[str, Any] | RowMapping) -> bytes:
    """Return the octets a row's signature stands over: its table's name and every column but the signature.

    A column that came later is left out while it is empty: what was signed before it came stays genuine.
    """
    columns: dict[str, Fact] = {}
    for column in table.columns:
        if column.name != "signature":
            value = row.get(column.name) if column.info else row[column.name]
            if value is None and column.info == LATER:
                continue
            columns[column.name] = {"octets": bytes(value).hex()} if isinstance(value, bytes | memoryview) else value
    return _CONTEXT + canonical({"table": table.name, "row": columns})


def sign(table: Table, row: Mapping[str, Any] | RowMapping, key: Ed25519PrivateKey) -> bytes:
    """Return the signature of a row."""
    return key.sign(statement(table, row))


def is_genuine(table: Table, row: Row[Any], key: AuthorityKey) -> bool:
    """Tell whether the keyholder signed this very row, and no newer one that `key` knows of."""
    public = key.public if isinstance(key, WatchfulKey) else key
    try:
        _verify(public.public_bytes_raw(), bytes(row.signature), statement(table, dict(row._mapping)))
    except (InvalidSignature, TypeError, ValueError):  # SQLite keeps any type in any column: a forged row may hold any
        return False
    return not isinstance(key, WatchfulKey) or key.floors.accept(table.name, row.id, row.version)


@lru_cache(8192)
def _verify(public: bytes, signature: bytes, octets: bytes) -> None:
    """Check a signature; what was good once is not computed again. Raises InvalidSignature."""
    Ed25519PublicKey.from_public_bytes(public).verify(signature, octets)


def genuine(table: Table, rows: Iterable[Row[Any]], key: AuthorityKey) -> list[Row[Any]]:
    """Return the rows that the keyholder signed; each other one gives nothing and raises an alarm."""
    accepted: list[Row[Any]] = []
    for row in rows:
        if is_genuine(table, row, key):
            accepted.append(row)
        else:
            maillog.alarm("authority", table.name, row.id)
    return accepted


def require_genuine(table: Table, row: Row[Any], key: AuthorityKey) -> Row[Any]:
    """Return the row. Raises Tampered, with an alarm, when the keyholder did not sign it."""
    if not is_genuine(table, row, key):
        maillog.alarm("authority", table.name, row.id)
        raise Tampered("A row that gives power is not genuine.")
    return row
