"""Reports that programs read (RFC 6522): of delivery (RFC 3464) and of reading (RFC 8098), for authors and fax servers.

A report repeats what its asker wrote to know the mail by, and nothing of the mail: the original's header is cut down to
its Message-ID (RFC 6522 section 4), whatever was asked to be returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

DELIVERY: Final = "delivery-status"
DISPOSITION: Final = "disposition-notification"


@dataclass(frozen=True, slots=True)
class Report:
    """The parts of a report that programs read. `type` is one of the two above; `message_id` may be ""."""

    type: str
    lines: tuple[str, ...]
    message_id: str

    def parts(self, boundary: str) -> Iterator[str]:
        """Yield the lines of these parts, each behind its delimiter; the closing delimiter is the caller's."""
        yield from (f"--{boundary}", f"Content-Type: message/{self.type}", "", *self.lines, "")
        if self.message_id:
            yield from (f"--{boundary}", "Content-Type: text/rfc822-headers", "")
            yield from (f"Message-ID: {self.message_id}", "")


@dataclass(frozen=True, slots=True)
class Reported:
    """One recipient and what became of it; `original` is "type;address", or ""."""

    address: str
    original: str
    action: str
    status: str


def delivery_lines(host: str, arrived: datetime, envelope_id: str, recipients: Iterable[Reported]) -> Iterator[str]:
    """Yield the fields of the mail, then of each recipient (RFC 3464 sections 2.2 and 2.3)."""
    if envelope_id:
        yield f"Original-Envelope-Id: {envelope_id}"
    yield f"Reporting-MTA: dns; {host}"
    yield f"Arrival-Date: {format_datetime(arrived)}"
    for one in recipients:
        yield ""
        yield from recipient_lines(one.address, one.original)
        yield f"Action: {one.action}"
        yield f"Status: {one.status}"


def disposition_lines(host: str, address: str, original: str, message_id: str, disposition: str) -> Iterator[str]:
    """Yield the fields of a notification (RFC 8098 section 3.1)."""
    yield f"Reporting-UA: {host}"
    yield from recipient_lines(address, original)
    if message_id:
        yield f"Original-Message-ID: {message_id}"
    yield f"Disposition: {disposition}"


def recipient_lines(address: str, original: str) -> Iterator[str]:
    """Yield who a recipient was, and is."""
    if original:
        kind, _, before = original.partition(";")
        yield f"Original-Recipient: {kind}; {before}"
    yield f"Final-Recipient: rfc822; {address}"
