"""What the notifier knows, in memory, of one place it delivers to: the relay, or a domain's hosts.

A place bears so many conversations at once. One that fails is left alone for a time that grows, and then tried by one
mail. No place has more mails under way than it takes within `BACKLOG_SECONDS`, so that a slow one cannot hold what the
others need: the rest is put back into the outbox until its turn would come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.delivery import Delivery
from gateway.outbound.backoff import Schedule
from gateway.outbound.conversation import Conversation

BACKLOG_SECONDS: Final = 20.0
MOST_MAILS: Final = 100
"""So many mails by one conversation, as hosts do not bear an endless one."""
LONGEST_QUEUE: Final = timedelta(minutes=10)
FIRST_QUEUE: Final = timedelta(seconds=5)
FIRST_SECONDS: Final = 0.1
FIRST_MAILS: Final = 4
"""What is thought of a place that has not taken a mail yet: how long one takes, how many are let in a conversation."""
_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Bearing:
    """What is asked of one place: conversations at once, mails under way however quick it is, seconds kept unused.

    One that `is_only` need not leave room for others.
    """

    connections: int = 4
    most: int = 256
    keep: float = 15.0
    is_only: bool = False


class Destination:
    """One place."""

    def __init__(self, bears: Bearing, schedule: Schedule, jitter: Callable[[], float]) -> None:
        self.slots = asyncio.Semaphore(bears.connections)
        self.under_way = 0
        self.last: Delivery | None = None
        self._bears = bears
        self._schedule = schedule
        self._jitter = jitter
        self._mean = FIRST_SECONDS
        self._is_known = False
        self._failures = 0
        self._rests_until: datetime | None = None
        self._turn: datetime | None = None
        self._kept: list[tuple[Conversation, float]] = []

    @property
    def is_idle(self) -> bool:
        """True where there is nothing to know of it."""
        return not (self.under_way or self._failures or self._kept)

    def pause(self, now: datetime) -> timedelta | None:
        """Return how long a mail must wait for its turn, None where it can go now."""
        if self._rests_until is not None and now < self._rests_until:
            return self._queue(self._rests_until, now)
        if self.under_way < self._share():
            return None
        return self._queue(now, now)

    def went(self, seconds: float) -> None:
        """A mail was answered in so many seconds: the place is well."""
        self._failures = 0
        self._rests_until = None
        self._mean += (seconds - self._mean) * (_WEIGHT if self._is_known else 1.0)
        self._is_known = True

    def failed(self, delivery: Delivery, now: datetime) -> None:
        """The place could not be spoken to: leave it alone, the longer the more often that was so."""
        self.last = delivery
        if self._rests_until is not None and now < self._rests_until:
            return
        self._failures += 1
        due = self._schedule.next_due(self._failures, now, now, self._jitter())
        self._rests_until = due or now + self._schedule.ceiling

    def take(self) -> Conversation | None:
        """Return a conversation that was kept and can go on."""
        while self._kept:
            one, until = self._kept.pop()
            if one.is_open and until > asyncio.get_running_loop().time():
                return one
            one.drop()
        return None

    def keep(self, one: Conversation) -> None:
        """Keep a conversation for the next mail, for a short time."""
        if not one.is_open or one.mails >= MOST_MAILS:
            one.close_soon()
            return
        loop = asyncio.get_running_loop()
        self._kept.append((one, loop.time() + self._bears.keep))
        if len(self._kept) == 1:
            loop.call_later(self._bears.keep, self._close_idle)

    async def close(self) -> None:
        """End what is kept."""
        kept, self._kept = self._kept, []
        for one, _ in kept:
            await one.close()

    def _share(self) -> int:
        if self._failures:
            return 1
        least, most = self._bears.connections, self._bears.most
        if self._bears.is_only:
            return most
        if not self._is_known:
            return min(most, least * FIRST_MAILS)
        return max(least, min(most, int(least * BACKLOG_SECONDS / self._mean)))

    def _queue(self, start: datetime, now: datetime) -> timedelta:
        step = timedelta(seconds=self._mean / self._bears.connections)
        longest = LONGEST_QUEUE if self._is_known or start > now else FIRST_QUEUE
        self._turn = min(max(start, self._turn or start) + step, start + longest)
        return self._turn - now

    def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        for one, until in self._kept:
            if until <= loop.time():
                one.close_soon()
        self._kept = [(one, until) for one, until in self._kept if until > loop.time()]
        if self._kept:
            loop.call_later(self._bears.keep, self._close_idle)
