"""One look at all that DNS has to say of a site's mail. Without a name server it says so, and what to publish."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from gateway.config import Settings
from gateway.inbound.dns import DnsAway
from gateway.outbound.names import Names, NamesAway
from gateway.publication import receiving, sending
from gateway.publication.lookup import Lookup, looking_up, nameservers_of
from gateway.publication.report import Report
from gateway.publication.site import Site, sending_addresses

T = TypeVar("T")

_AGAIN: Final = "Look again with DNS at hand, or name a server: --nameserver ADDRESS"


async def examine(settings: Settings, nameserver: str = "", addresses: Sequence[str] = ()) -> Report:
    """Look, and change nothing. `nameserver` (address, with or without a port) is asked in place of the usual ones.

    `addresses` are those from which mail leaves. Raises ConfigError, and Malformed for what is no address.
    """
    site, report, now = Site.of(settings), Report(), datetime.now(UTC)
    servers = nameservers_of(settings, nameserver)
    async with looking_up(servers) as lookup:
        look = _Looks(lookup, report)
        if await look.at("", lambda: lookup.texts(site.domain)) is None:
            report.problem("name server", f"no name server tells of {site.domain}", _AGAIN)
            lookup.end()
        given = await look.at("", lambda: sending_addresses(settings, lookup, addresses)) or []
        await look.at("SPF", lambda: sending.spf(site, given, lookup, report))
        await look.at("DKIM", lambda: sending.dkim(site, lookup, report, now))
        await look.at("DMARC", lambda: sending.dmarc(site, lookup, report))
        await look.at("reverse DNS", lambda: sending.reverse(site, given, lookup, report))
        if not site.door:
            report.off("MX", "no table [mx]", "Off: the looks at MX, MTA-STS, TLS reports and DANE.")
            return report
        found = await look.at("MX", lambda: lookup.exchanges(site.domain))
        hosts = found or []
        await look.at("MX", lambda: receiving.mx(site, found, lookup, report))
        await look.at("MTA-STS", lambda: receiving.mta_sts(site, hosts, lookup, report))
        await look.at("TLS reports", lambda: receiving.tls_reports(site, lookup, report))
        names = Names(servers, validates=True)
        await look.at("DANE", lambda: receiving.tlsa(site, hosts, names, report, now))
    return report


@dataclass(frozen=True, slots=True)
class _Looks:
    lookup: Lookup
    report: Report

    async def at(self, name: str, look: Callable[[], Awaitable[T]]) -> T | None:
        """Let one look be; where DNS does not answer it, say so under its name, and return None."""
        try:
            return await look()
        except (DnsAway, NamesAway):
            if name and not self.lookup.has_ended:
                self.report.warning(name, "no name server answers", _AGAIN)
            return None
