"""The state of people's addresses, and what is reported of single notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NEW = sa.text("applied_us IS NULL")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "address_state",
        sa.Column("address_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("taken_us", sa.BigInteger()),
        sa.Column("complained_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["address_id"], ["person_address.id"], name="fk_address_state_address_id"),
        sa.PrimaryKeyConstraint("address_id", name="pk_address_state"),
    )
    op.create_table(
        "notice_report",
        sa.Column("outbox_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("enhanced", sa.String(length=12), server_default="", nullable=False),
        sa.Column("named", sa.String(length=160), server_default="", nullable=False),
        sa.Column("case_id", sa.String(length=64)),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("applied_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_notice_report_outbox_id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_notice_report_case_id"),
        sa.PrimaryKeyConstraint("outbox_id", "kind", name="pk_notice_report"),
    )
    op.create_index("ix_notice_report_case_id", "notice_report", ["case_id"])
    op.create_index("ix_notice_report_new", "notice_report", ["at_us"], sqlite_where=_NEW, postgresql_where=_NEW)
