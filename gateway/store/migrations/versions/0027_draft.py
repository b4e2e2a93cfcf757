"""Messages of a relay that wait for their author to choose a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_LOOKED_AT = sa.text("look_us IS NOT NULL")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "draft",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("ends_us", sa.BigInteger, nullable=False),
        sa.Column("look_us", sa.BigInteger),
        sa.Column("reminded", sa.Integer, server_default="0", nullable=False),
        sa.Column("chosen_us", sa.BigInteger),
        sa.Column("discarded_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("message_id", name="pk_draft"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_draft_message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_draft_person_id"),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name="fk_draft_author_id"),
        sa.UniqueConstraint("reference", name="uq_draft_reference"),
    )
    op.create_index("ix_draft_person_id", "draft", ["person_id"])
    op.create_index("ix_draft_look", "draft", ["look_us"], sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT)
