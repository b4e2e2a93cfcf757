"""What fax sources brought: a row for each mail, whatever became of it. What a fax tells of its sender is sealed."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

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
    Column("review", String(120), nullable=False, server_default=""),
    us("at_us", nullable=False),
    Index("ix_fax_arrival_source", "source", "at_us"),
)
"""`key` is a keyed hash of the mail, so that it counts once however often it is brought. `message_id` is the fax that
it is, or repeats; `told_us` when the fax came, as its server tells; `review` has the words of why to look twice."""
