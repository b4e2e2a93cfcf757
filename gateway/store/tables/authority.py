"""Rows that give power: each carries `version` (it only grows) and the keyholder's `signature` over every other column.

Nothing acts on such a row before its signature is checked (`gateway.store.authority`).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.absence import absence, succession
from gateway.store.tables.delegation import delegation
from gateway.store.tables.enrolment import approval, authorisation, enrolment
from gateway.store.tables.joining import agreed_terms
from gateway.store.tables.recipient_key import recipient_key
from gateway.store.tables.schema import LATER, METADATA, ident, later, ref, signed, us

credential = Table(
    "credential",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("kind", String(16), nullable=False),
    Column("label", String(100), nullable=False),
    Column("lookup", String(64), index=True),
    Column("data", Text, nullable=False),
    Column("networks", Text, nullable=False, server_default=""),
    us("created_us", nullable=False),
    us("expires_us"),
    us("revoked_us"),
    *signed(),
)

session = Table(
    "session",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    us("issued_us", nullable=False),
    us("absolute_us", nullable=False),
    Column("idle_us", BigInteger, nullable=False),
    Column("assurance", Integer, nullable=False),
    us("ended_us"),
    *signed(),
)

role = Table(
    "role",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("role", String(32), nullable=False),
    us("from_us", nullable=False),
    us("until_us"),
    Column("due_us", BigInteger, info=LATER),
    *signed(),
)
"""What an employee may do. From `due_us` on it gives nothing until somebody has confirmed it."""

team_member = Table(
    "team_member",
    METADATA,
    ident(),
    ref("team_id", "team", index=True),
    ref("person_id", "person", index=True),
    Column("supervisor", Integer, nullable=False),
    us("from_us", nullable=False),
    us("until_us"),
    *signed(),
)

assignment = Table(
    "assignment",
    METADATA,
    ident(),
    ref("case_id", "case_", index=True),
    ref("team_id", "team", nullable=True, index=True),
    ref("person_id", "person", nullable=True, index=True),
    us("from_us", nullable=False),
    us("until_us"),
    later("purpose", 32),
    *signed(),
)
"""A case in the hands of a team or a person; with a purpose: a look into a case that is not theirs."""

agreement_case = Table(
    "agreement_case",
    METADATA,
    ident(),
    ref("agreement_id", "agreement", index=True),
    ref("case_id", "case_", index=True),
    us("from_us", nullable=False),
    us("until_us"),
    *signed(),
)

designated_user = Table(
    "designated_user",
    METADATA,
    ident(),
    ref("agreement_id", "agreement", index=True),
    ref("person_id", "person", index=True),
    Column("right", String(8), nullable=False),
    us("from_us", nullable=False),
    us("until_us"),
    later("state", 16),
    later("needs", 32),
    later("step", 16),
    later("before", 16),
    Column("moved_us", BigInteger, info=LATER),
    Column("due_us", BigInteger, info=LATER),
    *signed(),
)
"""A place in an agreement. Without a state it was made by an operator, without a form; `needs` is the kind of form
that must stand beside it; `step`, `before` and `moved_us` are the last step, for undoing. From `due_us` on it gives
nothing until somebody has confirmed it."""

sealing_key = Table(
    "sealing_key",
    METADATA,
    ident(),
    ref("case_id", "case_", nullable=True, index=True),
    Column("month", String(7), unique=True),
    Column("suite", Integer, nullable=False),
    Column("public", LargeBinary, nullable=False),
    us("created_us", nullable=False),
    us("retired_us"),
    Column("agreement_id", String(64), ForeignKey("agreement.id"), info=LATER),
    *signed(),
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
        enrolment,
        authorisation,
        approval,
        agreed_terms,
        delegation,
        absence,
        succession,
        recipient_key,
    )
}
