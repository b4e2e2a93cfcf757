"""The vault: messages, their wrapped keys and segments, who they are for, and what waits for a case."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from gateway.store.tables.schema import METADATA, ident, ref, us

message = Table(
    "message",
    METADATA,
    ident(),
    ref("case_id", "case_", nullable=True),
    Column("reference", String(32), unique=True),
    Column("side", String(16), nullable=False),
    ref("author_id", "person", nullable=True),
    ref("team_id", "team", nullable=True),
    ref("parent_id", "message", nullable=True),
    Column("composed", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("sealed_summary", LargeBinary, nullable=False),
    Column("message_id_hash", String(64), index=True),
    Column("submission_key", String(64), unique=True),
    us("received_us", nullable=False),
    us("withdrawn_us"),
    us("held_until_us"),
    Column("guard", String(8)),
    Index("ix_message_case_received", "case_id", "received_us", "id"),
    Index(
        "ix_message_held",
        "held_until_us",
        sqlite_where=text("held_until_us IS NOT NULL"),
        postgresql_where=text("held_until_us IS NOT NULL"),
    ),
    Index(
        "ix_message_guard",
        "guard",
        "received_us",
        sqlite_where=text("guard IS NOT NULL"),
        postgresql_where=text("guard IS NOT NULL"),
    ),
)
"""Where `held_until_us` stands, the message is not released: nobody but its author's side sees that there is one. It is
taken away when it is released, not by its time passing, nor while the wrong client guard has it: then `guard` says what
it waits for (`gateway.domain.guard.Guarded`). Triggers empty `guard` where the message is withdrawn, or its author has
said yes (`guard_wait`): who takes these words may not write what it waits for."""

message_wrap = Table(
    "message_wrap",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("key_id", String(64), ForeignKey("sealing_key.id"), primary_key=True),
    Column("suite", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)

segment = Table(
    "segment",
    METADATA,
    ident(),
    ref("message_id", "message"),
    Column("part", String(64), nullable=False, server_default=""),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    Column("suite", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("inline", LargeBinary),
    Column("blob", String(80), unique=True),
    Column("ciphertext_sha256", String(64), nullable=False),
    UniqueConstraint("message_id", "part", "ordinal"),
)

recipient = Table(
    "recipient",
    METADATA,
    ident(),
    ref("message_id", "message"),
    ref("person_id", "person", index=True),
    Column("addressed_as", String(8), nullable=False),
    Column("notify", String(40), nullable=False, server_default=""),
    us("first_read_us"),
    us("remind_us"),
    Column("reminded", Integer, nullable=False, server_default="0"),
    us("released_us"),
    UniqueConstraint("message_id", "person_id"),
    Index(
        "ix_recipient_remind",
        "remind_us",
        sqlite_where=text("remind_us IS NOT NULL"),
        postgresql_where=text("remind_us IS NOT NULL"),
    ),
)
"""Who a message is for. Until they have read it (`first_read_us`) or need not any more (`released_us`: somebody who may
act has, or it was withdrawn, or an employee said so) they owe a reading: it is looked at when `remind_us` has come, and
`reminded` counts the times that reminders were set for and told."""

repeat = Table(
    "repeat",
    METADATA,
    Column("key", String(64), primary_key=True),
    ref("message_id", "message"),
    Column("reference", String(32), nullable=False),
    us("at_us", nullable=False),
)

intake = Table(
    "intake",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),
    Column("tray", String(16), nullable=False),
    Column("kind", String(32)),
    Column("sender_result", String(16), nullable=False),
    ref("proposed_case_id", "case_", nullable=True),
    Column("proposed_by", String(16)),
    Column("message_id_hash", String(64), index=True),
    us("filed_us"),
    us("discarded_us"),
    Index(
        "ix_intake_waiting",
        "message_id",
        sqlite_where=text("filed_us IS NULL AND discarded_us IS NULL"),
        postgresql_where=text("filed_us IS NULL AND discarded_us IS NULL"),
    ),
)
"""Mail from outside, beside its row in `message`: which tray it waits in, and what became of it."""
