"""Messages that wait for their author's word: why, since when, and what came of it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from gateway.store.tables.schema import METADATA, ref, us

guard_wait = Table(
    "guard_wait",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    ref("other_case_id", "case_", nullable=True),
    us("since_us", nullable=False),
    us("remind_us"),
    Column("reminded", Integer, nullable=False, server_default="0"),
    Column("answer", String(16)),
    Column("answered_by", String(64)),
    us("answered_us"),
    Index(
        "ix_guard_wait_remind",
        "remind_us",
        sqlite_where=text("remind_us IS NOT NULL"),
        postgresql_where=text("remind_us IS NOT NULL"),
    ),
)
"""`other_case_id` is the case that a number in the message belongs to; empty where nobody could look at it. `remind_us`
is when the author is told again, or is told no more and the message is not sent; empty once there is an answer."""
