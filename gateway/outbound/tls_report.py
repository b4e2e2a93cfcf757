"""One TLS report (RFC 8460) as octets: what a day's sessions with a domain came to, as JSON in gzip, and as mail.

It holds counts, the names of the domain's own mail servers and ours, nothing of a message or a person.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, Final

from gateway.domain.address import Address
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome

MOST_PLACES: Final = 4
MEDIA_TYPE: Final = "application/tlsrpt+gzip"
_BOUNDARY: Final = "=_report"
_LINE: Final = 76
_RECORD: Final = re.compile(rb"v=TLSRPTv1[ \t]*;")
_SCHEMES: Final = ("mailto:", "https:")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: the organisation, our mail domain, the sender, whom to ask."""

    organisation: str
    domain: str
    sender: Address
    contact: str


@dataclass(frozen=True, slots=True)
class TlsReport:
    """A day's report to one domain; `made` is the date of its mail. Made again it is the same octets, under one id."""

    reporter: Reporter
    day: date
    domain: str
    outcomes: Sequence[TlsOutcome]
    made: datetime

    @property
    def id(self) -> str:
        """The report's id (section 4.4)."""
        return f"{self.day.isoformat()}.{self.domain}@{self.reporter.domain}"

    @property
    def filename(self) -> str:
        """The name of section 5.1: sender, domain, begin and end."""
        begin, end = self._span()
        stamps = f"{int(begin.timestamp())}!{int(end.timestamp())}"
        return f"{self.reporter.domain}!{self.domain}!{stamps}.json.gz"

    def document(self) -> dict[str, Any]:
        """Return the JSON of section 4.4. A policy's own text is not kept, and so not told."""
        begin, end = self._span()
        policies = dict.fromkeys(one.policy_type for one in self.outcomes)
        return {
            "organization-name": self.reporter.organisation,
            "date-range": {"start-datetime": _instant(begin), "end-datetime": _instant(end)},
            "contact-info": self.reporter.contact,
            "report-id": self.id,
            "policies": [self._policy(one) for one in policies],
        }

    def compressed(self) -> bytes:
        """Return the JSON in gzip, the same octets each time."""
        return gzip.compress(json.dumps(self.document(), sort_keys=True).encode("ascii"), mtime=0)

    def mail(self, to: Address) -> bytes:
        """Return the whole mail (section 5.3), CRLF line ends, unsigned."""
        own = self.reporter
        head = [
            f"Date: {format_datetime(self.made)}",
            f"From: <{own.sender}>",
            f"To: <{to}>",
            f"Subject: Report Domain: {self.domain}\r\n Submitter: {own.domain}\r\n Report-ID: <{self.id}>",
            f"Message-ID: <tls.{self.id}>",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type="tlsrpt";\r\n boundary="{_BOUNDARY}"',
            f"TLS-Report-Domain: {self.domain}",
            f"TLS-Report-Submitter: {own.domain}",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "",
            f"--{_BOUNDARY}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"This is an aggregate TLS report from {own.domain}, of {self.day.isoformat()} (UTC).",
            "",
            f"--{_BOUNDARY}",
            f"Content-Type: {MEDIA_TYPE}",
            "Content-Transfer-Encoding: base64",
            f'Content-Disposition: attachment;\r\n filename="{self.filename}"',
            "",
            *_lines(b64encode(self.compressed()).decode("ascii")),
            f"--{_BOUNDARY}--",
            "",
        ]
        return "\r\n".join(head).encode("ascii")

    def _span(self) -> tuple[datetime, datetime]:
        begin = datetime.combine(self.day, time(), UTC)
        return begin, begin + timedelta(days=1, seconds=-1)

    def _policy(self, policy: PolicyType) -> dict[str, Any]:
        own = [one for one in self.outcomes if one.policy_type is policy]
        failed = [one for one in own if one.result_type is not ResultType.SUCCESS]
        told: dict[str, Any] = {
            "policy": {"policy-type": policy.value, "policy-domain": self.domain},
            "summary": {
                "total-successful-session-count": sum(one.count for one in own) - sum(one.count for one in failed),
                "total-failure-session-count": sum(one.count for one in failed),
            },
        }
        if failed:
            told["failure-details"] = [_detail(one) for one in failed]
        return told


def places_of(texts: Sequence[bytes]) -> tuple[str, ...]:
    """Return where a domain wants TLS reports sent, by the TXT records of `_smtp._tls.DOMAIN` (section 3).

    `mailto:` and `https:` URIs as they were written, at most MOST_PLACES; none where there is not one such record.
    """
    found = [text for text in texts if _RECORD.match(text)]
    if len(found) != 1:
        return ()
    pairs = (one.partition("=") for one in found[0].decode("ascii", "replace").split(";"))
    values = [value.strip() for name, _, value in pairs if name.strip() == "rua"]
    places = (one.strip() for one in (values[0].split(",") if len(values) == 1 else []))
    return tuple(dict.fromkeys(one for one in places if one.lower().startswith(_SCHEMES)))[:MOST_PLACES]


def _detail(one: TlsOutcome) -> dict[str, Any]:
    host = {"receiving-mx-hostname": one.mx_host} if one.mx_host else {}
    return {"result-type": one.result_type.value, **host, "failed-session-count": one.count}


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(text: str) -> list[str]:
    return [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
