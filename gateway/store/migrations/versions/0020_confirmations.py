"""What authors asked to be told of their messages, how they want to be told, and messages that wait to be released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_LOOKED_AT = sa.text("look_us IS NOT NULL")
_HELD = sa.text("held_until_us IS NOT NULL")


def upgrade() -> None:
    """Add the columns, and make the table. Messages that came before are released, and nobody is told of them."""
    op.add_column("person", sa.Column("confirm", sa.String(length=8), server_default="first", nullable=False))
    op.add_column("person", sa.Column("delay_minutes", sa.Integer))
    op.add_column("message", sa.Column("held_until_us", sa.BigInteger))
    op.create_index("ix_message_held", "message", ["held_until_us"], sqlite_where=_HELD, postgresql_where=_HELD)
    op.create_table(
        "confirmation",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("wish", sa.String(length=8), nullable=False),
        sa.Column("reports", sa.Integer, server_default="0", nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("told", sa.Text, server_default="{}", nullable=False),
        sa.Column("look_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("message_id", name="pk_confirmation"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_confirmation_message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_confirmation_person_id"),
    )
    op.create_index(
        "ix_confirmation_look", "confirmation", ["look_us"], sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT
    )
