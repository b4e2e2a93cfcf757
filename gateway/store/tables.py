"""The tables, as SQLAlchemy Core metadata. Instants are microseconds UTC (`*_us`), ids are text, sealed things octets.

Tables in `AUTHORITY` give power: each row carries `version` (it only grows) and `signature`, made by the keyholder
over every other column (`gateway.store.authority`). Nothing acts on such a row before its signature is checked.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(64), primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    return Column(name, String(64), ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def _us(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _signed() -> tuple[Column[int], Column[bytes]]:
    return Column("version", Integer, nullable=False), Column("signature", LargeBinary, nullable=False)


site = Table(
    "site",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

person = Table(
    "person",
    METADATA,
    _id(),
    Column("programme", String(64), nullable=False),
    Column("side", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("username", String(254), unique=True),
    Column("language", String(8), nullable=False, server_default="en"),
    Column("wants_link", Integer, nullable=False, server_default="1"),
    _us("created_us", nullable=False),
    _us("ended_us"),
)

person_address = Table(
    "person_address",
    METADATA,
    _id(),
    _ref("person_id", "person", index=True),
    Column("address", String(254), nullable=False),
    Column("key", String(254), nullable=False, index=True),
    Column("notify", Integer, nullable=False, server_default="1"),
    _us("from_us", nullable=False),
    _us("until_us"),
)

team = Table(
    "team",
    METADATA,
    _id(),
    Column("programme", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", String(254), nullable=False),
    Column("key", String(254), nullable=False, unique=True),
    _us("created_us", nullable=False),
    _us("ended_us"),
)

case = Table(
    "case_",
    METADATA,
    _id(),
    Column("programme", String(64), nullable=False),
    Column("reference", String(24), nullable=False, unique=True),
    _us("opened_us", nullable=False),
    _us("closed_us"),
)

agreement = Table(
    "agreement",
    METADATA,
    _id(),
    Column("programme", String(64), nullable=False),
    _us("created_us", nullable=False),
    _us("ended_us"),
)

# ---- rows that give power ---------------------------------------------------------------------------------------

credential = Table(
    "credential",
    METADATA,
    _id(),
    _ref("person_id", "person", index=True),
    Column("kind", String(16), nullable=False),
    Column("label", String(100), nullable=False),
    Column("lookup", String(64), index=True),
    Column("data", Text, nullable=False),
    Column("networks", Text, nullable=False, server_default=""),
    _us("created_us", nullable=False),
    _us("expires_us"),
    _us("revoked_us"),
    *_signed(),
)

session = Table(
    "session",
    METADATA,
    _id(),
    _ref("person_id", "person", index=True),
    _us("issued_us", nullable=False),
    _us("absolute_us", nullable=False),
    Column("idle_us", BigInteger, nullable=False),
    Column("assurance", Integer, nullable=False),
    _us("ended_us"),
    *_signed(),
)

role = Table(
    "role",
    METADATA,
    _id(),
    _ref("person_id", "person", index=True),
    Column("role", String(32), nullable=False),
    _us("from_us", nullable=False),
    _us("until_us"),
    *_signed(),
)

team_member = Table(
    "team_member",
    METADATA,
    _id(),
    _ref("team_id", "team", index=True),
    _ref("person_id", "person", index=True),
    Column("supervisor", Integer, nullable=False),
    _us("from_us", nullable=False),
    _us("until_us"),
    *_signed(),
)

assignment = Table(
    "assignment",
    METADATA,
    _id(),
    _ref("case_id", "case_", index=True),
    _ref("team_id", "team", nullable=True, index=True),
    _ref("person_id", "person", nullable=True, index=True),
    _us("from_us", nullable=False),
    _us("until_us"),
    *_signed(),
)

agreement_case = Table(
    "agreement_case",
    METADATA,
    _id(),
    _ref("agreement_id", "agreement", index=True),
    _ref("case_id", "case_", index=True),
    _us("from_us", nullable=False),
    _us("until_us"),
    *_signed(),
)

designated_user = Table(
    "designated_user",
    METADATA,
    _id(),
    _ref("agreement_id", "agreement", index=True),
    _ref("person_id", "person", index=True),
    Column("right", String(8), nullable=False),
    _us("from_us", nullable=False),
    _us("until_us"),
    *_signed(),
)

sealing_key = Table(
    "sealing_key",
    METADATA,
    _id(),
    _ref("case_id", "case_", nullable=True, index=True),
    Column("month", String(7), unique=True),
    Column("suite", Integer, nullable=False),
    Column("public", LargeBinary, nullable=False),
    _us("created_us", nullable=False),
    _us("retired_us"),
    *_signed(),
)

AUTHORITY: dict[str, Table] = {
    table.name: table
    for table in (
        credential,
        session,
        role,
        team_member,
        assignment,
        agreement_case,
        designated_user,
        sealing_key,
    )
}

# ---- use that is counted, not power -----------------------------------------------------------------------------

credential_use = Table(
    "credential_use",
    METADATA,
    Column("credential_id", String(64), ForeignKey("credential.id"), primary_key=True),
    _us("last_used_us"),
    Column("last_step", BigInteger),
    Column("failures", Integer, nullable=False, server_default="0"),
    _us("last_failure_us"),
)

session_use = Table(
    "session_use",
    METADATA,
    Column("session_id", String(64), ForeignKey("session.id"), primary_key=True),
    _us("seen_us", nullable=False),
)

# ---- the vault --------------------------------------------------------------------------------------------------

message = Table(
    "message",
    METADATA,
    _id(),
    _ref("case_id", "case_", nullable=True),
    Column("reference", String(32), unique=True),
    Column("side", String(16), nullable=False),
    _ref("author_id", "person", nullable=True, index=True),
    _ref("team_id", "team", nullable=True),
    _ref("parent_id", "message", nullable=True),
    Column("composed", Integer, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("sealed_summary", LargeBinary, nullable=False),
    Column("message_id_hash", String(64), index=True),
    Column("submission_key", String(64), unique=True),
    _us("received_us", nullable=False),
    _us("withdrawn_us"),
    Index("ix_message_case_received", "case_id", "received_us", "id"),
)

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
    _id(),
    _ref("message_id", "message", index=True),
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
    _id(),
    _ref("message_id", "message"),
    _ref("person_id", "person", index=True),
    Column("addressed_as", String(8), nullable=False),
    Column("notify", String(40), nullable=False, server_default=""),
    _us("first_read_us"),
    UniqueConstraint("message_id", "person_id"),
)

repeat = Table(
    "repeat",
    METADATA,
    Column("key", String(64), primary_key=True),
    _ref("message_id", "message"),
    Column("reference", String(32), nullable=False),
    _us("at_us", nullable=False),
)

intake = Table(
    "intake",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),
    Column("tray", String(16), nullable=False),
    Column("kind", String(32)),
    Column("sender_result", String(16), nullable=False),
    _ref("proposed_case_id", "case_", nullable=True),
    Column("proposed_by", String(16)),
    Column("message_id_hash", String(64), index=True),
    _us("filed_us"),
    _us("discarded_us"),
    Index(
        "ix_intake_waiting",
        "message_id",
        sqlite_where=text("filed_us IS NULL AND discarded_us IS NULL"),
        postgresql_where=text("filed_us IS NULL AND discarded_us IS NULL"),
    ),
)
"""Mail from outside, beside its row in `message`: which tray it waits in, and what became of it."""

# ---- what is to be sent -----------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    METADATA,
    _id(),
    Column("programme", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    _ref("person_id", "person", index=True),
    _ref("case_id", "case_", nullable=True),
    _ref("message_id", "message", nullable=True, index=True),
    Column("fields", Text, nullable=False, server_default="{}"),
    Column("state", Integer, nullable=False, server_default="0"),
    _us("due_us", nullable=False),
    _us("lease_until_us"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _us("created_us", nullable=False),
    _us("settled_us"),
    Column("last_reply", String(200)),
    Index("ix_outbox_due", "due_us", "id", sqlite_where=text("state = 0"), postgresql_where=text("state = 0")),
)

# ---- the digital record -----------------------------------------------------------------------------------------

leaf = Table(
    "leaf",
    METADATA,
    _id(),
    _us("at_us", nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("position", BigInteger, unique=True),
    Index(
        "ix_leaf_unpositioned", "id", sqlite_where=text("position IS NULL"), postgresql_where=text("position IS NULL")
    ),
)
