"""What the notifier does by the clock beside sending: plan reminders, announce ends, put right what a clock got wrong.

Each step is a verb that does up to so many rows; a crash between two steps leaves the rest due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Concatenate, ParamSpec

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
from gateway.domain.errors import Unavailable
from gateway.domain.intake import OVERDUE_US
from gateway.domain.programme import Programme
from gateway.domain.sunset import Sunsets
from gateway.store.confirmations import has_due
from gateway.store.database import Database
from gateway.store.guard import is_due
from gateway.store.hastening import hasten
from gateway.store.parcels import destroy_over, has_over
from gateway.store.transaction import Transaction

P = ParamSpec("P")

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
        """Do one step of each that it is time for; a store that is away is asked again at the next time."""
        now = self._elapsed()
        try:
            await self._release_and_confirm()
            if now >= self._reminders_at:
                self._reminders_at = now + REMINDERS_SECONDS
                if await self._remind():
                    self._reminders_at = now
            if now >= self._endings_at:
                self._endings_at = now + REMINDERS_SECONDS
                self._endings_at = now + await self._announce()
        except Exception as problem:  # noqa: BLE001 - what cannot be planned must not stop the sending
            maillog.incident("timetable", problem)

    async def _remind(self) -> bool:
        """Tell of what nobody has read or opened; True where there may be more of it."""
        await self._destroy_parcels()
        reminded = await self._do(plan_reminders, self._authority, self._programmes)
        unopened = await self._do(tell_unopened, self._authority, self._programmes)
        return AT_ONCE in (reminded, unopened)

    async def _announce(self) -> float:
        """Tell of what ends or waits for too long; return in how many seconds to look again."""
        steps = [
            await self._do(look_after_drafts, self._authority),
            await self._do(tell_endings, self._authority, self._programmes),
            await self._do(tell_sunsets, self._programmes, self._sunsets),
        ]
        others = [
            await self._do(hasten, self._longest_us),
            await self._do(tell_waiting, self._authority, self._programmes, self._overdue_us),
        ]
        if None in (*steps, *others):
            return REMINDERS_SECONDS
        return 0.0 if any(steps) else ENDINGS_SECONDS

    async def _do(
        self, verb: Callable[Concatenate[Transaction, P], int], *args: P.args, **kwargs: P.kwargs
    ) -> int | None:
        """Run a step; None where it fails, as over a row that nobody foresaw: it holds up no other.

        Raises Unavailable: what is away is away for all.
        """
        try:
            return await self._database.run(verb, *args, **kwargs)
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it is, the others have to be done
            maillog.incident(f"timetable.{verb.__name__}", problem)
            return None

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
        """Release messages whose time has come, and tell authors what there is to tell, and whose word is needed."""
        key, programmes = self._confirmation_key, self._programmes
        while await self._database.read(self._has_waits):
            if await self._do(plan_waits, self._authority, self._guard_overdue_us) is None:
                break
        while await self._database.read(self._has_due):
            released = await self._do(release_due, self._authority)
            confirmed = await self._do(plan_confirmations, self._authority, key, programmes)
            if released is None or confirmed is None:
                break

    async def _destroy_parcels(self) -> None:
        """Destroy the full copies whose notices wait no more."""
        if await self._database.read(has_over):
            await self._do(destroy_over)

    def _has_waits(self, connection: Connection) -> bool:
        return is_due(connection, to_microseconds(self._database.clock()), self._guard_overdue_us)

    def _has_due(self, connection: Connection) -> bool:
        return has_due(connection, to_microseconds(self._database.clock()))
