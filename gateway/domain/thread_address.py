"""The thread address that an employee answers a reply to: it names a message of a case, and proves for whom we made it.

`<case>-<message>-<holder>-<mark>@<domain>`, all in letters, digits and hyphens that a mail system may change the case
of: the message's reference, 40 bits of a keyed hash of the person or team it was made for, and 80 bits of
HMAC-SHA-256 (RFC 2104 section 5) over both. Its local part has at most 42 octets of the 64 that RFC 5321 allows. It
opens nothing and proves nothing about who writes to it: that is for the door to find out.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final

from gateway.domain.address import Address
from gateway.domain.reference import ALPHABET, PART_LENGTH, Reference, parse

KEY_OCTETS: Final = 32
LASTS: Final = timedelta(days=365)
"""For so long after its message came it may be written to: address books keep it for longer than anybody means it."""
_HOLDER: Final = 8
_MARK: Final = 16
_PART: Final = f"[{ALPHABET}]{{{PART_LENGTH}}}"
_SHAPE = re.compile(
    rf"((?:T-)?[A-Z]{{2,4}}-{_PART}-{_PART})-([A-Z2-7]{{{_HOLDER}}})-([A-Z2-7]{{{_MARK}}})\Z", re.IGNORECASE
)
_KEY: Final = b"gateway thread address v1"
_MARKED: Final = b"address\x00"
_HELD: Final = b"holder\x00"


@dataclass(frozen=True, slots=True)
class ThreadAddress:
    """A genuine one: the message whose thread it names, and the hash of the person or team it was made for."""

    message: Reference
    holder: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ThreadAddresses:
    """Makes and recognises the thread addresses of one site. Raises ValueError for a key that is none.

    `return_path_key` is that of return paths, from which theirs is derived: both are held by the same programs.
    """

    domain: str
    return_path_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.return_path_key) != KEY_OCTETS:
            raise ValueError(f"the key of return paths has {KEY_OCTETS} octets")

    def of(self, message: Reference, holder_id: str) -> Address:
        """Return the address of a message's thread for a person or team. Raises ValueError without a message part."""
        if not message.message:
            raise ValueError("a thread address names a message")
        named = f"{str(message).lower()}-{self._hash_of(holder_id)}"
        return Address(f"{named}-{self._mark(named)}", self.domain)

    def read(self, address: Address) -> ThreadAddress | None:
        """Return what an address names, None for one that we did not make. Takes one time for every mark."""
        found = _SHAPE.match(address.local)
        if found is None or address.domain != self.domain:
            return None
        reference, holder, mark = (each.lower() for each in found.groups())
        is_ours = compare_digest(self._mark(f"{reference}-{holder}").encode("ascii"), mark.encode("ascii"))
        return ThreadAddress(parse(reference), holder) if is_ours else None

    def is_for(self, found: ThreadAddress, holder_ids: Iterable[str]) -> bool:
        """Tell whether it was made for one of these persons and teams."""
        return found.holder in {self._hash_of(one) for one in holder_ids}

    def _hash_of(self, holder_id: str) -> str:
        return _base32(self._key, _HELD + holder_id.encode("utf-8"), _HOLDER)

    def _mark(self, named: str) -> str:
        return _base32(self._key, _MARKED + named.encode("ascii"), _MARK)

    @property
    def _key(self) -> bytes:
        return digest(self.return_path_key, _KEY, sha256)


def is_thread_address(local: str) -> bool:
    """Tell whether a local part has the shape of a thread address, whoever made it."""
    return _SHAPE.match(local) is not None


def _base32(key: bytes, octets: bytes, length: int) -> str:
    return b32encode(digest(key, octets, sha256))[:length].decode("ascii").lower()
