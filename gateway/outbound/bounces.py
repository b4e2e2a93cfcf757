"""The notifier's other hand: applies what the mail doors entered of returned notifications, and watches for late ones.

What it does: looks for new reports each second, or when woken; each minute for notices that wait for very long, and for
addresses that time has healed. What it trusts: that a door entered a report of a notification that is ours; of who else
a report names it believes nothing. How it fails: a store that is away is asked again; what was entered stays.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.casework.bounces import Means, apply_reports, enter_late, heal, late
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.return_path import ReturnPaths
from gateway.store.database import Database
from gateway.store.reach import count_new, healing
from gateway.wake import Waker, notify

NAME: Final = "bounces"
LOOK_SECONDS: Final = 60.0


class Bounces:
    """Works beside the notifier, in its program. `run_folder` has the sockets for wake-ups."""

    def __init__(
        self,
        database: Database,
        authority: Ed25519PublicKey,
        address_hash: bytes,
        paths: ReturnPaths,
        run_folder: Path,
        *,
        late_after: timedelta,
        clock: Clock,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._database = database
        self._means = Means(authority, address_hash, paths.named)
        self._run_folder = run_folder
        self._late_after = late_after
        self._clock = clock
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Work until cancelled."""
        looked = monotonic() - self._look_seconds
        with Waker(self._run_folder, NAME) as waker:
            while True:
                try:
                    await self.apply()
                    if monotonic() - looked >= self._look_seconds:
                        await self.look()
                        looked = monotonic()
                except Exception as problem:  # noqa: BLE001 - the store is away, or a row is odd: it is looked at again
                    maillog.incident("bounces", problem)
                await waker.wait()

    async def apply(self) -> int:
        """Apply every new report, and return how many."""
        applied = 0
        while await self._database.read(count_new, to_microseconds(self._clock())):
            applied += await self._database.run(apply_reports, self._means)
        if applied:
            maillog.reports_applied(applied, 0)
            self._wake()
        return applied

    async def look(self) -> int:
        """Tell employees of notices that wait for very long, let time heal addresses; return how many were late."""
        found = 0
        before_us = to_microseconds(self._clock() - self._late_after)
        while await self._database.read(late, before_us, 1):
            found += await self._database.run(enter_late, self._means, before_us)
        if await self._database.read(healing, to_microseconds(self._clock())):
            await self._database.run(heal)
        if found:
            maillog.reports_applied(0, found)
            self._wake()
        return found

    def _wake(self) -> None:
        notify(self._run_folder, "notifier")
