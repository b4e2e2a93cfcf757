"""How often what nobody signed in for may be tried: so often an address, so often all together, within a minute.

Kept in memory, and only so many addresses: when more come at once, all of them wait.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from gateway.domain.clock import Clock
from gateway.domain.errors import RateExceeded

PER_ADDRESS: Final = 10
TOGETHER: Final = 600
_SPAN: Final = timedelta(minutes=1)
_IPV6_NETWORK_BITS: Final = 64  # one household has as many addresses as this leaves it


class Tries:
    """Counts tries by whole minutes."""

    def __init__(self, clock: Clock, *, per_address: int = PER_ADDRESS, together: int = TOGETHER) -> None:
        self._clock = clock
        self._per_address = per_address
        self._together = together
        self._until = clock()
        self._counts: dict[str, int] = {}
        self._total = 0

    def count(self, address: str) -> None:
        """Count a try from an address. Raises RateExceeded when there were too many of them, and counts no more."""
        if (now := self._clock()) >= self._until:
            self._until, self._total = now + _SPAN, 0
            self._counts.clear()
        network = _network(address)
        tried = self._counts.get(network, 0)
        if tried >= self._per_address or self._total >= self._together:
            raise RateExceeded("Too many tries. Please wait a minute.")
        self._counts[network] = tried + 1
        self._total += 1


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(int(found) >> (128 - _IPV6_NETWORK_BITS))
    return str(found)
