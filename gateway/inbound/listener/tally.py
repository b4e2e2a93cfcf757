"""The counts that limits are held against, over all processes of one door.

A tally is one stretch of memory that every process of the program has in common, made before they are. Each writes in
its own column only, and adds up everybody's: no lock is there to be held by one that dies. What a dead process had
counted is cleared by whoever starts its successor.

Connections by address are kept as a count-min sketch (Cormode, Muthukrishnan 2005) under a random key: rows of counters
in which an address has one place each, so that what is read is never less than it is, and, with eight times as many
places as connections, hardly ever more. Nobody without the key can aim at another's places.

Two processes that let a peer in at the same instant may both have seen the last free place: a limit is passed by at
most one for each other process, and for that instant only.
"""

from __future__ import annotations

import mmap
import secrets
from hashlib import blake2b
from typing import Final

_ROWS: Final = 4
_PLACES_PER_CONNECTION: Final = 8
_LEAST_PLACES: Final = 1024
_MOST_PLACES: Final = 1 << 18
_KEY_OCTETS: Final = 16
_WORD: Final = 8

CONNECTIONS: Final = 0
OCTETS: Final = 1
TAKEN: Final = 2
_HEAD: Final = 4
"""Words before the rows: the three counts above, and one to spare."""


class Tally:
    """Counts of `processes` processes that have `connections` connections together, at most."""

    def __init__(self, processes: int, connections: int) -> None:
        wanted = min(max(connections * _PLACES_PER_CONNECTION, _LEAST_PLACES), _MOST_PLACES)
        self.processes = processes
        self._places = 1 << (wanted - 1).bit_length()
        self._key = secrets.token_bytes(_KEY_OCTETS)
        self._column = _HEAD + _ROWS * self._places
        # Anonymous and shared: a child that is forked later has the same memory, and nobody else any way to it.
        self._words = memoryview(mmap.mmap(-1, processes * self._column * _WORD)).cast("Q")

    def column(self, process: int) -> Column:
        """Return what the process of this number, from 0 on, counts in."""
        return Column(self, process)

    def clear(self, process: int) -> None:
        """Forget what a process had counted: it is no more."""
        start = process * self._column
        self._words[start : start + self._column] = memoryview(bytes(self._column * _WORD)).cast("Q")

    def value(self, process: int, count: int) -> int:
        """Return one process's count."""
        return self._words[process * self._column + count]

    def add(self, process: int, count: int, change: int) -> None:
        """Change one process's count."""
        self._words[process * self._column + count] += change

    def sum(self, count: int, *, without: int = -1) -> int:
        """Return a count of all processes together, or of all but one."""
        total = sum(self._words[count :: self._column])
        return total if without < 0 else total - self.value(without, count)

    def places_of(self, name: str) -> list[int]:
        """Return where a name is counted: a place of each row."""
        digest = blake2b(name.encode(), digest_size=_ROWS * 4, key=self._key).digest()
        at = (int.from_bytes(digest[4 * row : 4 * row + 4], "big") % self._places for row in range(_ROWS))
        return [_HEAD + row * self._places + place for row, place in enumerate(at)]


class Column:
    """One process's part of a tally."""

    def __init__(self, tally: Tally, process: int) -> None:
        self.tally = tally
        self.process = process
        self._is_alone = tally.processes == 1

    def add(self, count: int, change: int) -> None:
        """Change a count of this process."""
        self.tally.add(self.process, count, change)

    def sum(self, count: int) -> int:
        """Return a count of all processes together."""
        return self.tally.sum(count)

    def count_name(self, name: str, change: int) -> None:
        """Change this process's count of a name."""
        if not self._is_alone:
            for place in self.tally.places_of(name):
                self.tally.add(self.process, place, change)

    def elsewhere(self, name: str) -> int:
        """Return how often the other processes count a name: never too few."""
        if self._is_alone:
            return 0
        return min(self.tally.sum(place, without=self.process) for place in self.tally.places_of(name))
