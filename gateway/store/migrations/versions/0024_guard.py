"""The wrong client guard: what a message still waits for, and the author's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_GUARDED = sa.text("guard IS NOT NULL")
_REMIND = sa.text("remind_us IS NOT NULL")


def upgrade() -> None:
    """Make the column, which is empty for all that is there, and the table."""
    op.add_column("message", sa.Column("guard", sa.String(length=8)))
    op.create_index(
        "ix_message_guard", "message", ["guard", "received_us"], sqlite_where=_GUARDED, postgresql_where=_GUARDED
    )
    op.create_table(
        "guard_wait",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("other_case_id", sa.String(length=64)),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("remind_us", sa.BigInteger()),
        sa.Column("reminded", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("answer", sa.String(length=16)),
        sa.Column("answered_by", sa.String(length=64)),
        sa.Column("answered_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("message_id", name="pk_guard_wait"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_guard_wait_message_id"),
        sa.ForeignKeyConstraint(["other_case_id"], ["case_.id"], name="fk_guard_wait_other_case_id"),
    )
    op.create_index("ix_guard_wait_remind", "guard_wait", ["remind_us"], sqlite_where=_REMIND, postgresql_where=_REMIND)
