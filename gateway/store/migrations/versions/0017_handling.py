"""What clerks do with items of the tray; one document may show several papers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables, and let a message be linked to several papers."""
    op.create_table(
        "intake_claim",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64)),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        *_keys("intake_claim", "message_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_intake_claim_person_id"),
    )
    op.create_table(
        "intake_section",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("sections", sa.Text(), nullable=False),
        sa.Column("turns", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_keys("intake_section", "message_id"),
    )
    op.create_table(
        "intake_act",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=64)),
        sa.Column("place", sa.String(length=64), server_default="", nullable=False),
        sa.Column("before", sa.Text(), server_default="", nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("undone_us", sa.BigInteger()),
        *_keys("intake_act", "id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_intake_act_person_id"),
    )
    op.create_index("ix_intake_act_message_id", "intake_act", ["message_id"])
    op.create_index("ix_intake_act_at", "intake_act", ["at_us"])
    with op.batch_alter_table("form_document") as batch:
        batch.drop_constraint("pk_form_document", type_="primary")
        batch.create_primary_key("pk_form_document", ["message_id", "form_id"])


def _keys(table: str, primary: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint(primary, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=f"fk_{table}_message_id"),
    )
