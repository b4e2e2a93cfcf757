"""What fax sources brought: a row for each mail, whatever became of it. What a fax tells of its sender is sealed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, text

from gateway.store.tables.schema import METADATA, ident, ref, us

fax_arrival = Table(
    "fax_arrival",
    METADATA,
    ident(),
    Column("key", String(64), nullable=False, unique=True),
    Column("source", String(40), nullable=False),
    Column("outcome", String(16), nullable=False),
    ref("message_id", "message", nullable=True, index=True),
    Column("profile", String(40)),
    Column("pages_claimed", Integer),
    Column("pages_counted", Integer),
    us("told_us"),
    us("arrived_us"),
    Column("review", String(120), nullable=False, server_default=""),
    us("at_us", nullable=False),
    Index("ix_fax_arrival_source", "source", "at_us"),
)
"""`key` is a keyed hash of the mail, so that it counts once however often it is brought. `message_id` is the fax that
it is, or repeats; `told_us` when the fax came, as its server tells; `arrived_us` when the mail came to its mailbox, or
to our listener; `review` has the words of why to look twice."""

fax_report = Table(
    "fax_report",
    METADATA,
    ident(),
    Column("source", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False, server_default="0"),
    us("due_us", nullable=False),
    us("lease_until_us"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    us("created_us", nullable=False),
    us("settled_us"),
    Column("last_reply", String(200)),
    Index("ix_fax_report_due", "due_us", "id", sqlite_where=text("state = 0"), postgresql_where=text("state = 0")),
    Index("ix_fax_report_source", "source", "created_us"),
)
"""A report that a fax server asked for, to be sent once. `sealed` has where to and what it names of the mail."""
