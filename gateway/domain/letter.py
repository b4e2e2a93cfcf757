"""What a letter to the sender of a fax says: why it is written, and what it tells of the fax."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why somebody who sent a fax is written to."""

    RECEIVED = "received"
    MISSING_PAGE = "missing-page"
    UNREADABLE = "unreadable"
    NOT_SIGNED = "not-signed"
    NOT_OURS = "not-ours"


@dataclass(frozen=True, slots=True)
class Received:
    """A fax as a letter tells of it: our reference, and when it was received; by our own clock where that is said."""

    reference: str
    at: datetime
    is_own_time: bool
