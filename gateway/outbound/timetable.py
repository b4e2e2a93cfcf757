"""What the notifier does by the clock beside sending: plan reminders, announce ends, put right what a clock got wrong.

Each step is a verb that does up to so many rows; a crash between two steps leaves the rest due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from gateway import maillog
from gateway.casework.confirming import plan_confirmations
from gateway.casework.drafts import look_after_drafts
from gateway.casework.endings import tell_endings
from gateway.casework.guard_answers import plan_waits
from gateway.casework.releasing import release_due
from gateway.casework.reminding import AT_ONCE, plan_reminders
from gateway.casework.sunsets import tell_sunsets
from gateway.casework.unopened import tell_unopened
from gateway.casework.waiting import tell_waiting
from gateway.domain import guard
from gateway.domain.clock import to_microseconds
from gateway.domain.intake import OVERDUE_US
from gateway.domain.programme import Programme
from gateway.domain.sunset import Sunsets
from gateway.store.confirmations import has_due
from gateway.store.database import Database
from gateway.store.guard import is_due
from gateway.store.hastening import hasten
from gateway.store.parcels import destroy_over, has_over

REMINDERS_SECONDS = 5.0
ENDINGS_SECONDS = 600.0


class Timetable:
    """When to do it; `longest_wait` is what no row of the outbox waits for, whatever happened to it, `overdue_us` for
    how long something may wait in the intake tray, `guard_overdue_us` for how long a message may wait for its look.
    """

    def __init__(
        self,
        database: Database,
        programmes: Mapping[str, Programme],
        authority: Ed25519PublicKey,
        longest_wait: timedelta,
        sunsets: Sunsets | None = None,
        *,
        overdue_us: int = OVERDUE_US,
        guard_overdue_us: int = guard.OVERDUE_US,
        confirmation_key: bytes = b"",
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._programmes = programmes
        self._authority = authority
        self._sunsets = sunsets or Sunsets()
        self._overdue_us = overdue_us
        self._guard_overdue_us = guard_overdue_us
        self._confirmation_key = confirmation_key
        self._longest_us = longest_wait // timedelta(microseconds=1)
        self._elapsed = elapsed
        self._reminders_at = self._endings_at = elapsed()

    async def keep(self) -> None:
        """Do one step of what it is time for; a store that is away is asked again at the next time."""
        now = self._elapsed()
        try:
            await self._release_and_confirm()
            if now >= self._reminders_at:
                await self._destroy_parcels()
                done = await self._database.run(plan_reminders, self._authority, self._programmes)
                done = max(done, await self._database.run(tell_unopened, self._authority, self._programmes))
                self._reminders_at = now if done == AT_ONCE else now + REMINDERS_SECONDS
            if now >= self._endings_at:
                await self._database.run(hasten, self._longest_us)
                done = await self._database.run(look_after_drafts, self._authority)
                done += await self._database.run(tell_endings, self._authority, self._programmes)
                done += await self._database.run(tell_sunsets, self._programmes, self._sunsets)
                await self._database.run(tell_waiting, self._authority, self._programmes, self._overdue_us)
                self._endings_at = now if done else now + ENDINGS_SECONDS
        except Exception as problem:  # noqa: BLE001 - one row that cannot be planned must not stop the sending
            maillog.incident("timetable", problem)
            self._reminders_at = now + REMINDERS_SECONDS
            self._endings_at = max(self._endings_at, now + REMINDERS_SECONDS)

    async def plan(self) -> None:
        """Do all that is due, to the end."""
        await self._database.run(hasten, self._longest_us)
        await self._release_and_confirm()
        await self._destroy_parcels()
        while await self._database.run(plan_reminders, self._authority, self._programmes):
            pass
        while await self._database.run(look_after_drafts, self._authority):
            pass
        while await self._database.run(tell_unopened, self._authority, self._programmes):
            pass
        while await self._database.run(tell_endings, self._authority, self._programmes):
            pass
        while await self._database.run(tell_sunsets, self._programmes, self._sunsets):
            pass
        await self._database.run(tell_waiting, self._authority, self._programmes, self._overdue_us)

    async def _release_and_confirm(self) -> None:
        """Release messages whose time has come, and tell authors what there is to tell."""
        await self._plan_waits()
        key, programmes = self._confirmation_key, self._programmes
        while await self._database.read(self._has_due):
            await self._database.run(release_due, self._authority)
            await self._database.run(plan_confirmations, self._authority, key, programmes)

    async def _plan_waits(self) -> None:
        """Tell authors whose word a message waits for, as the wrong client guard has it."""
        while await self._database.read(self._has_waits):
            await self._database.run(plan_waits, self._authority, self._guard_overdue_us)

    async def _destroy_parcels(self) -> None:
        """Destroy the full copies whose notices wait no more."""
        if await self._database.read(has_over):
            await self._database.run(destroy_over)

    def _has_waits(self, connection: Connection) -> bool:
        return is_due(connection, to_microseconds(self._database.clock()), self._guard_overdue_us)

    def _has_due(self, connection: Connection) -> bool:
        return has_due(connection, to_microseconds(self._database.clock()))
