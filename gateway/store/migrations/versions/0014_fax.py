"""What fax sources brought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "fax_arrival",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=64)),
        sa.Column("profile", sa.String(length=40)),
        sa.Column("pages_claimed", sa.Integer()),
        sa.Column("pages_counted", sa.Integer()),
        sa.Column("told_us", sa.BigInteger()),
        sa.Column("review", sa.String(length=120), server_default="", nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fax_arrival"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_fax_arrival_message_id"),
        sa.UniqueConstraint("key", name="uq_fax_arrival_key"),
    )
    op.create_index("ix_fax_arrival_message_id", "fax_arrival", ["message_id"])
    op.create_index("ix_fax_arrival_source", "fax_arrival", ["source", "at_us"])
