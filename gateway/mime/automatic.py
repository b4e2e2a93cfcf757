"""Which mail no person wrote: reports, receipts, answers of absent people, lists (RFC 3834, 6522, 8098, 3464, 2919).

Judged by what a message says of itself, with the envelope's null sender left to whoever knows the envelope.
"""

from __future__ import annotations

import re
from enum import StrEnum

from gateway.mime.parameters import parse_content_type
from gateway.mime.structure import Structure

_WORD = re.compile(rb"[ \t\r\n]*([A-Za-z0-9_-]{1,40})")
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


_REPORTS = {
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
