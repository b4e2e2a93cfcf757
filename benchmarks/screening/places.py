"""All places that a passage can be written into, by name, with the goal that each falls under."""

from __future__ import annotations

from benchmarks.screening import texts
from benchmarks.screening.texts import Writer

PLACES: dict[str, tuple[Writer, str]] = {**texts.PLACES}
