"""Slows guesses down: for each account from each address, and a little for each address alone.

So nobody is locked out by another's guesses from elsewhere. Names that exist and names that do not are counted alike.
What is counted here is lost at a restart; the hundred failures in a row of one account are counted in the store.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from gateway.domain.errors import RateExceeded

SECOND_US = 1_000_000
FREE_BY_ACCOUNT = 3
FREE_BY_ADDRESS = 50
LONGEST_BY_ACCOUNT_US = 15 * 60 * SECOND_US
LONGEST_BY_ADDRESS_US = 30 * SECOND_US
FORGET_US = 60 * 60 * SECOND_US
_MAX_KEPT = 20_000


@dataclass(slots=True)
class _Failures:
    count: int
    last_us: int


class Throttle:
    """Failures by key, the least lately failed forgotten first."""

    def __init__(self, *, free: int = FREE_BY_ACCOUNT, first_us: int = SECOND_US, forget_us: int = FORGET_US) -> None:
        """After `free` failures an account waits `first_us`, then twice as long each time, up to a quarter of an hour;
        failures are forgotten `forget_us` after the last one.
        """
        self._free = free
        self._first_us = first_us
        self._forget_us = max(forget_us, first_us)
        self._kept: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def check(self, account: str, address: str, now_us: int) -> None:
        """Raise RateExceeded when this account from this address, or this address, has to wait."""
        network = _network(address)
        by_account = self._delay((account, network), self._free, self._first_us, LONGEST_BY_ACCOUNT_US, now_us)
        by_address = self._delay((network,), FREE_BY_ADDRESS, SECOND_US, LONGEST_BY_ADDRESS_US, now_us)
        if by_account or by_address:
            raise RateExceeded("Too many attempts. Please wait a few minutes and try again.")

    def failed(self, account: str, address: str, now_us: int) -> None:
        """Count a failure; where many are judged at once, before it is judged."""
        network = _network(address)
        for key in ((account, network), (network,)):
            failures = self._kept.setdefault(key, _Failures(0, now_us))
            if now_us > failures.last_us + self._forget_us:
                failures.count = 0
            failures.count += 1
            failures.last_us = now_us
            self._kept.move_to_end(key)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of this account from this address, and the last one of the address alone."""
        network = _network(address)
        mine, of_all = self._kept.pop((account, network), None), self._kept.get((network,))
        if mine is not None and of_all is not None:
            of_all.count -= 1

    def _delay(self, key: tuple[str, ...], free: int, first_us: int, longest_us: int, now_us: int) -> bool:
        failures = self._kept.get(key)
        if failures is None or failures.count < free:
            return False
        wait_us = min(first_us << min(failures.count - free, 30), max(longest_us, first_us))
        return abs(now_us - failures.last_us) < wait_us  # a clock that was set back stretches no wait


def _network(address: str) -> str:
    """One household of IPv6 is a /64."""
    try:
        host = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    return str(ipaddress.ip_network((host, 64), strict=False)) if host.version == 6 else str(host)
