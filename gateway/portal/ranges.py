"""Byte ranges of HTTP (RFC 9110 section 14): one range at a time; anything else gets the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Octets [start, stop) of `whole`."""

    start: int
    stop: int
    whole: int

    @property
    def length(self) -> int:
        """How many octets."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The value of Content-Range for a 206 answer."""
        return f"bytes {self.start}-{self.stop - 1}/{self.whole}"


class Unsatisfiable(Exception):
    """The range lies outside: answer 416 with `bytes */whole`."""


def wanted_span(header: str | None, whole: int) -> Span | None:
    """Return the one range that is asked for, or None for the whole (no range, several, or no range of octets).

    Raises Unsatisfiable when nothing of the range is there.
    """
    found = _ONE_RANGE.match(header or "")
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), whole)
        if length == 0:
            raise Unsatisfiable
        return Span(whole - length, whole, whole)
    first = int(found[1])
    last = int(found[2]) if found[2] else whole - 1
    if last < first and found[2]:
        return None
    if first >= whole:
        raise Unsatisfiable
    return Span(first, min(last + 1, whole), whole)
