"""Sends each day's TLS reports (RFC 8460) to the domains that ask for them, beside the notifier in its program.

What it trusts: DNS for where a domain wants them, but not to bring them to this machine or into the site's own
networks. How it fails: as the notifier, by leases: a kill sends a report once more only in the window after the final
dot or the request, under the same id; one that cannot be had away within a day is given up.

Reports come through where TLS fails, which is what they tell of, and their own sessions are not counted: else two
sites would report to each other for ever.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import httpx2

from gateway import maillog
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import Malformed
from gateway.failpoints import failpoint
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import AllowList, Courier
from gateway.outbound.dkim import Signer, sign
from gateway.outbound.hosts import HostFinder
from gateway.outbound.names import Names, NamesAway, is_host
from gateway.outbound.standing import Standings
from gateway.outbound.tls_policy import Standing
from gateway.outbound.tls_report import MEDIA_TYPE, Reporter, TlsReport, places_of
from gateway.store.database import Database
from gateway.store.tls_outcomes import TlsOutcome, outcomes_of
from gateway.store.tls_reports import ReportEntry, ReportState, claim, plan, settle, spread

LEASE: Final = timedelta(minutes=10)
AT_ONCE: Final = 8
LOOK_SECONDS: Final = 60.0
LATEST: Final = timedelta(hours=4)
"""A day's reports leave some time within so long after it, not all at its end (section 4.1)."""
SCHEDULE: Final = Schedule(first=timedelta(minutes=5), ceiling=timedelta(hours=4))
SECONDS: Final = 30.0
NOT_TAKEN: Final = Delivery(DeliveryState.FAILED, text="not a place that reports can go to")
NO_NAMES: Final = Delivery(DeliveryState.DELAYED, text="no name server answered")
_LATER: Final = frozenset({408, 425, 429})
"""HTTP: ask again later."""
UNSIGNED: Final = Delivery(DeliveryState.FAILED, text="no DKIM key signs, and unsigned reports are not read")


class Uncounted(Standings):
    """Knows nothing of any domain, and counts nothing: for the sessions of reports (section 3)."""

    async def of(self, domain: str) -> Standing:  # noqa: ARG002 - of every domain the same
        """Return no standing: opportunistic TLS."""
        return Standing()

    async def note(self, domain: str, outcome: TlsOutcome, *, is_verified: bool) -> None:
        """Count nothing."""


class Carrier(Protocol):
    """Takes a report to one place by one scheme."""

    async def carry(self, report: TlsReport, uri: str) -> Delivery:
        """Return what became of it."""
        ...

    async def close(self) -> None:
        """End what is kept open."""
        ...


@dataclass(frozen=True, slots=True)
class ByMail:
    """Reports as DKIM-signed mail (section 5.3)."""

    courier: Courier
    signers: Iterable[Signer]

    async def carry(self, report: TlsReport, uri: str) -> Delivery:
        """Send to a `mailto:` URI."""
        try:
            to = parse_address(unquote(urlsplit(uri).path))
        except (Malformed, ValueError):
            return NOT_TAKEN
        signers = tuple(self.signers)
        if not signers:
            return UNSIGNED
        if not str(to).isascii() or not str(to).isprintable():
            return NOT_TAKEN
        mail = await asyncio.to_thread(lambda: sign(report.mail(to), signers, report.made))
        return await self.courier.deliver(mail, to, report.reporter.sender)

    async def close(self) -> None:
        """End the conversations that are kept."""
        await self.courier.close()


