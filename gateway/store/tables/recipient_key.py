"""Keys that full copies are encrypted to: who holds one reads, so that each row is signed as a row that gives power."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from gateway.store.tables.schema import METADATA, ident, ref, signed, us

recipient_key = Table(
    "recipient_key",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("kind", String(8), nullable=False),
    Column("octets", LargeBinary, nullable=False),
    Column("fingerprint", String(128), nullable=False),
    Column("address", String(254), nullable=False),
    us("created_us", nullable=False),
    us("expires_us"),
    Column("code_hash", String(64), nullable=False),
    Column("proof", LargeBinary, nullable=False),
    us("confirmed_us"),
    us("until_us"),
    *signed(),
)
"""Of no use before `confirmed_us`: `proof` is a mail encrypted to the key, with the code of `code_hash` in it."""

key_look = Table(
    "key_look",
    METADATA,
    Column("key_id", String(64), ForeignKey("recipient_key.id"), primary_key=True),
    us("looked_us", nullable=False),
    us("revoked_us"),
)
"""When the portal last looked up whether a certificate is revoked, and since when it is known to be. It takes power
away and gives none, so that it needs no signature."""
