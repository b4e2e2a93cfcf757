"""Rows that give power: what is signed of them, and how a reader checks it before it acts on one.

The keyholder alone signs (Ed25519). Every program has the public key, so that mail-in programs can check a case's
sealing key and the authenticator a credential, too; see `docs/decisions/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Row, Table

from gateway import maillog
from gateway.domain.errors import Tampered
from gateway.domain.record import Fact, canonical

_CONTEXT = b"gateway authority row v1\x00"


def statement(table: Table, row: Mapping[str, Any]) -> bytes:
    """Return the octets a row's signature stands over: its table's name and every column but the signature."""
    columns: dict[str, Fact] = {}
    for column in table.columns:
        if column.name != "signature":
            value = row[column.name]
            columns[column.name] = value.hex() if isinstance(value, bytes | memoryview) else value
    return _CONTEXT + canonical({"table": table.name, "row": columns})


def sign(table: Table, row: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return the signature of a row."""
    return key.sign(statement(table, row))


def is_genuine(table: Table, row: Row[Any], key: Ed25519PublicKey) -> bool:
    """Tell whether the keyholder signed this very row."""
    try:
        key.verify(bytes(row.signature), statement(table, row._mapping))
    except InvalidSignature:
        return False
    return True


def genuine(table: Table, rows: Iterable[Row[Any]], key: Ed25519PublicKey) -> list[Row[Any]]:
    """Return the rows that the keyholder signed; each other one gives nothing and raises an alarm."""
    accepted: list[Row[Any]] = []
    for row in rows:
        if is_genuine(table, row, key):
            accepted.append(row)
        else:
            maillog.alarm("authority", table.name, row.id)
    return accepted


def require_genuine(table: Table, row: Row[Any], key: Ed25519PublicKey) -> Row[Any]:
    """Return the row. Raises Tampered, with an alarm, when the keyholder did not sign it."""
    if not is_genuine(table, row, key):
        maillog.alarm("authority", table.name, row.id)
        raise Tampered("A row that gives power is not genuine.")
    return row
