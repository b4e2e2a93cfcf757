"""A fax that nobody recognised when it came is recognised when a clerk opens it: what a fax server brought is in memory
alone until then, and may be lost there.

What it holds: one open fax at a time, and locked children for as long as they read it. How it fails: without children
nothing is entered, and the next opening asks again; no page waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway import maillog
from gateway.casework.recognising import LEASE_US, recognise_now
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.layout import Layouts
from gateway.portal.desk.documents import Opened
from gateway.screening.pool import Patience, Pool, Sizes
from gateway.store.database import Database
from gateway.store.recognition import recognition_row

LATE_US: Final = 30 * 60 * 1_000_000
"""For how long the program that took a fax is left to have it recognised."""

_CHILD_SECONDS: Final = 120.0  # nobody waits: a template may take its time to load


def _pool() -> Pool:
    return Pool(sizes=Sizes(1, 1), patience=Patience(child=_CHILD_SECONDS))


@dataclass(slots=True)
class LateRecognition:
    """Has faxes recognised that are open, one at a time; `layouts` are the programmes' forms."""

    database: Database
    clock: Clock
    layouts: Layouts
    pool: Callable[[], Pool] = _pool
    _work: set[asyncio.Task[None]] = field(default_factory=set)

    async def look_after(self, opened: Opened, by: str) -> None:
        """Have a fax recognised in the background, if that is overdue. `by` is who opened it."""
        if self._work or opened.summary.own_key is None:
            return
        row = await self.database.read(recognition_row, opened.row.id)
        now_us = to_microseconds(self.clock())
        if row is None or row.version or opened.row.received_us > now_us - LATE_US or self._work:
            return
        if row.tried_us is None or row.tried_us < now_us - LEASE_US:
            task = asyncio.create_task(self._recognise(opened, by))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def _recognise(self, opened: Opened, by: str) -> None:
        octets = await asyncio.to_thread(lambda: b"".join(opened.octets.read(0, opened.octets.length)))
        pool = self.pool()
        try:
            pool.start_soon(pages=True)
            await recognise_now(self.database, pool, self.layouts, opened.row.id, opened.summary, octets, by=by)
        except ScreeningUnavailable:
            maillog.screening_failed("none")
        except Exception as problem:  # noqa: BLE001 - no page waits for it
            maillog.incident("desk.recognise", problem)
        finally:
            await pool.close()
