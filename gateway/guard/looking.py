"""The guard: the program that has outgoing messages looked at before they are released.

What it does: for each message that waits for its look, it asks the keyholder for the key of its body, hands the octets
to a locked child that seals the numbers it finds to the keyholder, and hands on what was sealed. What it trusts: the
keyholder's word; nothing that a child says is more than sealed octets and two marks. What it holds: the octets of the
few messages that are looked at now, in memory; no key of its own, and it changes no row. How it fails: what was not
settled is looked at again, by it or by the next one; while it, the keyholder or the children are away messages wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from gateway import maillog
from gateway.domain.errors import GatewayError, Malformed, NotAllowed, ScreeningUnavailable, Tampered, Unavailable
from gateway.domain.guard import Unlooked
from gateway.failpoints import failpoint
from gateway.keyholder.client import GuardClient
from gateway.screening.pool import Pool
from gateway.screening.protocol import BadAnswer
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.guard import to_look_at
from gateway.store.messages import segments_of
from gateway.store.segments import SegmentReader
from gateway.wake import Waker

AT_ONCE = 200
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 5.0
TRIES = 2
"""So often a child may fail over one message before it passes as not looked at."""


@dataclass(slots=True)
class Guard:
    """Looks at what waits. `largest` is the most octets of a message that are looked at; `wake` wakes the notifier;
    `at_once` messages are read of the database together.
    """

    database: Database
    blobs: BlobFolder
    keyholder: GuardClient
    pool: Pool
    largest: int
    wake: Callable[[], None]
    at_once: int = AT_ONCE
    _failures: Counter[str] = field(default_factory=Counter)

    async def run(self, stop: asyncio.Event, waker: Waker) -> None:
        """Look until `stop`, when woken and each second. What is away is asked again."""
        while not stop.is_set():
            pause = LOOK_SECONDS
            try:
                if not await self.look_at_all():
                    pause = PAUSE_SECONDS
            except GatewayError as problem:
                maillog.guard_failed(type(problem).__name__)
                pause = PAUSE_SECONDS
            await waker.wait(pause)

    async def look_at_all(self) -> bool:
        """Look once at all that waits, several at a time; False where something could not be, and is to wait.

        What waits on, as it may not be opened any more, stands before what came after it and must not hide that.
        """
        places = asyncio.Semaphore(self.pool.sizes.text)
        seen: set[str] = set()
        is_all, last = True, None
        while rows := await self.database.read(to_look_at, self.at_once, last):
            looks = await asyncio.gather(*(self._look_in_place(row, places) for row in rows))
            if not any(looks):
                return False
            is_all, last = is_all and all(looks), rows[-1]
            seen.update(row.id for row in rows)
        left = await self.database.read(to_look_at, 1) if seen else []
        return is_all and seen.isdisjoint(row.id for row in left)

    async def _look_in_place(self, row: Row[Any], places: asyncio.Semaphore) -> bool:
        async with places:
            try:
                await self._look(row.id, row.octets)
            except NotAllowed:  # withdrawn, or another one was quicker; what is still there then is its author's
                return True
            except (BadAnswer, Tampered):
                return await self._fail(row.id)
            except (Unavailable, Malformed, ScreeningUnavailable) as problem:
                maillog.guard_failed(type(problem).__name__)
                return False
            self._failures.pop(row.id, None)
            self.wake()
            return True

    async def _look(self, message_id: str, octets: int) -> None:
        if octets > self.largest:
            await self.keyholder.guard_pass(message_id, Unlooked.TOO_LARGE)
            return
        grant = await self.keyholder.guard_open(message_id)
        failpoint("guard.opened")
        mail = await self._read(message_id, grant.key)
        found = await self.pool.find_numbers(mail, message_id, grant.numbers)
        failpoint("guard.looked")
        await self.keyholder.guard_settle(message_id, found.numbers, partly=found.is_partly)
        failpoint("guard.settled")

    async def _read(self, message_id: str, key: bytes) -> bytes:
        rows = await self.database.read(segments_of, message_id)

        def read() -> bytes:
            return b"".join(piece for row in rows for piece in SegmentReader(self.blobs, row, key).read())

        return await asyncio.to_thread(read)

    async def _fail(self, message_id: str) -> bool:
        """Count what was this message's own doing; after some tries it passes, with an entry. Raises Unavailable."""
        self._failures[message_id] += 1
        maillog.guard_failed("child")
        if self._failures[message_id] < TRIES:
            return False
        with suppress(NotAllowed):
            await self.keyholder.guard_pass(message_id, Unlooked.UNREADABLE)
        del self._failures[message_id]
        self.wake()
        return True
