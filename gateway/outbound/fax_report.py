"""A report to a fax server as a mail: of delivery (RFC 3464), or of processing (RFC 8098). Its wording is fixed.

It tells that a mail came into the gateway, and nothing of what it holds or who has read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from gateway.domain.address import Address, parse_address
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import Malformed
from gateway.domain.fax_report import FaxReport, ReportKind

_BOUNDARY: Final = "fax-report"
_TYPES: Final = {ReportKind.DELIVERED: "delivery-status", ReportKind.PROCESSED: "disposition-notification"}
_SUBJECTS: Final = {
    ReportKind.DELIVERED: "Your fax was delivered",
    ReportKind.PROCESSED: "Your fax was filed",
}
_WORDS: Final = {
    ReportKind.DELIVERED: "Your mail was delivered to the secure mail gateway, which keeps it.",
    ReportKind.PROCESSED: "Your mail was filed by the secure mail gateway. It does not say that anybody has read it.",
}


@dataclass(frozen=True, slots=True)
class Reporting:
    """As whom a site reports: its sender, and the name of the host that took the mail."""

    sender: Address
    hostname: str

    def mail(self, report: FaxReport, row_id: str, at: datetime) -> bytes:
        """Return the whole mail, CRLF line ends, unsigned: the same octets for the same row and time."""
        type_ = _TYPES[report.kind]
        suppressed = "auto-generated" if report.kind is ReportKind.DELIVERED else "auto-replied"
        head = [
            f"Date: {format_datetime(at)}",
            f"From: <{self._from(report)}>",
            f"To: <{report.to}>",
            f"Subject: {_SUBJECTS[report.kind]}",
            f"Message-ID: <fax.{row_id}@{self.sender.domain}>",
            *([f"In-Reply-To: {report.message_id}"] if report.message_id else []),
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type={type_};\r\n boundary="{_BOUNDARY}"',
            f"Auto-Submitted: {suppressed}",
            "X-Auto-Response-Suppress: All",
            "",
            f"--{_BOUNDARY}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            _WORDS[report.kind],
            "",
            f"--{_BOUNDARY}",
            f"Content-Type: message/{type_}",
            "",
            *(self._delivered(report) if report.kind is ReportKind.DELIVERED else self._processed(report)),
            "",
            *_original(report),
            f"--{_BOUNDARY}--",
            "",
        ]
        return "\r\n".join(head).encode("ascii")

    def _from(self, report: FaxReport) -> Address:
        """Return whom it is from: of a notification the recipient (RFC 8098 section 3), where that is in our domain."""
        if report.kind is ReportKind.PROCESSED:
            try:
                recipient = parse_address(report.recipients[0][0])
            except Malformed:
                return self.sender
            if recipient.domain == self.sender.domain:
                return recipient
        return self.sender

    def _delivered(self, report: FaxReport) -> Iterator[str]:
        """Yield the fields of the mail, then of each recipient (RFC 3464 sections 2.2 and 2.3)."""
        if report.envelope_id:
            yield f"Original-Envelope-Id: {report.envelope_id}"
        yield f"Reporting-MTA: dns; {self.hostname}"
        yield f"Arrival-Date: {format_datetime(from_microseconds(report.arrived_us))}"
        for address, before in report.recipients:
            yield ""
            yield from _recipient(address, before)
            yield "Action: delivered"
            yield "Status: 2.0.0"

    def _processed(self, report: FaxReport) -> Iterator[str]:
        """Yield the fields of a notification (RFC 8098 section 3.1)."""
        yield f"Reporting-UA: {self.hostname}"
        yield from _recipient(*report.recipients[0])
        if report.message_id:
            yield f"Original-Message-ID: {report.message_id}"
        yield "Disposition: automatic-action/MDN-sent-automatically; processed"


def _recipient(address: str, before: str) -> Iterator[str]:
    if before:
        kind, _, original = before.partition(";")
        yield f"Original-Recipient: {kind}; {original}"
    yield f"Final-Recipient: rfc822; {address}"


def _original(report: FaxReport) -> Iterator[str]:
    """Yield the part that says by its Message-ID which mail it was."""
    if report.message_id:
        yield from (f"--{_BOUNDARY}", "Content-Type: text/rfc822-headers", "")
        yield from (f"Message-ID: {report.message_id}", "")
