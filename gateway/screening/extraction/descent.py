"""One document, and the way down into what it holds: the values that every reader of a format takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form, OverBudgetError

Item = Chunk | Unreadable
NestedMail = Callable[[bytes, int, str], Iterator[Item]]
"""Octets of a message inside of a document, its depth, its place."""


class UnreadableError(Exception):
    """A reader gives up on its document: `why`, and a word of ours for `detail`."""

    def __init__(self, why: Unread, detail: str = "") -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Document:
    """Octets that claim to be something. `declared` is a media type in lower case or "", `name` a file name or ""."""

    octets: bytes
    declared: str = ""
    name: str = ""
    place: str = ""

    @property
    def extension(self) -> str:
        """What follows the last dot of the name, lower case; "" when nothing does."""
        stem, dot, last = self.name.strip().lower().rpartition(".")
        return last if dot and stem else ""


class Later:
    """Work that costs a page each: done last, when nothing cheaper has decided."""

    def __init__(self) -> None:
        self._jobs: list[tuple[str, Callable[[], Iterator[Item]]]] = []
        self._seen: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, octets: bytes, place: str, job: Callable[[], Iterator[Item]]) -> None:
        """Put off a job, once for the same octets: a logo stands in a mail many times."""
        digest = hashlib.sha256(octets).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            self._jobs.append((place, job))

    def run(self) -> Iterator[Item]:
        """Do what was put off, first come first; a job may put off more."""
        while self._jobs:
            place, job = self._jobs.pop(0)
            yield from guarded(job, place)


@dataclass(frozen=True, slots=True)
class Descent:
    """How far down a reader is, and how it goes deeper: `into` reads a nested document one level below."""

    budget: Budget
    depth: int
    later: Later
    open: Callable[[Document, Descent], Iterator[Item]]
    mail: NestedMail | None = None

    def into(self, document: Document) -> Iterator[Item]:
        """The name and the content of a document found inside of another. Raises OverBudgetError."""
        self.budget.spend("members")
        if document.name:
            yield Chunk(document.name, document.place, Form.FILE_NAME)
        deeper = replace(self, depth=self.depth + 1)
        yield from guarded(lambda: self.open(document, deeper), document.place)

    def message(self, octets: bytes, place: str) -> Iterator[Item]:
        """A message found inside of a document."""
        self.budget.check("depth", self.depth + 1)
        if self.mail is None:
            raise UnreadableError(Unread.UNKNOWN_TYPE, "message")
        yield from self.mail(octets, self.depth + 1, place)


def guarded(reading: Callable[[], Iterable[Item]], place: str, detail: str = "") -> Iterator[Item]:
    """What a reader yields; what it raises becomes Unreadable(place, …), whichever library raised it."""
    try:
        yield from (item for item in reading() if isinstance(item, Unreadable) or item.text)
    except OverBudgetError as limit:
        yield Unreadable(place, Unread.OVER_LIMIT, limit.limit)
    except UnreadableError as told:
        yield Unreadable(place, told.why, told.detail or detail)
    except MemoryError:
        yield Unreadable(place, Unread.OVER_LIMIT, "memory")
    except RecursionError:
        yield Unreadable(place, Unread.OVER_LIMIT, "depth")
    except Exception:  # noqa: BLE001 - libraries raise what they like; a document that was not read is told as such
        yield Unreadable(place, Unread.CORRUPT, detail)
