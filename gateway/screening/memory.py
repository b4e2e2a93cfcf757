"""Which mails ended a child before it could answer: for a day, in memory, by hash under a key nobody else has."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

DAY_SECONDS = 86_400.0
MOST = 10_000


class FailureMemory:
    """Counts failed looks at a mail. A mail is known again by its body, as each attempt brings new trace fields."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._now = now
        self._failed: dict[bytes, tuple[float, int]] = {}

    def failures(self, octets: bytes) -> int:
        """Return how often this mail has failed within a day. Costs nothing while none has."""
        if not self._failed:
            return 0
        since, count = self._failed.get(self._name(octets), (0.0, 0))
        return count if count and self._now() - since < DAY_SECONDS else 0

    def note(self, octets: bytes) -> int:
        """Count one more failure, and return how many there are now."""
        name = self._name(octets)
        count = self.failures(octets) + 1
        self._failed.pop(name, None)  # the oldest stand first
        self._failed[name] = self._now(), count
        while len(self._failed) > MOST:
            del self._failed[next(iter(self._failed))]
        return count

    def _name(self, octets: bytes) -> bytes:
        body = octets.find(b"\r\n\r\n")
        view = memoryview(octets)[max(body, 0) :] if 0 <= body < len(octets) - 4 else octets
        return hashlib.blake2b(view, key=self._key, digest_size=16).digest()
