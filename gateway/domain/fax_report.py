"""What a fax server is told of a mail that it brought, where it asks (RFC 2532): that it arrived, that it was filed.

Nothing of the mail stands in a report but its Message-ID and the envelope's own id, as the server wrote them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.address import Address, parse_address
from gateway.domain.errors import Malformed

MAX_ID: Final = 500
MAX_RECIPIENTS: Final = 100
_ID: Final = re.compile(r"<[!-;=?-~]{1,498}>\Z")
_WORD: Final = re.compile(r"[ -~]{1,500}\Z")


class ReportKind(StrEnum):
    """Which report: of delivery (RFC 3461, 3464), of processing (RFC 8098)."""

    DELIVERED = "delivered"
    PROCESSED = "processed"


@dataclass(frozen=True, slots=True)
class FaxReport:
    """One report. `to` is where it goes; `recipients` those of the mail, each with what it was before, or "".

    `message_id` and `envelope_id` are "" where there is none. Raises ValueError for what cannot stand in a header.
    """

    kind: ReportKind
    to: str
    recipients: tuple[tuple[str, str], ...]
    message_id: str
    envelope_id: str
    arrived_us: int

    def __post_init__(self) -> None:
        words = [self.to, *(word for both in self.recipients for word in both), self.envelope_id]
        if any(word and not _WORD.match(word) for word in words):
            raise ValueError("a report's words are short and printable ASCII")
        if self.message_id and not _ID.match(self.message_id):
            raise ValueError("not a message id")
        if not 0 < len(self.recipients) <= MAX_RECIPIENTS:
            raise ValueError("a report names some recipients")
        try:
            parse_address(self.to)
        except Malformed as problem:
            raise ValueError(str(problem)) from None

    @property
    def address(self) -> Address:
        """Where it goes."""
        return parse_address(self.to)

    def to_bytes(self) -> bytes:
        """Return what is sealed until it is sent."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii")

    @classmethod
    def from_bytes(cls, octets: bytes) -> FaxReport:
        """Read what `to_bytes` made. Raises ValueError, KeyError or TypeError for anything else."""
        value = json.loads(octets)
        recipients = tuple((address, before) for address, before in value.pop("recipients"))
        return cls(kind=ReportKind(value.pop("kind")), recipients=recipients, **value)


def is_listed(address: Address, listed: tuple[str, ...]) -> bool:
    """Tell whether a site's list, of `name@domain` and `@domain`, has an address."""
    return any(one.lower() in (address.key, f"@{address.domain}") for one in listed)
