"""Automatic mail that ended at a case: what it was and when, never what it said."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from gateway.store.tables.schema import METADATA, ident, ref, us

automatic_mail = Table(
    "automatic_mail",
    METADATA,
    ident(),
    ref("case_id", "case_"),
    ref("person_id", "person", nullable=True),
    Column("kind", String(32), nullable=False),
    ref("message_id", "message", nullable=True),
    us("first_us", nullable=False),
    us("last_us", nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),
    Index("ix_automatic_mail_case", "case_id", "last_us"),
)
"""One line on a case: mail of one kind by one employee, `count` of them within an hour. `message_id` is the message
that a recall request means."""
