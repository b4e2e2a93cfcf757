"""Mail to a return path, and reports that come another way: what they say of a notification is entered, nothing else.

What it holds: the key that marks return paths. How it fails: a forged return path, and a report of what we never sent,
change nothing and are answered like any other; the store away → `451`. Nothing of such a mail is kept, none is answered
by mail, and a storm of them about one notification is one row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from gateway import maillog
from gateway.casework.bounces import Arrived, enter
from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Malformed
from gateway.domain.reach import Report, ReportKind
from gateway.domain.return_path import ReturnPaths
from gateway.failpoints import failpoint
from gateway.mime.delivery_report import MAX_OCTETS, Reported, read_report
from gateway.store.database import Database
from gateway.store.reach import is_notice, known_reports

__all__ = ["BOUNCES", "MAX_OCTETS", "Reports"]

BOUNCES: Final = "bounces"
"""What the part of the notifier that applies reports is woken by."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Where a door brings what may be a report. `wake` tells the notifier that there is one."""

    database: Database
    paths: ReturnPaths
    wake: Callable[[], None] = field(default=lambda: None, repr=False)

    async def bring(self, octets: bytes, recipients: Iterable[Address], sender: str, by: str, relay: str) -> bool:
        """Enter what a mail reports; return False when it is no report of ours, and nothing was done.

        `octets` are its beginning, MAX_OCTETS of them are read. Raises StoreUnavailable and StoreFull.
        """
        addressed = next(filter(None, map(self.paths.outbox_id, recipients)), None)
        reported = await asyncio.to_thread(read_report, octets, null_sender=not sender)
        outbox_id = addressed or self._by_path(reported) or reported.outbox_id
        if outbox_id is None or not reported.reports:
            return False
        failpoint("reports.read")
        is_ours, known = await self.database.read(_look_up, outbox_id)
        new = tuple(self._hashed(report) for report in reported.reports if report.kind not in known)
        if not is_ours:
            return False
        entered = await self.database.run(enter, by, Arrived(outbox_id, new, relay)) if new else 0
        if entered:
            self.wake()
            maillog.notice_reported(outbox_id, new[0].kind.value, new[0].enhanced, relay)
        return True

    def _by_path(self, reported: Reported) -> str | None:
        """Return the row that an envelope sender names which the report says the returned mail had."""
        for path in reported.paths:
            try:
                named = self.paths.outbox_id(parse_address(path))
            except Malformed:
                continue
            if named is not None:
                return named
        return None

    def _hashed(self, report: Report) -> Report:
        return Report(report.kind, report.enhanced, tuple(self.paths.named(one) for one in report.named))


def _look_up(connection: Connection, outbox_id: str) -> tuple[bool, set[ReportKind]]:
    return is_notice(connection, outbox_id), known_reports(connection, outbox_id)
