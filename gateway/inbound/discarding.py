"""What behind a relay becomes of mail that may not be taken, where the site wants no bounce: discarded, and told.

Nothing of it is kept but its entry. Who runs the site is told by a notice with fixed words: how many since the last
one, the kinds, the last reference; at most once an hour, so that nobody outside can make us write more. How it fails:
nobody to tell, or the store away → `451`, and nothing is discarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from gateway import maillog
from gateway.casework.turning_away import Discarded, discard, tell_operators
from gateway.domain.errors import GatewayError
from gateway.domain.verdict import Verdict
from gateway.store.database import Database

PAUSE_SECONDS: Final = 3600.0


class Discards:
    """Counts what is discarded, and tells of it. `wake` is called when there is a notice to be sent."""

    def __init__(
        self,
        database: Database,
        operators: Sequence[str],
        wake: Callable[[], None],
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._database = database
        self._operators = tuple(operators)
        self._wake = wake
        self._pause_seconds = pause_seconds
        self._untold: Discarded | None = None
        self._telling: asyncio.Task[None] | None = None

    async def discard(self, reference: str, verdict: Verdict, sender_hash: str) -> None:
        """Enter that a mail was discarded; the operators are told now or within the hour. Raises Unavailable."""
        await self._database.run(discard, reference, verdict, sender_hash, self._operators)
        self._untold = Discarded.of(reference, verdict).after(self._untold)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_in_turn())

    async def close(self) -> None:
        """Tell what has not been told."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)
        await self._tell()

    async def _tell_in_turn(self) -> None:
        while self._untold is not None:
            await self._tell()
            await asyncio.sleep(self._pause_seconds)

    async def _tell(self) -> None:
        if self._untold is None:
            return
        telling, self._untold = self._untold, None
        try:
            await asyncio.shield(self._database.run(tell_operators, self._operators, telling))
        except GatewayError as problem:
            maillog.incident("mx.tell", problem)
            self._put_back(telling)
        else:
            self._wake()

    def _put_back(self, telling: Discarded) -> None:
        self._untold = telling if self._untold is None else self._untold.after(telling)
