"""Addresses that only `gateway doctor mail` writes to: good for an hour, made and known by a keyed mark."""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final

from gateway.domain.address import Address

LASTS: Final = timedelta(hours=1)
_SHAPE: Final = re.compile(r"probe-([0-9a-f]{10})-([a-z2-7]{8})-([a-z2-7]{16})\Z", re.IGNORECASE)
_KEY: Final = b"gateway probe address v1"


@dataclass(frozen=True, slots=True)
class ProbeAddresses:
    """Makes and knows the probe addresses of one site, under a key derived from that of return paths."""

    domain: str
    return_path_key: bytes = field(repr=False)

    def of(self, nonce: bytes, now: int) -> Address:
        """Return the address of a probe: five random octets, and seconds since 1970."""
        named = f"{now:010x}-{_base32(nonce, 8)}"
        return Address(f"probe-{named}-{self._mark(named)}", self.domain)

    def read(self, address: Address, now: int) -> str | None:
        """Return a genuine probe's id, None for any other address and for one that is too old."""
        found = _SHAPE.match(address.local)
        if found is None or address.domain != self.domain:
            return None
        made, nonce, mark = (each.lower() for each in found.groups())
        named = f"{made}-{nonce}"
        is_ours = compare_digest(self._mark(named).encode(), mark.encode())
        return named if is_ours and 0 <= now - int(made, 16) <= LASTS.total_seconds() else None

    def _mark(self, named: str) -> str:
        key = digest(self.return_path_key, _KEY, sha256)
        return _base32(digest(key, named.encode("ascii"), sha256), 16)


def _base32(octets: bytes, length: int) -> str:
    return b32encode(octets)[:length].decode("ascii").lower()
