"""The return path of one notification: an envelope sender that names its outbox row and proves that we made it.

`b-<outbox id>-<mark>@<domain>`, the mark being HMAC-SHA-256 of the id cut to 100 bits (RFC 2104 section 5), in the
alphabet of base32 so that a mail system may change its letter case. Whoever has one can report on that one row and on
no other.
"""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final

from gateway.domain.address import Address

KEY_OCTETS: Final = 32
_MARK: Final = 20
_SHAPE = re.compile(rf"b-([0-9a-z]{{8,40}})-([a-z2-7]{{{_MARK}}})\Z", re.IGNORECASE)
_ID = re.compile(r"[0-9a-z]{8,40}\Z")
_CONTEXT: Final = b"gateway return path v1\x00"
_RECIPIENT: Final = b"gateway reported recipient v1\x00"
_NAMED: Final = 16


@dataclass(frozen=True, slots=True)
class ReturnPaths:
    """Makes and recognises the return paths of one site's notifications. Raises ValueError for a key that is none."""

    domain: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_OCTETS:
            raise ValueError(f"the key of return paths has {KEY_OCTETS} octets")

    def of(self, outbox_id: str) -> Address:
        """Return the return path of a row. Raises ValueError for an id that fits into none."""
        if not _ID.match(outbox_id):
            raise ValueError("an outbox id is 8 to 40 letters and digits")
        return Address(f"b-{outbox_id}-{self._mark(outbox_id)}", self.domain)

    def outbox_id(self, address: Address) -> str | None:
        """Return the row that an address names, None for one that we did not make. Takes one time for every mark."""
        found = _SHAPE.match(address.local)
        if found is None or address.domain != self.domain:
            return None
        outbox_id = found[1].lower()
        is_ours = compare_digest(self._mark(outbox_id).encode("ascii"), found[2].lower().encode("ascii"))
        return outbox_id if is_ours else None

    def named(self, recipient: str) -> str:
        """Return the keyed hash by which a report and a row are compared: whether it names the row's own address."""
        return digest(self.key, _RECIPIENT + recipient.strip().lower().encode("utf-8"), sha256).hex()[:_NAMED]

    def _mark(self, outbox_id: str) -> str:
        return b32encode(digest(self.key, _CONTEXT + outbox_id.encode("ascii"), sha256))[:_MARK].decode("ascii").lower()


def is_return_path(local: str) -> bool:
    """Tell whether a local part has the shape of a return path, whoever made it."""
    return _SHAPE.match(local) is not None
