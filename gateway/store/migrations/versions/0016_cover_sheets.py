"""Cover sheets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "cover_sheet",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64)),
        sa.Column("agreement_id", sa.String(length=64)),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_cover_sheet"),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_cover_sheet_case_id"),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name="fk_cover_sheet_agreement_id"),
        sa.UniqueConstraint("reference", name="uq_cover_sheet_reference"),
        sa.CheckConstraint("(case_id IS NULL) <> (agreement_id IS NULL)", name="ck_cover_sheet_one_place"),
    )
    op.create_index("ix_cover_sheet_case_id", "cover_sheet", ["case_id"])
    op.create_index("ix_cover_sheet_agreement_id", "cover_sheet", ["agreement_id"])
    op.create_index("ix_cover_sheet_made", "cover_sheet", ["made_by", "made_us"])
