"""Parcels that wait for the notice they go with: ciphertext of full replies, each for one employee."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from gateway.store.tables.schema import METADATA, ident, ref, us

parcel = Table(
    "parcel",
    METADATA,
    ident(),
    ref("message_id", "message"),
    ref("person_id", "person"),
    ref("outbox_id", "outbox", index=True),
    Column("key_id", String(64)),
    Column("fingerprint", String(128), nullable=False),
    Column("address", String(254), nullable=False),
    Column("octets", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    us("created_us", nullable=False),
)
"""`outbox_id` is the notice that was entered with it; `key_id` is the row of the key that it is encrypted to,
`fingerprint` and `address` are that key's."""
