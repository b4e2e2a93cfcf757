"""Watching one mailbox: what waits in it is brought into the vault, and only then moved to the folder *Filed*, where
its second stage, `gateway.inbound.fax.finishing`, finds it.

How it fails: a session that is lost is begun anew, after pauses that grow; the vault away ends it likewise, and nothing
is marked. Killed anywhere, it finds the mail again: the vault knows it, and it is moved. So do two gateways that watch
one mailbox. A mail over which our own code fails is left for later, and holds up no other; nor does one over which two
sessions are lost, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway import maillog
from gateway.domain.errors import GatewayError
from gateway.failpoints import failpoint
from gateway.inbound.fax.finishing import Finishing
from gateway.inbound.fax.imap import Account, Lost, Session
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.fax.keeping import keep_session

_UNMOVED_SECONDS: Final = 60.0  # until what the mailbox would not move, or give, is tried once more
_AGAIN_SECONDS: Final = 600.0  # until a mail over which our code failed is tried once more


@dataclass(frozen=True, slots=True)
class Habits:
    """How a mailbox is watched. `idle` and `poll` are seconds, `most` the octets of the longest mail."""

    mailbox: str = "INBOX"
    filed: str = "Filed"
    idle: float = 540.0
    poll: float = 30.0
    most: int = 50 * 1024 * 1024


@dataclass(slots=True)
class Watch:
    """One mailbox of one account. What it remembers holds for one UIDVALIDITY and is no loss: it saves work."""

    source: Source
    account: Account
    habits: Habits
    intake: FaxIntake
    finishing: Finishing | None = None
    _validity: int = 0
    _brought: dict[int, str] = field(default_factory=dict)
    _left: set[int] = field(default_factory=set)
    _later: dict[int, float] = field(default_factory=dict)
    _stumbled: int = 0

    async def run(self) -> None:
        """Watch it until cancelled."""
        await keep_session(self.source.name, self.account, self._watch)

    async def _watch(self, session: Session, begin: Callable[[], None]) -> None:
        await self._begin(session)
        begin()
        while True:
            if not await self._bring_all(session):
                most = _UNMOVED_SECONDS if self._brought else self.habits.idle
                await session.wait(min(most, self.habits.idle), self.habits.poll)

    async def _begin(self, session: Session) -> None:
        """Select the mailbox; under another UIDVALIDITY its numbers mean other mails."""
        validity = await session.select(self.habits.mailbox, self.habits.filed)
        if validity != self._validity:
            self._validity = validity
            self._brought.clear()
            self._left.clear()
            self._later.clear()
        maillog.fax_mailbox_open(self.source.name)

    async def _bring_all(self, session: Session) -> bool:
        """Bring what waits; True where anything was moved, so that more may have come meanwhile."""
        now = asyncio.get_running_loop().time()
        waiting = await session.waiting()
        self._left.intersection_update(waiting)
        for uid in self._brought.keys() - set(waiting):  # another gateway has moved them
            self._note(self._brought.pop(uid), None)
        moved = False
        for uid in waiting:
            if uid not in self._left and self._later.get(uid, now) <= now:
                try:
                    moved |= await self._bring(session, uid)
                except Lost:
                    self._stumble(uid)
                    raise
        return moved

    def _stumble(self, uid: int) -> None:
        """Take note of the mail over which a session was lost; the second time it waits, so that others come first."""
        if self._stumbled == uid:
            self._later[uid] = asyncio.get_running_loop().time() + _UNMOVED_SECONDS
        self._stumbled = uid

    async def _bring(self, session: Session, uid: int) -> bool:
        """Bring one mail into the vault, and then move it; True where it was moved."""
        if uid not in self._brought and not await self._take(session, uid):
            return False
        failpoint("fax.taken")
        if not await session.move(uid, self.habits.filed):
            maillog.fax_not_moved(self.source.name)
            return False
        failpoint("fax.moved")
        self._note(self._brought.pop(uid), session.moved_to)
        return True

    async def _take(self, session: Session, uid: int) -> bool:
        """Have the vault take a mail; False where it stays, or is gone. Raises Lost, GatewayError."""
        found = await session.find(uid)
        if found is not None and found.size > self.habits.most:
            await self.intake.leave(self.source, self._validity, uid, found.size)
            self._left.add(uid)
            return False
        try:
            octets = None if found is None else await session.fetch(uid, found.size, self.habits.most)
        except Lost as problem:
            if problem.reason == "size":  # its server says it has less
                await self.intake.leave(self.source, self._validity, uid, self.habits.most + 1)
                self._left.add(uid)
            raise
        if found is None or octets is None:
            return False
        failpoint("fax.fetched")
        try:
            entered = await self.intake.take(self.source, octets, arrived_us=found.arrived_us)
        except GatewayError:
            raise
        except Exception as problem:  # noqa: BLE001 - one mail holds up no other
            maillog.incident("fax.take", problem)
            self._later[uid] = asyncio.get_running_loop().time() + _AGAIN_SECONDS
            return False
        self._brought[uid] = entered.message_id
        if self.finishing is not None:
            self.finishing.hold(entered.message_id, octets)
        return True

    def _note(self, message_id: str, place: tuple[int, int] | None) -> None:
        if self.finishing is not None:
            self.finishing.note(message_id, place)
