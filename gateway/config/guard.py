"""The table [guard]: whether and how outgoing messages are looked at before they are released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.reading import Table


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """How large a message is looked at, for how long one may wait for its look until its author is asked, and how many
    children look at once (0: as many as screening has).
    """

    largest_octets: int
    overdue_after_seconds: int
    children: int


def read_guard(table: Table) -> GuardSettings:
    """Read the table."""
    return GuardSettings(
        largest_octets=table.size("largest", "50 MiB", 64 * 1024),
        overdue_after_seconds=table.time("overdue_after", "1 h"),
        children=table.whole("children", 0, 0, 64),
    )
