"""Whose turn it is: of the notices that were claimed, those whose place can take them go, the others are put back.

So a place that is slow or away holds up nobody else. A notice that is too old to be tried again goes to its end at
once, with what stood in the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway import maillog
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.delivery import Delivery
from gateway.domain.errors import Malformed, Unavailable
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import Courier
from gateway.store.database import Database
from gateway.store.outbox import Entry
from gateway.store.turns import postpone


class Turns:
    """Keeps count of what is under way to each place."""

    def __init__(self, database: Database, courier: Courier, schedule: Schedule, clock: Clock) -> None:
        self._database = database
        self._courier = courier
        self._schedule = schedule
        self._clock = clock
        self._admitted: dict[str, Address] = {}

    async def admitted(self, entries: Sequence[Entry]) -> list[tuple[Entry, Delivery | None]]:
        """Return the entries that go now, each to be told `over`; a delivery with one is its end without an attempt.

        The others are put back into the outbox until their turn.
        """
        going: list[tuple[Entry, Delivery | None]] = []
        later: list[tuple[Entry, int]] = []
        now = self._clock()
        for entry in entries:
            to = _to(entry)
            pause = None if to is None or entry.id in self._admitted else self._courier.admit(to)
            if to is None or entry.id in self._admitted:
                going.append((entry, None))
            elif pause is None:
                self._admitted[entry.id] = to
                going.append((entry, None))
            elif now >= entry.created + self._schedule.give_up:
                going.append((entry, self._courier.last(to)))
            else:
                later.append((entry, to_microseconds(now + pause)))
        if later:
            maillog.outbox_postponed(len(later))
            try:
                await self._database.run(postpone, later)
            except Unavailable as problem:  # their leases run out
                maillog.incident("outbox.postpone", problem)
        return going

    def over(self, entry: Entry) -> None:
        """An entry that went is under way no more."""
        to = self._admitted.pop(entry.id, None)
        if to is not None:
            self._courier.release(to)


def _to(entry: Entry) -> Address | None:
    try:
        return parse_address(entry.address) if entry.address is not None else None
    except Malformed:
        return None
