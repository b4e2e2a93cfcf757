"""When people are told: readings that are owed, notices told together, a person's time zone, ends that are to come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ENDING = (
    ("designated_user", "until_us"),
    ("agreement_case", "until_us"),
    ("role", "until_us"),
    ("credential", "expires_us"),
)


def upgrade() -> None:
    """Add columns and indexes. Messages that came before are owed no reading: nobody is reminded of old ones."""
    op.add_column("person", sa.Column("time_zone", sa.String(length=64)))
    op.add_column("recipient", sa.Column("remind_us", sa.BigInteger()))
    op.add_column("recipient", sa.Column("reminded", sa.Integer(), server_default="0", nullable=False))
    op.add_column("recipient", sa.Column("released_us", sa.BigInteger()))
    _index("ix_recipient_remind", "recipient", "remind_us")
    op.add_column("outbox", sa.Column("lead_id", sa.String(length=64)))
    _index("ix_outbox_lead", "outbox", "lead_id")
    op.create_index("ix_outbox_person_state", "outbox", ["person_id", "state"])
    op.drop_index("ix_outbox_person_id", "outbox")
    for table, column in _ENDING:
        _index(f"ix_{table}_ending", table, column)
    op.create_table(
        "pace",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), server_default="", nullable=False),
        sa.Column("times", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_pace_person_id"),
        sa.PrimaryKeyConstraint("person_id", "topic", name="pk_pace"),
    )
    op.create_table(
        "told_ending",
        sa.Column("row_id", sa.String(length=64), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", "until_us", "days", name="pk_told_ending"),
    )


def _index(name: str, table: str, column: str) -> None:
    there = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
