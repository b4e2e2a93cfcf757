"""When a fax mail came to its mailbox, and reports that fax servers ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_WAITS = sa.text("state = 0")


def upgrade() -> None:
    """Add the column, empty, and make the table."""
    op.add_column("fax_arrival", sa.Column("arrived_us", sa.BigInteger))
    op.create_table(
        "fax_report",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Integer, server_default="0", nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("settled_us", sa.BigInteger),
        sa.Column("last_reply", sa.String(length=200)),
        sa.PrimaryKeyConstraint("id", name="pk_fax_report"),
    )
    op.create_index("ix_fax_report_due", "fax_report", ["due_us", "id"], sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("ix_fax_report_source", "fax_report", ["source", "created_us"])
