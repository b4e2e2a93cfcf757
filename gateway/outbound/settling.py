"""Gathers for a moment what became of attempts, and settles it in one transaction: each costs a sync, however full."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.domain.errors import Unavailable
from gateway.store.database import Database
from gateway.store.settlements import Outcome, settle, settle_all

GATHER_SECONDS: Final = 0.02
"""As long is the time in which a kill sends a notice twice; in it some thirty come back from a quick host."""

_Waiting = tuple[Outcome, asyncio.Future[bool]]


class Settling:
    """What waits to be settled."""

    def __init__(self, database: Database, authority: Ed25519PublicKey, hash_key: bytes) -> None:
        """`authority` checks rows of power, `hash_key` makes the record's hashes of addresses."""
        self._database = database
        self._authority = authority
        self._hash_key = hash_key
        self._waiting: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def settled(self, outcome: Outcome) -> bool:
        """Settle with others; return False when the lease was lost. Raises what `Database.run` raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((outcome, future))
        if self._running is None:
            self._running = loop.create_task(self._settle_waiting())
        return await future

    async def _settle_waiting(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_SECONDS)
                taken, self._waiting = self._waiting, []
                await self._settle(taken)
        finally:
            self._running = None

    async def _settle(self, taken: Sequence[_Waiting]) -> None:
        outcomes = [outcome for outcome, _ in taken]
        try:
            settled = await self._database.run(settle_all, self._authority, self._hash_key, outcomes)
        except Unavailable as problem:
            _tell(taken, [problem] * len(taken))
        except Exception:  # noqa: BLE001 - each is tried alone, so that one undoes no other
            _tell(taken, await asyncio.gather(*map(self._settle_alone, outcomes), return_exceptions=True))
        else:
            _tell(taken, settled)

    async def _settle_alone(self, outcome: Outcome) -> bool:
        return await self._database.run(settle, self._authority, self._hash_key, *outcome)


def _tell(taken: Sequence[_Waiting], results: Iterable[bool | BaseException]) -> None:
    for (_, future), result in zip(taken, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
