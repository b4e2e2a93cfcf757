"""Automatic mail that ended at a case, as lines of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the table. Automatic mail that came before stands in the record alone."""
    op.create_table(
        "automatic_mail",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64)),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=64)),
        sa.Column("first_us", sa.BigInteger, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_automatic_mail"),
        sa.ForeignKeyConstraint(["case_id"], ["case_.id"], name="fk_automatic_mail_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_automatic_mail_person_id"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_automatic_mail_message_id"),
    )
    op.create_index("ix_automatic_mail_case", "automatic_mail", ["case_id", "last_us"])
