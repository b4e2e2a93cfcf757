"""Sends fax servers the reports that they asked for, beside the notifier in its program.

What it trusts: that whoever entered a report had the key; the site's list once more. How it fails: as the notifier, by
leases: a kill sends a report once more only in the window after the final dot, under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from gateway import maillog
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import Tampered
from gateway.domain.fax_report import is_listed
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import Courier
from gateway.outbound.dkim import Signer, sign
from gateway.outbound.fax_report import Reporting
from gateway.store.database import Database
from gateway.store.fax_reports import ReportEntry, ReportState, claim, forget, open_report, settle

LEASE: Final = timedelta(minutes=10)
AT_ONCE: Final = 8
LOOK_SECONDS: Final = 5.0
NOT_LISTED: Final = Delivery(DeliveryState.FAILED, text="not an address that the site lists for this fax server")
ODD: Final = Delivery(DeliveryState.FAILED, text="not as it was sealed")


@dataclass(frozen=True, slots=True)
class FaxReporter:
    """Works beside the notifier. `listed` has the addresses that each source may have reports at."""

    database: Database
    key: bytes = field(repr=False)
    listed: Mapping[str, tuple[str, ...]]
    reporting: Reporting
    courier: Courier
    signers: Iterable[Signer]
    schedule: Schedule
    clock: Clock
    jitter: Callable[[], float] = random.random

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                try:
                    await self.send_due()
                except Exception as problem:  # noqa: BLE001 - the store is away, or a row is odd: it is looked at again
                    maillog.incident("fax_reports", problem)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.courier.close()

    async def send_due(self) -> int:
        """Send all that is due now, and return how many attempts that took."""
        attempts = 0
        while entries := await self.database.run(claim, LEASE // timedelta(microseconds=1), AT_ONCE):
            attempts += len(entries)
            await asyncio.gather(*map(self._attempt, entries))
        if attempts:
            await self.database.run(forget)
        return attempts

    async def _attempt(self, entry: ReportEntry) -> None:
        try:
            delivery = await self._deliver(entry)
        except Tampered:
            delivery = ODD
        except Exception as problem:  # noqa: BLE001 - one report that cannot be made must not stop the others
            delivery = Delivery(DeliveryState.DELAYED, text=f"incident {maillog.incident('fax_reports', problem)}")
        await self._settle(entry, delivery)

    async def _deliver(self, entry: ReportEntry) -> Delivery:
        report = open_report(self.key, entry)
        to = report.address
        if not is_listed(to, self.listed.get(entry.source, ())):
            return NOT_LISTED
        mail, signers = self.reporting.mail(report, entry.id, entry.created), tuple(self.signers)
        signed = await asyncio.to_thread(lambda: sign(mail, signers, entry.created)) if signers else mail
        return await self.courier.deliver(signed, to, None)

    async def _settle(self, entry: ReportEntry, delivery: Delivery) -> None:
        due_us = None
        if delivery.state is DeliveryState.DELAYED:
            due = self.schedule.next_due(entry.attempts, entry.created, self.clock(), self.jitter())
            due_us = None if due is None else to_microseconds(due)
        state = ReportState.SENT if delivery.state is DeliveryState.DELIVERED else ReportState.FAILED
        await self.database.run(settle, entry, state, str(delivery), due_us)
        maillog.fax_report_settled(entry.id, entry.attempts, delivery.state.value)
