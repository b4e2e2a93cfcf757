"""Two indexes that no query used: each cost a message a page of SQLite's log, and its place in it."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Drop them; segments of a message are found by their unique constraint, which begins with the message."""
    op.drop_index("ix_message_author_id", "message")
    op.drop_index("ix_segment_message_id", "segment")
