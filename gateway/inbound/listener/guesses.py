"""How guessers of passwords are slowed down: by address, before anything costly is done for them.

A wrong password is answered late: one a second for an address (a /64 of IPv6), the next one after it. A connection that
comes from there meanwhile is greeted when that second is over, so that to hang up and come again, with a handshake of
TLS each time, is no quicker. Who signs in is answered at once, from wherever; nobody's guesses make an account wait.
Each process of a program counts for itself, and forgets the address that guessed longest ago when they are too many.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

_AHEAD: Final = 5
"""Wrong passwords that wait for their answers, at most: no peer, and no neighbour of a guesser's, waits for more."""
_MAX_KEPT: Final = 20_000


class Guesses:
    """When addresses that gave a wrong password are answered again; `seconds` is how long one password takes."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: OrderedDict[str, float] = OrderedDict()

    def fail(self, place: str, now: float) -> float:
        """Count a wrong password; return how long its answer waits, in seconds."""
        due = max(now, self._due.pop(place, now)) + self._seconds
        self._due[place] = min(due, now + _AHEAD * self._seconds)
        if len(self._due) > _MAX_KEPT:
            self._due.popitem(last=False)
        return self._due[place] - now

    def wait(self, place: str, now: float) -> float:
        """Return how long a connection that comes now waits for its greeting, in seconds."""
        return max(0.0, self._due.get(place, now) - now)
