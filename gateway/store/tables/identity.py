"""Sign-ins by an identity provider: which sessions began there, and what a person has to look at before a link is made.

None of it gives power: the first only ends sessions, the second counts for nothing until an operator has decided, and
then by the authenticator's signature in it.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, text

from gateway.store.tables.schema import METADATA, ident, ref, us

identity_session = Table(
    "identity_session",
    METADATA,
    Column("session_id", String(64), primary_key=True),
    Column("credential_id", String(64), nullable=False, index=True),
    Column("sid", String(64), index=True),
    us("issued_us", nullable=False),
)

identity_review = Table(
    "identity_review",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("provider", String(32), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("addresses", Text, nullable=False),
    Column("lookup", String(64), nullable=False, index=True),
    Column("binding", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    us("created_us", nullable=False),
    us("decided_us"),
    Column("accepted", Integer),
    Index(
        "ix_identity_review_waiting",
        "created_us",
        sqlite_where=text("decided_us IS NULL"),
        postgresql_where=text("decided_us IS NULL"),
    ),
)
