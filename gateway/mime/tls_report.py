"""Another site's report on TLS with this one (RFC 8460), read as what it is: a stranger's JSON, in gzip or bare.

Everything has a limit, and all text is cut and without characters that steer a terminal. What its counts say is that
site's word.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.errors import Malformed, TooLarge

MOST_PACKED: Final = 1024 * 1024
MOST_OCTETS: Final = 2 * 1024 * 1024
MOST_POLICIES: Final = 200
MOST_DETAILS: Final = 2000
MOST_TEXT: Final = 200
MOST_SESSIONS: Final = 10**15
MEDIA_TYPES: Final = frozenset(
    {"application/tlsrpt+gzip", "application/tlsrpt+json", "application/gzip", "application/x-gzip", "application/json"}
)
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
_NOT_A_REPORT: Final = "That is no TLS report."


@dataclass(frozen=True, slots=True)
class TlsFailure:
    """So many sessions that failed for one reason at one host ("" where it is not named)."""

    result: str
    host: str
    sessions: int


@dataclass(frozen=True, slots=True)
class TlsPolicyReport:
    """What sessions with a domain came to under one policy."""

    domain: str
    policy: str
    succeeded: int
    failed: int
    failures: tuple[TlsFailure, ...]


@dataclass(frozen=True, slots=True)
class TlsReportRead:
    """One report. Begin and end are as they were written."""

    organisation: str
    contact: str
    id: str
    begin: str
    end: str
    policies: tuple[TlsPolicyReport, ...]

    @property
    def succeeded(self) -> int:
        """Sessions with TLS, under all policies."""
        return sum(one.succeeded for one in self.policies)

    @property
    def failed(self) -> int:
        """Sessions without, or the failures that are told singly, where they are more."""
        return sum(max(one.failed, sum(each.sessions for each in one.failures)) for one in self.policies)

    def failures(self) -> dict[str, int]:
        """Return failed sessions by their reason, the most first."""
        found: dict[str, int] = {}
        for one in self.policies:
            for each in one.failures:
                found[each.result] = found.get(each.result, 0) + each.sessions
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def read_tls_report(octets: bytes) -> TlsReportRead:
    """Read a report. Raises Malformed, and TooLarge for one over a limit."""
    try:
        told = json.loads(_unpacked(octets))
    except (ValueError, RecursionError):
        raise Malformed(_NOT_A_REPORT) from None
    if not isinstance(told, dict) or not isinstance(told.get("policies"), list):
        raise Malformed(_NOT_A_REPORT)
    span = _table(told.get("date-range"))
    policies = tuple(_policy(one) for one in _at_most(told["policies"], MOST_POLICIES))
    if sum(len(one.failures) for one in policies) > MOST_DETAILS:
        raise TooLarge(f"The report has more than {MOST_DETAILS} failures.")
    return TlsReportRead(
        organisation=_text(told.get("organization-name")),
        contact=_text(told.get("contact-info")),
        id=_text(told.get("report-id")),
        begin=_text(span.get("start-datetime")),
        end=_text(span.get("end-datetime")),
        policies=policies,
    )


def _unpacked(octets: bytes) -> bytes:
    if len(octets) > MOST_PACKED:
        raise TooLarge("The report is too long.")
    if not octets.startswith(_GZIP):
        return octets
    unpacking = zlib.decompressobj(_GZIP_WINDOW)
    try:
        found = unpacking.decompress(octets, MOST_OCTETS + 1)
    except zlib.error:
        raise Malformed(_NOT_A_REPORT) from None
    if len(found) > MOST_OCTETS:
        raise TooLarge("The report is too long.")
    if not unpacking.eof:
        raise Malformed("The report is cut off.")
    return found


def _policy(told: object) -> TlsPolicyReport:
    table = _table(told)
    policy, summary = _table(table.get("policy")), _table(table.get("summary"))
    details = table.get("failure-details")
    return TlsPolicyReport(
        domain=_text(policy.get("policy-domain")),
        policy=_text(policy.get("policy-type")),
        succeeded=_count(summary.get("total-successful-session-count", 0)),
        failed=_count(summary.get("total-failure-session-count", 0)),
        failures=tuple(_failure(one) for one in _at_most(details, MOST_DETAILS)) if isinstance(details, list) else (),
    )


def _failure(told: object) -> TlsFailure:
    table = _table(told)
    return TlsFailure(
        result=_text(table.get("result-type")) or "unknown",
        host=_text(table.get("receiving-mx-hostname")),
        sessions=_count(table.get("failed-session-count", 0)),
    )


def _at_most(told: list[Any], most: int) -> Iterable[object]:
    if len(told) > most:
        raise TooLarge(f"The report has more than {most} entries of a kind.")
    return told


def _table(told: object) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _count(told: object) -> int:
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= len(str(MOST_SESSIONS)):
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= MOST_SESSIONS:
        raise Malformed("The report has a count that is none.")
    return told


def _text(told: object) -> str:
    if not isinstance(told, str):
        return ""
    return "".join(one if one.isprintable() else " " for one in told[:MOST_TEXT]).strip()
