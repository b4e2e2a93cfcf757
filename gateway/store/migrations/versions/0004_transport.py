"""What TLS with other sites' mail servers came to, and the reports of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_WAITING = sa.text("state = 0")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tls_outcome",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("policy_type", sa.String(length=20), nullable=False),
        sa.Column("result_type", sa.String(length=40), nullable=False),
        sa.Column("mx_host", sa.String(length=253), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "domain", "policy_type", "result_type", "mx_host", name="pk_tls_outcome"),
    )
    op.create_table(
        "tls_report",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("uri", sa.String(length=500), nullable=False),
        sa.Column("state", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("lease_until_us", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_us", sa.BigInteger()),
        sa.Column("last_reply", sa.String(length=200)),
        sa.PrimaryKeyConstraint("id", name="pk_tls_report"),
        sa.UniqueConstraint("day", "domain", "uri", name="uq_tls_report_day_domain_uri"),
    )
    op.create_index(
        "ix_tls_report_due", "tls_report", ["due_us", "id"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
