"""What commands ask DNS: the questions of a door to outside mail, and whom they ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final

from gateway.config import Settings
from gateway.domain.errors import Malformed
from gateway.inbound.dns import Questions
from gateway.inbound.senders import resolver_of

_MOST: Final = 500
_AT_ONCE: Final = 10
_PORT: Final = 53


class Lookup(Questions):
    """What one command asks. Every method that asks raises DnsAway where no answer came."""

    def end(self) -> None:
        """Ask nothing more: what was not asked before is not answered."""
        self._left = 0

    @property
    def has_ended(self) -> bool:
        """True once nothing more is asked."""
        return not self._left

    async def is_other_name(self, of: str) -> bool:
        """Tell whether a name is but another name of a host (CNAME), which no MX may name (RFC 2181 section 10.3)."""
        return bool(await self._ask(of, "CNAME"))


@asynccontextmanager
async def looking_up(nameservers: Sequence[tuple[str, int]]) -> AsyncIterator[Lookup]:
    """Ask these name servers (address, port), or without any those of this machine."""
    lookup = Lookup(resolver_of(nameservers), asyncio.Semaphore(_AT_ONCE), _MOST)
    try:
        yield lookup
    finally:
        lookup.close()


def nameservers_of(settings: Settings, given: str = "") -> tuple[tuple[str, int], ...]:
    """Return whom to ask: who is `given` (an address, with or without a port), else those of the configuration.

    Raises Malformed for what is no address.
    """
    if given:
        return (_place(given),)
    own = settings.notifier.direct
    return (own.nameservers if own else ()) or (settings.mx.nameservers if settings.mx else ())


def _place(given: str) -> tuple[str, int]:
    host, _, port = given.rpartition(":") if given.count(":") == 1 or given.startswith("[") else (given, "", "")
    try:
        return str(ip_address(host.strip("[]"))), int(port) if port else _PORT
    except ValueError:
        raise Malformed(
            "A name server is an address, with or without a port: 192.0.2.1, 192.0.2.1:53, [::1]:53"
        ) from None
