"""When to try again: a pure schedule, exponential with a ceiling, until a notice is too old to be worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waits grow from `first` by `factor` up to `ceiling`, each spread by up to `spread` of itself.

    A notice older than `give_up` is tried no more. Raises ValueError for figures that make no schedule.
    """

    first: timedelta = timedelta(seconds=30)
    factor: float = 2.0
    ceiling: timedelta = timedelta(hours=1)
    spread: float = 0.25
    give_up: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.first <= self.ceiling or self.give_up <= timedelta(0):
            raise ValueError("waits are positive, and the first is at most the ceiling")
        if self.factor < 1 or not 0 <= self.spread < 1:
            raise ValueError("the factor is at least 1, the spread from 0 to below 1")

    def next_due(self, attempts: int, created: datetime, now: datetime, jitter: float) -> datetime | None:
        """Return when to try after `attempts` (≥ 1) failures, or None to give up. `jitter` is drawn from [0, 1).

        The last attempt is made when the time is up, never after it: a wait that would pass the end is cut to it.
        """
        if not 0 <= jitter < 1 or attempts < 1:
            raise ValueError("jitter lies in [0, 1), and there was an attempt before")
        end = created + self.give_up
        if now >= end:
            return None
        return min(now + self._wait(attempts) * (1 + self.spread * jitter), end)

    def _wait(self, attempts: int) -> timedelta:
        doublings = min(attempts - 1, 63)
        seconds = self.first.total_seconds() * self.factor**doublings
        return min(timedelta(seconds=min(seconds, self.ceiling.total_seconds())), self.ceiling)
