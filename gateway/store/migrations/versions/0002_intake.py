"""The intake tray: what is taken from outside waits in a table of its own beside `message`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_WAITING = sa.text("filed_us IS NULL AND discarded_us IS NULL")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "intake",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("tray", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32)),
        sa.Column("sender_result", sa.String(length=16), nullable=False),
        sa.Column("proposed_case_id", sa.String(length=64)),
        sa.Column("proposed_by", sa.String(length=16)),
        sa.Column("message_id_hash", sa.String(length=64)),
        sa.Column("filed_us", sa.BigInteger()),
        sa.Column("discarded_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_intake_message_id"),
        sa.ForeignKeyConstraint(["proposed_case_id"], ["case_.id"], name="fk_intake_proposed_case_id"),
        sa.PrimaryKeyConstraint("message_id", name="pk_intake"),
        sa.UniqueConstraint("reference", name="uq_intake_reference"),
    )
    op.create_index("ix_intake_message_id_hash", "intake", ["message_id_hash"])
    op.create_index("ix_intake_waiting", "intake", ["message_id"], sqlite_where=_WAITING, postgresql_where=_WAITING)
