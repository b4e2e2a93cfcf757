"""Questions to DNS on behalf of one mail: few, each with an end, none twice, and none that blocks the event loop."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, cast

from dns import asyncresolver, exception, name, rdata, resolver, reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

MOST: Final = 60
SECONDS: Final = 3.0

Address = IPv4Address | IPv6Address


class DnsAway(Exception):
    """No answer came, or none that says whether there is something: ask again later."""


class Questions:
    """What one mail makes us ask. Every method returns nothing where a name, or that kind of record, is not there.

    Every method raises DnsAway, also when the mail has had its MOST. `waiting` holds up what all mails ask together.
    """

    def __init__(self, asked: asyncresolver.Resolver, waiting: asyncio.Semaphore, most: int = MOST) -> None:
        self._resolver = asked
        self._waiting = waiting
        self._left = most
        self._answers: dict[tuple[str, str], asyncio.Task[list[rdata.Rdata]]] = {}

    async def texts(self, of: str) -> list[bytes]:
        """Return the TXT records of a name, each with its strings joined."""
        return [b"".join(cast("TXT", one).strings) for one in await self._ask(of, "TXT")]

    async def addresses(self, of: str, version: int) -> list[Address]:
        """Return the addresses of a name, of IP version 4 or 6."""
        found = await self._ask(of, "A" if version == 4 else "AAAA")
        return [ip_address(one.to_text()) for one in found]

    async def exchanges(self, of: str) -> list[str]:
        """Return the hosts of a name's MX records, the preferred first; "." where it says that it takes no mail."""
        found = sorted((cast("MX", one) for one in await self._ask(of, "MX")), key=lambda one: one.preference)
        return [str(one.exchange).lower().rstrip(".") or "." for one in found]

    async def names(self, of: Address) -> list[str]:
        """Return the names that an address has by PTR records."""
        found = await self._ask(str(reversename.from_address(str(of))), "PTR")
        return [str(cast("PTR", one).target).lower().rstrip(".") for one in found]

    def close(self) -> None:
        """Ask no more."""
        for task in self._answers.values():
            task.cancel()

    async def _ask(self, of: str, kind: str) -> list[rdata.Rdata]:
        key = (of.lower().rstrip("."), kind)
        if key not in self._answers:
            if not self._left:
                raise DnsAway
            self._left -= 1
            self._answers[key] = asyncio.create_task(self._answer(*key))
        return await asyncio.shield(self._answers[key])

    async def _answer(self, of: str, kind: str) -> list[rdata.Rdata]:
        try:
            async with self._waiting:
                found = await self._resolver.resolve(
                    name.from_text(of), kind, lifetime=SECONDS, raise_on_no_answer=False, search=False
                )
        except (resolver.NXDOMAIN, UnicodeError, name.LabelTooLong, name.NameTooLong, name.EmptyLabel, name.BadEscape):
            return []
        except (exception.DNSException, OSError, ValueError):
            raise DnsAway from None
        return list(found.rrset or ())
