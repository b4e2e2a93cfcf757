"""Enrolment: states, papers and what is kept of them, authorisations, meetings, second persons.

Signed tables get columns that are empty in every row there is: such a column is not signed while it is empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.migrations.rights_count import count_changes

revision = "0008"
down_revision = "0007"

_LATER = (
    ("assignment", "purpose", "VARCHAR(32)"),
    ("designated_user", "state", "VARCHAR(16)"),
    ("designated_user", "needs", "VARCHAR(32)"),
    ("designated_user", "step", "VARCHAR(16)"),
    ("designated_user", "before", "VARCHAR(16)"),
    ("designated_user", "moved_us", "BIGINT"),
    (
        "sealing_key",
        "agreement_id",
        "VARCHAR(64) CONSTRAINT fk_sealing_key_agreement_id REFERENCES agreement (id)",
    ),
)


def upgrade() -> None:
    """Add the columns, make the tables, and let the count of rights see the two that decide rights."""
    for table, column, kind in _LATER:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    _papers()
    _states()
    _meetings()
    for table in ("enrolment", "authorisation"):
        count_changes(table)


def _papers() -> None:
    op.create_table(
        "form",
        _id(),
        _id("agreement_id"),
        sa.Column("designated_user_id", sa.String(length=64)),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("received", sa.String(length=10), nullable=False),
        _us("created_us"),
        *_keys("form", agreement_id="agreement", designated_user_id="designated_user"),
    )
    op.create_index("ix_form_agreement_id", "form", ["agreement_id"])
    op.create_table(
        "form_field",
        _id("form_id"),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("key_id", sa.String(length=64)),
        sa.Column("suite", sa.Integer()),
        sa.Column("blind", sa.String(length=64)),
        *_keys("form_field", primary=("form_id", "key"), form_id="form", key_id="sealing_key"),
    )
    op.create_index("ix_form_field_blind", "form_field", ["blind"])
    op.create_table(
        "form_document",
        _id("message_id"),
        _id("form_id"),
        _us("linked_us"),
        *_keys("form_document", primary=("message_id",), message_id="message", form_id="form"),
    )
    op.create_index("ix_form_document_form_id", "form_document", ["form_id"])
    op.create_table(
        "appendix",
        _id("designated_user_id"),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("telephone", sa.String(length=40), nullable=False),
        sa.Column("is_proposed", sa.Integer(), server_default="0", nullable=False),
        *_keys("appendix", primary=("designated_user_id",), designated_user_id="designated_user"),
    )


def _states() -> None:
    op.create_table(
        "enrolment",
        _id(),
        _id("agreement_id"),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=16)),
        _us("moved_us"),
        _us("from_us"),
        _us("until_us", nullable=True),
        *_signed(),
        *_keys("enrolment", agreement_id="agreement"),
        sa.UniqueConstraint("reference", name="uq_enrolment_reference"),
    )
    op.create_index("ix_enrolment_agreement_id", "enrolment", ["agreement_id"])
    op.create_table(
        "authorisation",
        _id(),
        _id("designated_user_id"),
        _id("form_id"),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("right", sa.String(length=8), nullable=False),
        sa.Column("cases", sa.Text(), nullable=False),
        sa.Column("specific_use", sa.Integer(), nullable=False),
        _us("from_us"),
        _us("until_us", nullable=True),
        _us("revoked_us", nullable=True),
        *_signed(),
        *_keys("authorisation", designated_user_id="designated_user", form_id="form"),
    )
    op.create_index("ix_authorisation_designated_user_id", "authorisation", ["designated_user_id"])
    op.create_table(
        "approval",
        _id(),
        _id("agreement_id"),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        _us("from_us"),
        _us("until_us"),
        *_signed(),
        *_keys("approval", agreement_id="agreement"),
    )
    op.create_index("ix_approval_agreement_id", "approval", ["agreement_id"])


def _meetings() -> None:
    op.create_table(
        "meeting",
        _id(),
        _id("designated_user_id"),
        _us("starts_us"),
        _us("ends_us"),
        sa.Column("held_by", sa.String(length=64)),
        sa.Column("document", sa.String(length=32)),
        sa.Column("checks", sa.Text()),
        sa.Column("outcome", sa.String(length=16)),
        _us("settled_us", nullable=True),
        _us("cancelled_us", nullable=True),
        *_keys("meeting", designated_user_id="designated_user"),
    )
    op.create_index("ix_meeting_designated_user_id", "meeting", ["designated_user_id"])


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=False)


def _us(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _signed() -> tuple[sa.Column[int], sa.Column[bytes]]:
    return sa.Column("version", sa.Integer(), nullable=False), sa.Column("signature", sa.LargeBinary(), nullable=False)


def _keys(table: str, primary: tuple[str, ...] = ("id",), **references: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint(*primary, name=f"pk_{table}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")
            for column, target in references.items()
        ),
    )
