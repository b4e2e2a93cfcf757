"""What the author of a message asked to be told of it, in its thread."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from gateway.store.tables.schema import METADATA, ref, us

confirmation = Table(
    "confirmation",
    METADATA,
    Column("message_id", String(64), ForeignKey("message.id"), primary_key=True),
    ref("person_id", "person"),
    Column("wish", String(8), nullable=False),
    Column("reports", Integer, nullable=False, server_default="0"),
    Column("sealed", LargeBinary, nullable=False),
    Column("told", Text, nullable=False, server_default="{}"),
    us("look_us"),
    Index(
        "ix_confirmation_look",
        "look_us",
        sqlite_where=text("look_us IS NOT NULL"),
        postgresql_where=text("look_us IS NOT NULL"),
    ),
)
"""A message has a row where its author wants to be told by mail (`wish`), or their mail tool asked for reports of what
becomes of notices. `sealed` is what the mail tool wrote that a report must repeat, under a key of the door and the
notifier; `told` says what was told, and at `look_us` the notifier looks whether there is more to tell: whoever makes
news sets it to now."""
