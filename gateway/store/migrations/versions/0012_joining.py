"""How far people have come between invitation and inbox, and the terms that each has agreed to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "joining",
        sa.Column("designated_user_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("invited_us", sa.BigInteger(), nullable=False),
        sa.Column("started_us", sa.BigInteger()),
        sa.Column("way", sa.String(length=64)),
        sa.Column("chosen_us", sa.BigInteger()),
        sa.Column("agreed_us", sa.BigInteger()),
        sa.Column("finished_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("designated_user_id", name="pk_joining"),
        sa.ForeignKeyConstraint(["designated_user_id"], ["designated_user.id"], name="fk_joining_designated_user_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_joining_person_id"),
    )
    op.create_index("ix_joining_person_id", "joining", ["person_id"])
    op.create_table(
        "agreed_terms",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("agreed_us", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agreed_terms"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_agreed_terms_person_id"),
    )
    op.create_index("ix_agreed_terms_person_id", "agreed_terms", ["person_id"])
