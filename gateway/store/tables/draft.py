"""Messages that a relay brought and that fit several cases: they wait for their author to choose one."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, text

from gateway.store.tables.schema import METADATA, ref, us

draft = Table(
    "draft",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),
    Column("programme", String(64), nullable=False),
    ref("person_id", "person", index=True),
    ref("author_id", "person"),
    Column("facts", Text, nullable=False),
    us("ends_us", nullable=False),
    us("look_us"),
    Column("reminded", Integer, nullable=False, server_default="0"),
    us("chosen_us"),
    us("discarded_us"),
    Index(
        "ix_draft_look",
        "look_us",
        sqlite_where=text("look_us IS NOT NULL"),
        postgresql_where=text("look_us IS NOT NULL"),
    ),
)
"""Beside its row in `message`, which has no case and no reference while it waits, and a wrap to each case that fits.
`person_id` decides: its author, or who went on with a leaver's work; of a team of which nobody says who wrote it,
anybody. `facts` is what the envelope and the header came to: ids, words and counts. At `look_us` the notifier reminds;
at `ends_us` nothing was chosen."""
