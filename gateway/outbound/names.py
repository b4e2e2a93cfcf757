"""Questions to DNS about where mail goes: each with an end, and with a word on whether the answer is proven (DNSSEC).

An answer counts as proven only where the site says that its name server validates and stands on this machine: then it
is that server's AD bit (RFC 4035 section 3.2.3). What does not look like a host's name or address is left out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from dns import asyncresolver, exception, flags, name, rdata, resolver
from dns.nameserver import Do53Nameserver, Nameserver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT

T = TypeVar("T")

SECONDS: Final = 5.0
TRY_SECONDS: Final = 2.0
MOST_RECORDS: Final = 50
PAYLOAD: Final = 1232
"""Octets of an answer by UDP that no path breaks into pieces; a longer one comes by TCP."""
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z")


class NamesAway(Exception):
    """No answer came, or none that can be believed: ask again later."""


class NoSuchName(Exception):
    """The name does not exist."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The records of one kind; none where there are none. `name` is where aliases led, `seconds` how long it holds."""

    records: tuple[T, ...]
    name: str
    is_proven: bool = False
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One MX record: `host` is "" where the domain says that it takes no mail (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class Association:
    """One TLSA record (RFC 6698 section 2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes


class Names:
    """A resolver. Every method raises NamesAway, and NoSuchName where it says so."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = (), *, validates: bool = False) -> None:
        """`nameservers` are (address, port), none for those of the machine."""
        self._resolver = asyncresolver.Resolver(configure=not nameservers)
        if nameservers:
            self._resolver.nameservers = cast(
                "list[str | Nameserver]", [Do53Nameserver(host, port) for host, port in nameservers]
            )
        self._resolver.timeout = TRY_SECONDS
        self._resolver.flags = flags.RD | (flags.AD if validates else 0)
        self._resolver.use_edns(0, flags.DO if validates else 0, PAYLOAD)
        self._validates = validates

    async def exchanges(self, domain: str) -> Found[Exchange]:
        """Return the MX records of a domain. Raises NoSuchName."""
        return await self._ask(domain, "MX", _exchange)

    async def addresses(self, host: str, kind: str) -> Found[str]:
        """Return the addresses of a host, of kind A or AAAA."""
        return await self._ask_of_host(host, kind, rdata.Rdata.to_text)

    async def texts(self, of: str) -> Found[bytes]:
        """Return the TXT records of a name, each with its strings joined."""
        return await self._ask_of_host(of, "TXT", lambda one: b"".join(cast("TXT", one).strings))

    async def associations(self, host: str, port: int) -> Found[Association]:
        """Return the TLSA records of a host's mail service."""
        return await self._ask_of_host(f"_{port}._tcp.{host}", "TLSA", _association)

    async def _ask_of_host(self, of: str, kind: str, read: Callable[[rdata.Rdata], T | None]) -> Found[T]:
        try:
            return await self._ask(of, kind, read)
        except NoSuchName:
            return Found((), of)

    async def _ask(self, of: str, kind: str, read: Callable[[rdata.Rdata], T | None]) -> Found[T]:
        try:
            asked = name.from_text(of)
            answer = await self._resolver.resolve(asked, kind, lifetime=SECONDS, raise_on_no_answer=False, search=False)
        except (resolver.NXDOMAIN, UnicodeError, name.LabelTooLong, name.NameTooLong, name.EmptyLabel, name.BadEscape):
            raise NoSuchName from None
        except (exception.DNSException, OSError, ValueError):
            raise NamesAway from None
        records = [read(one) for one in list(answer.rrset or ())]
        random.shuffle(records)
        return Found(
            tuple(one for one in records[:MOST_RECORDS] if one is not None),
            _plain(answer.canonical_name),
            self._validates and bool(answer.response.flags & flags.AD),
            max(0, int(answer.rrset.ttl)) if answer.rrset else 0,
        )


def is_host(text: str) -> bool:
    """Tell whether a text is a host's name in lower case."""
    return _HOST.match(text) is not None


def _exchange(record: rdata.Rdata) -> Exchange | None:
    found = cast("MX", record)
    host = _plain(found.exchange)
    return Exchange(found.preference, host) if not host or is_host(host) else None


def _association(record: rdata.Rdata) -> Association:
    found = cast("TLSA", record)
    return Association(found.usage, found.selector, found.mtype, bytes(found.cert))


def _plain(of: name.Name) -> str:
    return of.to_text(omit_final_dot=True).lower().removesuffix(".")
