"""Who stands in for whom, who goes on for somebody who has left, and replies that nobody has opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.migrations.rights_count import count_changes

revision = "0023"
down_revision = "0022"

_LOOKED_AT = sa.text("look_us IS NOT NULL")


def upgrade() -> None:
    """Make the tables. What is remembered of the first two is forgotten at each change; replies before are not told."""
    for table, other, has_end in (("absence", "deputy_id", True), ("succession", "successor_id", False)):
        op.create_table(
            table,
            sa.Column("id", sa.String(length=64), nullable=False),
            sa.Column("person_id", sa.String(length=64), nullable=False),
            sa.Column(other, sa.String(length=64), nullable=False),
            sa.Column("from_us", sa.BigInteger(), nullable=False),
            sa.Column("until_us", sa.BigInteger(), nullable=not has_end),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("signature", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=f"fk_{table}_person_id"),
            sa.ForeignKeyConstraint([other], ["person.id"], name=f"fk_{table}_{other}"),
        )
        for column in ("person_id", other):
            op.create_index(f"ix_{table}_{column}", table, [column])
        count_changes(table)
    op.create_table(
        "unopened",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("look_us", sa.BigInteger()),
        sa.Column("told", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("message_id", name="pk_unopened"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_unopened_message_id"),
    )
    op.create_index("ix_unopened_look", "unopened", ["look_us"], sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT)
