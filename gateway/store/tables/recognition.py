"""What the pages of faxes were taken for: a row for each fax, sealed to a key pair of the fax's own."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from gateway.store.tables.schema import METADATA, us

fax_recognition = Table(
    "fax_recognition",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("suite", Integer, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("proof", String(64), nullable=False),
    Column("sealed", LargeBinary),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("complete", Integer, nullable=False, server_default="0"),
    Column("sections", Integer, nullable=False, server_default="0"),
    us("recognised_us"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    us("tried_us"),
)
"""`public` is the public half of the fax's own pair, whose private half is sealed with its summary; `proof` a keyed
hash of it, so that nothing is sealed to a key that somebody else put there. `version` is 0 until something is sealed,
and grows. `attempts` counts the children that were given the fax and did not come to an end; while one has it,
`tried_us` is renewed."""
