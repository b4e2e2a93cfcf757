"""The index by which authorisations that are about to end are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_THERE = sa.text("until_us IS NOT NULL")


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_authorisation_ending", "authorisation", ["until_us"], sqlite_where=_THERE, postgresql_where=_THERE
    )
