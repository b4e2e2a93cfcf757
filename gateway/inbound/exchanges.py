"""Where DNS sends mail for a domain, and whether that is this machine: what the doctor asks about the public door."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.inbound.dns import Address, DnsAway, Questions
from gateway.inbound.senders import resolver_of

_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The hosts that take a domain's mail: those whose addresses are this machine's, and the others."""

    here: tuple[str, ...]
    elsewhere: tuple[str, ...]


async def exchanges_of(domain: str, nameservers: Sequence[tuple[str, int]]) -> Exchanges | None:
    """Return where a domain's mail goes (RFC 5321 section 5.1); None where DNS did not say."""
    questions = Questions(resolver_of(nameservers), asyncio.Semaphore(_AT_ONCE))
    here: list[str] = []
    elsewhere: list[str] = []
    try:
        for host in await questions.exchanges(domain) or [domain]:
            found = [*await questions.addresses(host, 4), *await questions.addresses(host, 6)]
            if found:
                (here if any(map(_is_of_this_machine, found)) else elsewhere).append(host)
    except DnsAway:
        return None
    finally:
        questions.close()
    return Exchanges(tuple(here), tuple(elsewhere))


def _is_of_this_machine(address: Address) -> bool:
    """Tell by asking the system to send from it, which it does for its own addresses alone. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return not address.is_unspecified
