"""Our own cover sheets: a page to fax documents by, whose code says where they belong and tells nothing to others.

The reference on it is drawn at random. Only our own table knows what it stands for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from gateway.domain.reference import Reference, parse, random_part

SERIES: Final = "CS"
"""What references of cover sheets begin with; no programme has this series."""

DAYS: Final = 365
MOST_DAYS: Final = 3 * 365
MOST_SHEETS: Final = 100


def new_reference(*, trial: bool, below: Callable[[int], int] = secrets.randbelow) -> str:
    """Return a reference drawn at random: `CS-7K2Q-9F4T`, outside production `T-CS-7K2Q-9F4T`."""
    return str(Reference(SERIES, random_part(below), random_part(below), trial))


def reference_in(text: str) -> str:
    """Return the reference that a code's text is, as it is written, or "" where it is none of a cover sheet."""
    try:
        found = parse(text)
    except ValueError:
        return ""
    return str(found) if found.series == SERIES and found.message else ""
