"""The first schema. The way back from any revision is the backup that was made before it."""

from __future__ import annotations

from gateway.store.migrations import first_people, first_vault

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    first_people.create()
    first_vault.create()
