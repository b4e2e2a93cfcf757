"""Which mail no person wrote: reports, receipts, answers of absent people, lists (RFC 3834, 6522, 8098, 3464, 2919),
and what other sites' mail systems report of this one: DMARC (RFC 7489), TLS (RFC 8460), abuse (RFC 5965).

Judged by what a message says of itself, with the envelope's null sender left to whoever knows the envelope.
"""

from __future__ import annotations

import re
from enum import StrEnum

from gateway.mime.parameters import parse_content_type
from gateway.mime.structure import Structure

_WORD = re.compile(rb"[ \t\r\n]*([A-Za-z0-9_-]{1,40})")
# RFC 7489 section 7.2.1.1 gives the subject, "Report Domain: … Submitter: … Report-ID: …"; some write it with dashes.
_DMARC = re.compile(rb"[ \t\r\n]*(?:[^:]{0,40}[ \t])?Report[ -]Domain:[^:]{1,300}?Submitter:", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})


class AutomaticKind(StrEnum):
    """What automatic mail is; NULL_SENDER where nothing but its empty envelope sender tells."""

    DELIVERY_REPORT = "delivery-report"
    READ_RECEIPT = "read-receipt"
    REPORT = "report"
    AUTO_SUBMITTED = "auto-submitted"
    LIST = "list"
    BULK = "bulk"
    NULL_SENDER = "null-sender"
    DMARC_REPORT = "dmarc-report"
    TLS_REPORT = "tls-report"
    ABUSE_REPORT = "abuse-report"

    @property
    def is_for_operators(self) -> bool:
        """True for what another site's mail system reports of this one: it is worth reading, whoever is addressed."""
        return self in _OF_THE_SITE

    @property
    def may_report(self) -> bool:
        """True for what may report on a mail of ours: that it was returned, is late, or was unwanted."""
        return self in _REPORTING


_REPORTING = frozenset({
    AutomaticKind.DELIVERY_REPORT, AutomaticKind.REPORT, AutomaticKind.ABUSE_REPORT, AutomaticKind.NULL_SENDER,
    AutomaticKind.AUTO_SUBMITTED,
})  # fmt: skip
_OF_THE_SITE = frozenset({AutomaticKind.DMARC_REPORT, AutomaticKind.TLS_REPORT, AutomaticKind.ABUSE_REPORT})
_REPORTS = {
    "feedback-report": AutomaticKind.ABUSE_REPORT,
    "tlsrpt": AutomaticKind.TLS_REPORT,
    "delivery-status": AutomaticKind.DELIVERY_REPORT,
    "disposition-notification": AutomaticKind.READ_RECEIPT,
}


def kind_of(structure: Structure) -> AutomaticKind | None:
    """Return what kind of automatic mail this is, None for what a person wrote."""
    for header in structure.fields("content-type"):
        content = parse_content_type(header.value)
        media_type, of_what = content.token, content.parameter("report-type") or ""
        if media_type == "multipart/report":
            return _REPORTS.get(of_what.lower(), AutomaticKind.REPORT)
    if structure.field("tls-report-domain") is not None:
        return AutomaticKind.TLS_REPORT
    if any(_DMARC.match(header.value) for header in structure.fields("subject")):
        return AutomaticKind.DMARC_REPORT
    if _words(structure, "auto-submitted") - {"no"}:
        return AutomaticKind.AUTO_SUBMITTED
    if structure.field("list-id") is not None:
        return AutomaticKind.LIST
    if _words(structure, "precedence") & _BULK:
        return AutomaticKind.BULK
    return None


def _words(structure: Structure, name: str) -> set[str]:
    """Return the first word of each field of this name, in lower case."""
    found = (_WORD.match(header.value) for header in structure.fields(name))
    return {match[1].decode("ascii").lower() for match in found if match is not None}
