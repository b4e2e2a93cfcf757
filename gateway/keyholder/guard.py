"""The wrong client guard inside the keyholder: what it opens for the program guard, and the numbers that come back.

It opens what waits for its look and nothing else, each time with an entry. A locked child seals the numbers that it has
found to a key whose private half is made at the start and kept in memory alone: nothing of them rests anywhere, and
when this program ends on the way, the message is looked at anew. They are compared by the blind index. What is
answered is that it is done, never which number belongs where.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag

from gateway import maillog
from gateway.casework import guarding
from gateway.casework.openings import Wrap
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed
from gateway.domain.guard import (
    DAY_NUMBERS,
    HPKE_SUITES,
    MOST_NUMBERS,
    NumbersKey,
    Unlooked,
    numbers_info,
    read_numbers,
)
from gateway.failpoints import failpoint
from gateway.frames import decode, text
from gateway.keyholder.protocol import LookGrant
from gateway.keyholder.rates import HOUR_US, Window
from gateway.store.authority import AuthorityKey
from gateway.store.database import Database
from gateway.store.pairs import new_pair, read_private
from gateway.store.sealing import body_key

Request = Mapping[str, Any]


class GuardDesk:
    """What the program guard may ask. `unwrap` is the server's, `blind` the index, `done` as for the tray."""

    def __init__(
        self,
        database: Database,
        key: AuthorityKey,
        clock: Callable[[], datetime],
        unwrap: Callable[[tuple[Wrap, ...]], Awaitable[list[bytes]]],
        blind: Callable[[str, str], str],
        suite: int,
        done: Callable[[], None],
    ) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._unwrap = unwrap
        self._blind = blind
        self._done = done
        private, public = new_pair(suite)
        self._private = read_private(private)
        self._public = NumbersKey(suite, public)
        self._compared = Window(DAY_NUMBERS, HOUR_US, 24)

    def answers(self) -> dict[str, Callable[[Request], Any]]:
        """Return what may be asked, by verb."""
        return {"guard_open": self._open, "guard_settle": self._settle}

    async def _open(self, request: Request) -> Request:
        message_id = text(request, "message")
        found = await self._database.read(guarding.find_to_look, self._key, message_id, self._now_us)
        await self._database.run(guarding.enter_opening, found)
        failpoint("guard.open.entry")
        self._done()
        (content_key,) = await self._unwrap((found.wrap,))
        maillog.opened(1)
        return LookGrant(message_id, body_key(content_key, message_id), self._public).to_frame()

    async def _settle(self, request: Request) -> Request:
        look = await self._look(request)
        outcome = await self._database.run(guarding.settle_look, self._key, look)
        self._done()
        if outcome is not None:
            maillog.guard_looked(outcome.value)
        return {"done": True}

    async def _look(self, request: Request) -> guarding.Look:
        message_id, unlooked = text(request, "message"), request.get("unlooked")
        if unlooked is not None:
            if unlooked not in Unlooked.__members__.values():
                raise Malformed("A request between programs cannot be read.")
            return guarding.Look(message_id, unlooked=Unlooked(unlooked))
        now_us = self._now_us
        found = await self._database.read(guarding.find_to_look, self._key, message_id, now_us)
        numbers = self._open_numbers(message_id, decode(request.get("numbers")))
        is_partly = request.get("partly") is True or len(numbers) == MOST_NUMBERS
        if not self._compared.has_room(found.author, len(numbers), now_us):
            return guarding.Look(message_id, is_partly=True)
        self._compared.spend(found.author, len(numbers), now_us)
        blind = await asyncio.to_thread(lambda: tuple(self._blind(found.programme, one) for one in numbers))
        return guarding.Look(message_id, blind, is_partly)

    @property
    def _now_us(self) -> int:
        return to_microseconds(self._clock())

    def _open_numbers(self, message_id: str, sealed: bytes) -> tuple[str, ...]:
        """Open what a child has sealed. Raises Malformed, also for what was sealed before this program started."""
        suite = self._public.suite
        try:
            return read_numbers(HPKE_SUITES[suite].decrypt(sealed, self._private, numbers_info(suite, message_id)))
        except (InvalidTag, ValueError, RecursionError):
            raise Malformed("These numbers do not open here. Look once more.") from None
