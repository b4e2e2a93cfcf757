"""Sign-ins by an identity provider: which sessions began there, and what waits for somebody's decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_WAITING = sa.text("decided_us IS NULL")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "identity_session",
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.String(length=64), nullable=False),
        sa.Column("sid", sa.String(length=64)),
        sa.Column("issued_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_identity_session"),
    )
    op.create_index("ix_identity_session_credential_id", "identity_session", ["credential_id"])
    op.create_index("ix_identity_session_sid", "identity_session", ["sid"])
    op.create_table(
        "identity_review",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_us", sa.BigInteger()),
        sa.Column("accepted", sa.Integer()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_identity_review_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_review"),
    )
    op.create_index("ix_identity_review_person_id", "identity_review", ["person_id"])
    op.create_index("ix_identity_review_lookup", "identity_review", ["lookup"])
    op.create_index(
        "ix_identity_review_waiting",
        "identity_review",
        ["created_us"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
