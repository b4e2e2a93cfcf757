"""What the pages of faxes were taken for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the table. Faxes that came before have no key pair of their own, and get no row."""
    op.create_table(
        "fax_recognition",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("complete", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sections", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recognised_us", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("message_id", name="pk_fax_recognition"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_fax_recognition_message_id"),
    )
