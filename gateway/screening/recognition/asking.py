"""A fax read by several children in turn: each reads as many pages as it has processor time for.

A child that dies over some pages is asked for the first of them alone by another one; where that dies as well, the page
stays unread and the others go on. After some deaths the rest of the fax stays unread.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway import maillog
from gateway.domain.layout import Layouts
from gateway.domain.recognition import MOST_PAGES, Recognition
from gateway.screening.protocol import BadAnswer
from gateway.screening.recognition.assembling import Assembly
from gateway.screening.recognition.exchange import Asked, PagesRead

MOST_OCTETS: Final = 96 * 1024**2
"""Of one document: a child has it whole in its memory."""

_MOST_DEATHS: Final = 4  # of children, over one fax
_MOST_SECONDS: Final = 1_800.0

Ask = Callable[[bytes], Awaitable[bytes]]
"""Gives a task to a child of its own and returns its answer. Raises BadAnswer, ScreeningUnavailable."""


async def read_fax(
    ask: Ask,
    documents: Sequence[tuple[str, bytes]],
    layouts: Layouts,
    now: Callable[[], float] = time.monotonic,
) -> Recognition:
    """Have all pages of a fax read; `documents` are the path of a part and its octets, in their order.

    Raises ScreeningUnavailable when there is no child to be had.
    """
    reading = _Reading(ask, layouts, now)
    for part, octets in documents:
        await reading.read(part, octets)
    return reading.assembly.recognition()


class _Reading:
    """One fax that is being read."""

    def __init__(self, ask: Ask, layouts: Layouts, now: Callable[[], float]) -> None:
        self.assembly = Assembly()
        self._ask = ask
        self._layouts = layouts
        self._now = now
        self._until = now() + _MOST_SECONDS
        self._deaths = 0

    async def read(self, part: str, octets: bytes) -> None:
        """Read one document."""
        first, total = 1, 0
        most = MOST_PAGES
        while self._goes_on(octets):
            asked = Asked(part, octets, self._layouts, first, most)
            try:
                read = PagesRead.decode(await self._ask(asked.encode()), asked)
            except BadAnswer as problem:
                maillog.screening_failed(problem.reason)
                self._deaths += 1
                if most > 1:
                    most = 1
                    continue
                if not total:
                    break
                self.assembly.add_unread(part, [first])
                first, most = first + 1, MOST_PAGES
            else:
                total = read.total
                self.assembly.add(read)
                first, most = first + len(read.pages.pages), MOST_PAGES
                if not read.pages.pages and first <= total:
                    break
            if first > total:
                return
        if total:
            self.assembly.add_unread(part, range(first, total + 1))
        self.assembly.miss()

    def _goes_on(self, octets: bytes) -> bool:
        is_in_time = self._deaths < _MOST_DEATHS and self._now() < self._until
        return is_in_time and len(octets) <= MOST_OCTETS and self.assembly.room > 0
