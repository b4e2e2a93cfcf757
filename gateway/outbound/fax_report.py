"""A report to a fax server as a mail: of delivery (RFC 3464), or of processing (RFC 8098). Its wording is fixed.

It tells that a mail came into the gateway, and nothing of what it holds or who has read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from gateway.domain.address import Address, parse_address
from gateway.domain.clock import from_microseconds
from gateway.domain.errors import Malformed
from gateway.domain.fax_report import FaxReport, ReportKind
from gateway.outbound.report import DELIVERY, DISPOSITION, Report, Reported, delivery_lines, disposition_lines

_BOUNDARY: Final = "fax-report"
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
        suppressed = "auto-generated" if report.kind is ReportKind.DELIVERED else "auto-replied"
        part = self._delivered(report) if report.kind is ReportKind.DELIVERED else self._processed(report)
        head = [
            f"Date: {format_datetime(at)}",
            f"From: <{self._from(report)}>",
            f"To: <{report.to}>",
            f"Subject: {_SUBJECTS[report.kind]}",
            f"Message-ID: <fax.{row_id}@{self.sender.domain}>",
            *([f"In-Reply-To: {report.message_id}"] if report.message_id else []),
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type={part.type};\r\n boundary="{_BOUNDARY}"',
            f"Auto-Submitted: {suppressed}",
            "X-Auto-Response-Suppress: All",
            "",
            f"--{_BOUNDARY}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            _WORDS[report.kind],
            "",
            *part.parts(_BOUNDARY),
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

    def _delivered(self, report: FaxReport) -> Report:
        recipients = (Reported(address, before, "delivered", "2.0.0") for address, before in report.recipients)
        arrived = from_microseconds(report.arrived_us)
        lines = delivery_lines(self.hostname, arrived, report.envelope_id, recipients)
        return Report(DELIVERY, tuple(lines), report.message_id)

    def _processed(self, report: FaxReport) -> Report:
        lines = disposition_lines(
            self.hostname,
            *report.recipients[0],
            report.message_id,
            "automatic-action/MDN-sent-automatically; processed",
        )
        return Report(DISPOSITION, tuple(lines), report.message_id)
