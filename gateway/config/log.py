"""The table [log]."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How much is logged, and whether for machines (`json`) or for people (`console`)."""

    level: str
    format: str

    def is_json(self, *, terminal: bool) -> bool:
        """Tell whether lines are JSON, given whether somebody watches on a terminal."""
        return self.format == "json" or (self.format == "auto" and not terminal)
