"""Words of the intake tray: where mail from outside waits, why a case is proposed, what was found of its sender."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.domain.reference import random_part

ROLES: Final = frozenset({"postmaster", "abuse"})
"""Local parts that are always taken, for the operators, in any letter case (RFC 5321 section 4.5.1, RFC 2142)."""

OVERDUE_US: Final = 3 * 24 * 3600 * 1_000_000
"""For how long something may wait in a tray, where the site says nothing else."""


class Tray(StrEnum):
    """Whose it is to look: OPERATORS for what was addressed to a role of the domain, CASES for all else."""

    CASES = "cases"
    OPERATORS = "operators"


class ProposedBy(StrEnum):
    """What named the case that is proposed. None of it proves anything."""

    RECIPIENT = "recipient"
    THREAD = "thread"
    SUBJECT = "subject"
    COVER_SHEET = "cover-sheet"  # one of ours came before the documents of a fax


class SenderResult(StrEnum):
    """What the mail's own proofs came to, in one word: the rest is sealed with its summary."""

    PASS = "pass"  # noqa: S105 - the word of RFC 8601
    FAIL = "fail"
    NONE = "none"


def new_reference() -> str:
    """Return a reference for mail in a tray, such as `U-4F7K-2M9P`: it tells nothing, and can be read aloud."""
    return f"U-{random_part()}-{random_part()}"


def month_of(at: datetime) -> str:
    """Return the month of a UTC instant, by which an intake key is named: `2026-11`."""
    return f"{at:%Y-%m}"