@dataclass(frozen=True, slots=True)
class ByHttps:
    """Reports by POST (section 5.4): to public addresses and usual ports alone, no redirect followed."""

    hosts: HostFinder
    allow_list: AllowList | None
    tls: ssl.SSLContext
    ports: frozenset[int]

    async def carry(self, report: TlsReport, uri: str) -> Delivery:
        """Send to an `https:` URI."""
        try:
            place = urlsplit(uri)
            host, port = (place.hostname or "").lower(), place.port or 443
        except ValueError:
            return NOT_TAKEN
        if not is_host(host) or port not in self.ports or place.username is not None or not uri.isascii():
            return NOT_TAKEN
        if self.allow_list is not None and not self.allow_list.permits(Address("tls-report", host)):
            return Delivery(DeliveryState.FAILED, text="not on the allow-list of this environment")
        try:
            addresses = await self.hosts.addresses(host)
        except NamesAway:
            return NO_NAMES
        if not addresses:
            return Delivery(DeliveryState.DELAYED, text="the host has no address that is gone to")
        path = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
        return await self._post(report.compressed(), host, _bracketed(addresses[0]), port, path)

    async def _post(self, body: bytes, host: str, address: str, port: int, path: str) -> Delivery:
        named = host if port == 443 else f"{host}:{port}"
        headers = {"Host": named, "Content-Type": MEDIA_TYPE, "User-Agent": "tls-report"}
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx2.AsyncClient(verify=self.tls, trust_env=False, timeout=SECONDS) as client,
                client.stream(
                    "POST", f"https://{address}:{port}{path}", content=body, headers=headers,
                    extensions={"sni_hostname": host}, follow_redirects=False,
                ) as answer,
            ):  # fmt: skip
                status = answer.status_code
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            return Delivery(DeliveryState.DELAYED, text="the host did not take the request")
        failpoint("tls_report.posted")
        later = status in _LATER or status >= 500
        state = DeliveryState.DELIVERED if 200 <= status < 300 else DeliveryState.FAILED
        return Delivery(DeliveryState.DELAYED if later else state, text=f"HTTP {status}")

    async def close(self) -> None:
        """Nothing is kept open."""


class TlsReporter:
    """Works beside the notifier. `carriers` are by scheme; `jitter` draws from [0, 1)."""

    def __init__(
        self,
        database: Database,
        names: Names,
        reporter: Reporter,
        carriers: dict[str, Carrier],
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._names = names
        self._reporter = reporter
        self._carriers = carriers
        self._clock = clock
        self._jitter = jitter

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                try:
                    await self.send_due()
                except Exception as problem:  # noqa: BLE001 - the store is away, or a row is odd: it is looked at again
                    maillog.incident("tls_reports", problem)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.close()

    async def send_due(self) -> int:
        """Plan what is to be reported, send all that is due now, and return how many attempts that took."""
        await self._database.run(plan, lambda: LATEST * self._jitter())
        attempts = 0
        while entries := await self._database.run(claim, LEASE // timedelta(microseconds=1), AT_ONCE):
            attempts += len(entries)
            await asyncio.gather(*map(self._attempt, entries))
        return attempts

    async def close(self) -> None:
        """End what is kept open."""
        await asyncio.gather(*(carrier.close() for carrier in self._carriers.values()))

    async def _attempt(self, entry: ReportEntry) -> None:
        try:
            if entry.uri:
                delivery = await self._deliver(entry)
            else:
                found = await self._names.texts(f"_smtp._tls.{entry.domain}")
                await self._database.run(spread, entry, places_of(found.records))
                return
        except NamesAway:
            delivery = NO_NAMES
        except Exception as problem:  # noqa: BLE001 - one report that cannot be made must not stop the others
            delivery = Delivery(DeliveryState.DELAYED, text=f"incident {maillog.incident('tls_reports', problem)}")
        await self._settle(entry, delivery)

    async def _deliver(self, entry: ReportEntry) -> Delivery:
        carrier = self._carriers.get(urlsplit(entry.uri).scheme.lower())
        if carrier is None:
            return NOT_TAKEN
        outcomes = await self._database.read(outcomes_of, entry.day, entry.domain)
        report = TlsReport(self._reporter, entry.day, entry.domain, outcomes, entry.created)
        return await carrier.carry(report, entry.uri)

    async def _settle(self, entry: ReportEntry, delivery: Delivery) -> None:
        state, due = ReportState.SENT, None
        if delivery.state is not DeliveryState.DELIVERED:
            state = ReportState.FAILED
        if delivery.state is DeliveryState.DELAYED:
            due = SCHEDULE.next_due(entry.attempts, entry.created, self._clock(), self._jitter())
        due_us = None if due is None else to_microseconds(due)
        await self._database.run(settle, entry, state, str(delivery), due_us)
        maillog.tls_report_settled(entry.id, entry.attempts, delivery.state.value)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
