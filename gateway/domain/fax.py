"""What is known of a fax, whatever system brought it: who sent it, when, how many pages, and what to look at twice.

The number of the caller and the station's own name are what a sender chose to say: they prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

KIND: Final = "fax"
"""The kind of an item of the intake tray that is a fax."""

MAX_WORD: Final = 64
ENOUGH: Final = 20
"""Arrivals of four weeks from which on a source has a usual pause."""

SHORTEST_SILENCE_US: Final = 3600 * 1_000_000
CLOCK_US: Final = 10 * 60 * 1_000_000
"""By how much the clock of a fax server may differ."""

PAGE_US: Final = 60 * 1_000_000
"""How long a page may be on the line, where a server tells when a fax began."""


class Outcome(StrEnum):
    """What became of a mail that a fax source brought."""

    FILED = "filed"
    REPEATED = "repeated"  # the same fax is filed already
    FAILURE = "failure"  # it tells of a fax that was not received
    LEFT = "left"  # over the limit: it stays where it was, and somebody must look


class Review(StrEnum):
    """Why somebody has to look at a fax twice."""

    FEWER_PAGES = "fewer-pages"
    ERRORS = "errors"
    NO_DOCUMENT = "no-document"
    UNREADABLE = "unreadable"
    UNCOUNTED = "uncounted"
    STRUCTURE = "structure"
    CLOCK = "clock"


class DocumentKind(StrEnum):
    """What a document of a fax is, by its first octets."""

    TIFF = "tiff"
    PDF = "pdf"
    POSTSCRIPT = "postscript"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a fax: its place in the part map, its pages where they were counted, and of which other it is a copy.

    Raises ValueError for a number of pages that cannot be.
    """

    path: str
    kind: DocumentKind
    pages: int | None = None
    copy_of: str = ""

    def __post_init__(self) -> None:
        if self.pages is not None and self.pages < 0:
            raise ValueError("a document has no fewer than no pages")


@dataclass(frozen=True, slots=True)
class Fax:
    """One fax. `told_us` is when it was received, as its server tells; numbers and names are as they were written.

    `pages_claimed` is what the server says, `pages_counted` what its documents have, copies not counted.
    """

    profile: str
    calling: str = ""
    called: str = ""
    station: str = ""
    job: str = ""
    told_us: int | None = None
    pages_claimed: int | None = None
    pages_counted: int | None = None
    review: tuple[Review, ...] = ()
    documents: tuple[Document, ...] = ()

    def __post_init__(self) -> None:
        if any(len(word) > MAX_WORD for word in (self.calling, self.called, self.station, self.job)):
            raise ValueError("a fax's words are short")

    def to_value(self) -> dict[str, Any]:
        """Return what is sealed with the summary, for JSON."""
        return {
            "profile": self.profile, "calling": self.calling, "called": self.called, "station": self.station,
            "job": self.job, "told_us": self.told_us, "pages_claimed": self.pages_claimed,
            "pages_counted": self.pages_counted, "review": list(self.review),
            "documents": [[one.path, one.kind, one.pages, one.copy_of] for one in self.documents],
        }  # fmt: skip

    @classmethod
    def from_value(cls, value: dict[str, Any]) -> Fax:
        """Read what `to_value` made. Raises ValueError, KeyError or TypeError for anything else."""
        documents = tuple(Document(path, DocumentKind(kind), *rest) for path, kind, *rest in value["documents"])
        return cls(**{**value, "review": tuple(map(Review, value["review"])), "documents": documents})


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a source has come in four weeks: how many, when the last one did, the longest pause between two of them."""

    arrivals: int
    last_us: int
    longest_us: int

    def is_silent(self, now_us: int, silent_after_us: int | None = None) -> bool:
        """Tell whether it has been silent for longer than usual: longer than the site says, or half as long again as
        the longest pause of four weeks.
        """
        silence = now_us - self.last_us
        if silent_after_us is not None:
            return silence > silent_after_us
        return self.arrivals >= ENOUGH and silence > max(self.longest_us * 3 // 2, SHORTEST_SILENCE_US)


def is_clock_odd(told_us: int | None, arrived_us: int | None, pages: int | None) -> bool:
    """Tell whether a fax came at another time than was told: before it, or long after the time of its pages."""
    if told_us is None or arrived_us is None:
        return False
    return not -CLOCK_US <= arrived_us - told_us <= CLOCK_US + (pages or 0) * PAGE_US


def reviews_of(
    documents: Sequence[Document], claimed: int | None, counted: int | None, *, errors: bool, unreadable: bool
) -> tuple[Review, ...]:
    """Return what to look at twice, in the order of `Review`."""
    found = {
        Review.FEWER_PAGES: claimed is not None and counted is not None and counted < claimed,
        Review.ERRORS: errors,
        Review.NO_DOCUMENT: not documents,
        Review.UNREADABLE: unreadable,
        Review.UNCOUNTED: bool(documents) and counted is None and not unreadable,
    }
    return tuple(one for one, holds in found.items() if holds)
