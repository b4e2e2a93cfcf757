"""Who may write in whose name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.migrations.rights_count import count_changes

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the table, and count its changes: what is remembered of it is forgotten at each."""
    op.create_table(
        "delegation",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("delegate_id", sa.String(length=64), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_delegation_person_id"),
        sa.ForeignKeyConstraint(["delegate_id"], ["person.id"], name="fk_delegation_delegate_id"),
    )
    op.create_index("ix_delegation_person_id", "delegation", ["person_id"])
    op.create_index("ix_delegation_delegate_id", "delegation", ["delegate_id"])
    count_changes("delegation")
