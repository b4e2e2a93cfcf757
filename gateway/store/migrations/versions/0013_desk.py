"""Where a video meeting is, and the index by which the enrolment desk lists agreements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("meeting", sa.Column("link", sa.Text()))
    op.create_index("ix_enrolment_moved_us", "enrolment", ["moved_us"])
