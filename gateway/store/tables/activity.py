"""What is used, sent and recorded: use that is counted (not power), the outbox, the digital record."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from gateway.store.tables.schema import METADATA, ident, ref, us

credential_use = Table(
    "credential_use",
    METADATA,
    Column("credential_id", String(64), ForeignKey("credential.id"), primary_key=True),
    us("last_used_us"),
    Column("last_step", BigInteger),
    Column("failures", Integer, nullable=False, server_default="0"),
    us("last_failure_us"),
)

session_use = Table(
    "session_use",
    METADATA,
    Column("session_id", String(64), ForeignKey("session.id"), primary_key=True),
    us("seen_us", nullable=False),
)

outbox = Table(
    "outbox",
    METADATA,
    ident(),
    Column("programme", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    ref("person_id", "person"),
    ref("case_id", "case_", nullable=True),
    ref("message_id", "message", nullable=True, index=True),
    Column("lead_id", String(64)),
    Column("fields", Text, nullable=False, server_default="{}"),
    Column("state", Integer, nullable=False, server_default="0"),
    us("due_us", nullable=False),
    us("lease_until_us"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    us("created_us", nullable=False),
    us("settled_us"),
    Column("last_reply", String(200)),
    Index("ix_outbox_due", "due_us", "id", sqlite_where=text("state = 0"), postgresql_where=text("state = 0")),
    Index("ix_outbox_person_state", "person_id", "state"),
    Index(
        "ix_outbox_lead",
        "lead_id",
        sqlite_where=text("lead_id IS NOT NULL"),
        postgresql_where=text("lead_id IS NOT NULL"),
    ),
)

"""`lead_id` names the row in whose notification this one is told too, or whose further address it is for."""

leaf = Table(
    "leaf",
    METADATA,
    ident(),
    us("at_us", nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("position", BigInteger, unique=True),
    Index(
        "ix_leaf_unpositioned", "id", sqlite_where=text("position IS NULL"), postgresql_where=text("position IS NULL")
    ),
)
