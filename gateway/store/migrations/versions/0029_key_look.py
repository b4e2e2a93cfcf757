"""When it was looked up whether a certificate is revoked, and which row of a key a parcel was made for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Make the table and the column: what is on its way goes as its link."""
    op.add_column("parcel", sa.Column("key_id", sa.String(length=64)))
    op.create_table(
        "key_look",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("looked_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key_id", name="pk_key_look"),
        sa.ForeignKeyConstraint(["key_id"], ["recipient_key.id"], name="fk_key_look_key_id"),
    )
