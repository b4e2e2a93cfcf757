"""Until when roles and places hold without being confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.store.migrations.rights_count import count_changes

revision = "0015"
down_revision = "0014"

_THERE = sa.text("due_us IS NOT NULL")


def upgrade() -> None:
    """Add the columns, empty, and indexes to find what is due; roles are now what standing in a case rests on, too."""
    for table in ("role", "designated_user"):
        op.add_column(table, sa.Column("due_us", sa.BigInteger))
        op.create_index(f"ix_{table}_due", table, ["due_us"], sqlite_where=_THERE, postgresql_where=_THERE)
    count_changes("role")
