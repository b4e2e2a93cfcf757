"""What clerks do with items of the intake tray: who has claimed one, how its pages are put, what was done."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from gateway.store.tables.schema import METADATA, ident, ref, us

intake_claim = Table(
    "intake_claim",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    ref("person_id", "person", nullable=True),
    us("at_us", nullable=False),
    us("until_us", nullable=False),
)
"""Who works on an item, until when; nobody's row is a local operator's."""

intake_section = Table(
    "intake_section",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    Column("sections", Text, nullable=False),
    Column("turns", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
"""How a person has put the pages of an item, beside what a machine took them for: numbers of pages, and quarter turns.
`sections` is JSON, a list of lists of pages; `turns` JSON, degrees clockwise by page."""

intake_act = Table(
    "intake_act",
    METADATA,
    ident(),
    ref("message_id", "message", index=True),
    Column("kind", String(16), nullable=False),
    ref("person_id", "person", nullable=True),
    Column("place", String(64), nullable=False, server_default=""),
    Column("before", Text, nullable=False, server_default=""),
    us("at_us", nullable=False),
    us("undone_us"),
    Index("ix_intake_act_at", "at_us"),
)
"""What was done with an item, so that it can be undone: `place` is the case or the paper it went to, `before` how its
pages were put."""
