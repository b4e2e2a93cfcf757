"""Blocks of a message on their way into its deposit: a short message's at once, a long one's in lots, in a thread.

What it holds: at most two lots of one message, one being sealed while the next one comes. How it fails: an error of the
store is raised by the next call; a message that is given up is abandoned when its thread has let go of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final, TypeVar

from gateway.casework.deposit import ReceivedDeposit

T = TypeVar("T")

SHORT_OCTETS: Final = 128 * 1024
LOT_OCTETS: Final = 512 * 1024


class Lots:
    """One message streaming into `deposit`."""

    def __init__(self, deposit: ReceivedDeposit, threads: Executor) -> None:
        self.octets = 0
        self._deposit = deposit
        self._threads = threads
        self._blocks: list[bytes] = []
        self._held = 0
        self._sealing: Future[None] | None = None

    @property
    def is_short(self) -> bool:
        """True while no thread had to seal any of it."""
        return self.octets <= SHORT_OCTETS

    def write(self, block: bytes) -> None:
        """Take octets. Raises StoreFull or StoreUnavailable."""
        self.octets += len(block)
        if self.is_short:
            self._deposit.write(block)
        else:
            self._blocks.append(block)
            self._held += len(block)

    async def drain(self) -> None:
        """Where a lot is full have it sealed; wait while the one before is not. Raises as `write` does."""
        if self._held >= LOT_OCTETS:
            await self._settle()
            blocks, self._blocks, self._held = self._blocks, [], 0
            self._sealing = self._threads.submit(_write_all, self._deposit, blocks)

    async def finish(self, end: Callable[[ReceivedDeposit], T]) -> T:
        """Seal what is held and return what `end` makes of the whole deposit; a long one's in a thread."""
        if self._sealing is not None:
            await self._settle()
        blocks, self._blocks, self._held = self._blocks, [], 0
        if not blocks:
            return end(self._deposit)
        return await asyncio.wrap_future(self._threads.submit(_end, self._deposit, blocks, end))

    def abandon(self) -> None:
        """Give the message up, as soon as no thread has it in hand."""
        self._blocks.clear()
        if self._sealing is None:
            self._deposit.abandon()
        else:
            self._sealing.add_done_callback(lambda _: self._deposit.abandon())

    async def _settle(self) -> None:
        if self._sealing is not None:
            await asyncio.wrap_future(self._sealing)
            self._sealing = None


def _write_all(deposit: ReceivedDeposit, blocks: list[bytes]) -> None:
    for block in blocks:
        deposit.write(block)


def _end(deposit: ReceivedDeposit, blocks: list[bytes], end: Callable[[ReceivedDeposit], T]) -> T:
    _write_all(deposit, blocks)
    return end(deposit)
