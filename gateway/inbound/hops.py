"""Does a host of the site's own stand before the public door, though its position says that none does?

Two signs, each of the last mails alone: all came from one address of a private network, or the newest trace field of
most names a host of the site's domains as the one that took them. Addresses stay in memory; the log has counts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

LOOKED_AT: Final = 50
_BY: Final = re.compile(rb"\sby\s+([A-Za-z0-9.-]{1,253})", re.IGNORECASE)


class Hops:
    """What the last mails came by. `domains` are the site's own."""

    def __init__(self, domains: Iterable[str], own_host: str) -> None:
        self._domains = tuple(domains)
        self._own_host = own_host
        self._seen: deque[tuple[str, bool]] = deque(maxlen=LOOKED_AT)
        self._is_told = False

    def note(self, address: str, newest_trace: bytes | None) -> bool:
        """Take one mail; True when it is time to tell of an earlier hop, which it is once."""
        self._seen.append((address, self._is_ours(newest_trace)))
        if self._is_told or len(self._seen) < LOOKED_AT:
            return False
        addresses = {seen for seen, _ in self._seen}
        by_one = len(addresses) == 1 and _is_private(address)
        self._is_told = by_one or 2 * sum(ours for _, ours in self._seen) > LOOKED_AT
        return self._is_told

    def _is_ours(self, newest_trace: bytes | None) -> bool:
        found = _BY.search(newest_trace or b"")
        host = found[1].decode("ascii").lower().rstrip(".") if found else ""
        return host != self._own_host and any(host == one or host.endswith(f".{one}") for one in self._domains)


def _is_private(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return False
