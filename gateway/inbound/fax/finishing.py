"""What lies in the folder *Filed* is recognised, and only then moved to *Done*: by a session of its own.

So nothing that comes waits for it. The octets are still in memory, else they are fetched again. How it fails: like the
watch of the mailbox; killed anywhere, it finds the mail again, and the vault knows whether its fax was recognised. So
do two gateways that watch one mailbox. A mail that the vault does not know was put there by somebody else, and stays.
One over which two sessions are lost, one after the other, waits, and holds up no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from gateway import maillog
from gateway.domain.errors import Unavailable
from gateway.failpoints import failpoint
from gateway.inbound.fax.imap import Account, Lost, Session
from gateway.inbound.fax.keeping import keep_session
from gateway.inbound.fax.recogniser import End, Recogniser

_UNMOVED_SECONDS: Final = 60.0  # until what the folder would not give is tried once more
_UNREAD_SECONDS: Final = 10.0  # until it is asked again whether a fax may be recognised
_OTHERS_SECONDS: Final = 3.0  # until what somebody else had recognised is moved, who is about to
_AGAIN_SECONDS: Final = 600.0  # until a mail over which our code failed is tried once more

Place = tuple[int, int]
"""A mail's UIDVALIDITY and UID in *Filed*."""


@dataclass(slots=True)
class Finishing:
    """The second stage of one mailbox. What it remembers is no loss: it saves work."""

    source: str
    account: Account
    filed: str
    done: str
    poll: float
    most: int
    recogniser: Recogniser
    _validity: int = 0
    _noted: dict[Place, str] = field(default_factory=dict)
    _over: set[int] = field(default_factory=set)
    _strange: set[int] = field(default_factory=set)
    _later: dict[int, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stumbled: int = 0
    _is_lost: bool = False

    async def run(self) -> None:
        """Recognise and move what is filed, until cancelled."""
        await keep_session(self.source, self.account, self._finish_always)

    def hold(self, message_id: str, octets: bytes) -> None:
        """Keep a fax that was filed just now until it is recognised, if there is room."""
        if message_id:
            self.recogniser.held.put(message_id, octets)

    def note(self, message_id: str, place: Place | None) -> None:
        """Take note of where a mail lies that was moved to *Filed*: of a fax, or "" for what is none."""
        if place is None:
            self.recogniser.held.take(message_id)
        else:
            self._noted[place] = message_id
        self._news.set()

    async def _finish_always(self, session: Session, begin: Callable[[], None]) -> None:
        validity = await session.select(self.filed, self.filed, self.done)
        if validity != self._validity:
            self._validity = validity
            for known in (self._over, self._strange, self._later):
                known.clear()
        self._is_lost = False
        begin()
        while True:
            self._news.clear()
            if not await self._finish_all(session):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self.poll)

    async def _finish_all(self, session: Session) -> bool:
        """Finish what waits, some at once; True where anything was moved, so that more may have come meanwhile."""
        noted = set(self._noted)
        await session.look_again()
        waiting = await session.waiting()
        self._forget(waiting, noted)
        now = asyncio.get_running_loop().time()
        due = [uid for uid in waiting if uid not in self._strange and self._later.get(uid, now) <= now]
        lanes, moved = self.recogniser.lanes, False
        for start in range(0, len(due), lanes):
            several = (self._finish(session, uid) for uid in due[start : start + lanes])
            for outcome in await asyncio.gather(*several, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
                moved |= outcome
        return moved

    def _forget(self, waiting: Sequence[int], noted: set[Place]) -> None:
        """Keep nothing of mails that are gone: another gateway has moved them."""
        for known in (self._over, self._strange):
            known.intersection_update(waiting)
        for uid in self._later.keys() - set(waiting):
            del self._later[uid]
        for place in noted - {(self._validity, uid) for uid in waiting}:
            self.recogniser.held.take(self._noted.pop(place))

    async def _finish(self, session: Session, uid: int) -> bool:
        """Have one mail's fax recognised, and then move the mail; True where it was moved."""
        now = asyncio.get_running_loop().time()
        try:
            if uid not in self._over:
                end = await self._settle(session, uid)
                if end is not End.LATER:
                    self._over.add(uid)
                if end is not End.NOW:
                    self._later[uid] = now + (_UNREAD_SECONDS if end is End.LATER else _OTHERS_SECONDS)
                    return False
            async with self._own_turn(uid):
                is_moved = await session.move(uid, self.done)
        except (Lost, Unavailable):
            raise
        except Exception as problem:  # noqa: BLE001 - one mail holds up no other
            maillog.incident("fax.finish", problem)
            self._later[uid] = now + _AGAIN_SECONDS
            return False
        if not is_moved:
            maillog.fax_not_moved(self.source)
            self._later[uid] = now + _UNMOVED_SECONDS
            return False
        failpoint("fax.done")
        return True

    @asynccontextmanager
    async def _own_turn(self, uid: int) -> AsyncIterator[None]:
        """Have the session for oneself. Where it is lost over the same mail as the last one, the mail waits."""
        async with self._turn:
            try:
                yield
            except Lost:
                if not self._is_lost and self._stumbled == uid:
                    self._later[uid] = asyncio.get_running_loop().time() + _UNMOVED_SECONDS
                if not self._is_lost:
                    self._is_lost, self._stumbled = True, uid
                raise

    async def _settle(self, session: Session, uid: int) -> End:
        """Have a mail's fax recognised, if it has one. Raises Lost, GatewayError."""
        message_id = self._noted.get((self._validity, uid))
        if message_id == "":
            return End.NOW
        octets = self.recogniser.held.take(message_id) if message_id else None
        if octets is None:
            octets = await self._fetch(session, uid)
            message_id = None if octets is None else await self.recogniser.fax_of(octets)
        if octets is None or message_id is None:
            self._strange.add(uid)
            return End.LATER
        return await self.recogniser.settle(message_id, octets) if message_id else End.BEFORE

    async def _fetch(self, session: Session, uid: int) -> bytes | None:
        """Return a mail's octets once more, None where it is gone, or is longer than any that is filed."""
        async with self._own_turn(uid):
            found = await session.find(uid)
            if found is None or found.size > self.most:
                return None
            octets = await session.fetch(uid, found.size, self.most)
        failpoint("fax.refetched")
        return octets
