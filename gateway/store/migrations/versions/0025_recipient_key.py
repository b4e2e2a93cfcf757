"""Keys of employees that full copies are encrypted to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "recipient_key",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger()),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_us", sa.BigInteger()),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recipient_key"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_recipient_key_person_id"),
    )
    op.create_index("ix_recipient_key_person_id", "recipient_key", ["person_id"])
    there = sa.text("expires_us IS NOT NULL")
    op.create_index(
        "ix_recipient_key_ending", "recipient_key", ["expires_us"], sqlite_where=there, postgresql_where=there
    )
