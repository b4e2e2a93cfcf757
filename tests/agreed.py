"""Rows that say that somebody has agreed to the terms, signed as the keyholder signs them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.domain.programme import Programme
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.ids import new_id
from gateway.store.transaction import Transaction


def write_agreed(tx: Transaction, key: Ed25519PrivateKey, person: str, programme: Programme, terms: str = "") -> None:
    """Write it for the version in force, or for another one."""
    row = {
        "id": new_id(), "person_id": person, "programme": programme.key, "terms": terms or programme.terms_version,
        "language": programme.languages[0], "agreed_us": tx.now_us, "version": 1,
    }  # fmt: skip
    tx.insert(tables.agreed_terms, **row, signature=sign(tables.agreed_terms, row, key))
