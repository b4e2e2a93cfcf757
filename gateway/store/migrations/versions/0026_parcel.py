"""Parcels, and which employees want them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the table, and add the choice: nobody has made it."""
    op.add_column("person", sa.Column("full_copies", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "parcel",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("outbox_id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("octets", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_parcel"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_parcel_message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_parcel_person_id"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_parcel_outbox_id"),
    )
    op.create_index("ix_parcel_outbox_id", "parcel", ["outbox_id"])
