"""The clock of the machine, in the one place that reads it. Everything else is handed a `Clock`."""

from __future__ import annotations

from datetime import UTC, datetime


def system_clock() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)
