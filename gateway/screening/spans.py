"""Where a pattern of RE2 stands in octets. A text has thousands of matches of which nothing but the span is asked: to
make an object of each, as the wrapper does, takes longer than to find it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import re2

Span = tuple[int, int]

_ANYWHERE: Final = re2._Anchor.UNANCHORED  # noqa: SLF001 - the wrapper has no public name for it


def find_spans(pattern: re2._Regexp, octets: bytes, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """First and last offset of each match, left to right. The pattern matches nothing empty."""
    match = pattern._regexp.Match  # noqa: SLF001 - what `finditer` calls itself
    end = len(octets) if end is None else min(end, len(octets))
    while True:
        span = match(_ANYWHERE, octets, start, end)[0]
        if span[0] < 0:
            return
        yield span
        start = span[1]


def finds(pattern: re2._Regexp, octets: bytes) -> bool:
    """Whether a pattern matches anywhere."""
    return next(find_spans(pattern, octets), None) is not None
