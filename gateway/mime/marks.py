"""What the first octets of a part tell of the mail it stands in, seen while it streams by: a class of Outlook's in TNEF
([MS-OXTNEF] section 2.1.3.3.9, [MS-OXCMSG]), the method of a calendar object (RFC 5546), a link in place of a file.

How it fails: what cannot be read has no mark. Content is looked at and not kept: a mark is one word of `Mark`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

from gateway.mime.structure import Mark

LOOK: Final = 1_024
"""Octets of an encoded body that are enough to see what it begins with."""
TEXT_LOOK: Final = 32 * 1_024
"""Octets of a text in which a link is looked for."""
TNEF_TYPES: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
CALENDAR: Final = "text/calendar"
_TEXTS: Final = ("text/plain", "text/html")
_TNEF_NAMES: Final = ("winmail.dat", "win.dat")
_TNEF_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_MESSAGE_CLASS: Final = bytes.fromhex("0108800700")  # of the message, attMessageClass with its type, little-endian
_CLASS_AT: Final = len(_MESSAGE_CLASS) + 4
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_METHOD = re.compile(rb"(?:\A|[\r\n])METHOD[^:\r\n]{0,100}:[ \t]*([A-Z]{3,20})", re.IGNORECASE)
_CLASSES: Final = (
    (b"ipm.outlook.recall", Mark.RECALL),
    (b"ipm.recall.report", Mark.REPORT),
    (b"ipm.schedule.meeting.resp", Mark.CALENDAR_REPLY),
    (b"ipm.schedule.meeting.canceled", Mark.CALENDAR_REPLY),
    (b"ipm.schedule.meeting.notification", Mark.CALENDAR_REPLY),
    (b"ipm.note.rules.ooftemplate", Mark.OUT_OF_OFFICE),
    (b"report.", Mark.REPORT),
)
_ANSWERS: Final = frozenset({b"REPLY", b"COUNTER", b"DECLINECOUNTER", b"CANCEL", b"REFRESH"})
# Where files are kept that only who has an account there can open; and what Outlook on the web puts around such a link.
_PLACES: Final = (
    b".sharepoint.", b".sharepoint-mil.", b"1drv.ms/", b"onedrive.live.com", b"owareferenceattachment",
)  # fmt: skip
_QUOTE_BEGINS: Final = (b"divrplyfwdmsg", b'id="appendonsend"', b"<blockquote", b"gmail_quote")


def octets_wanted(media_type: str, filename: str | None, disposition: str) -> int:
    """Return how many octets of an encoded body are looked at."""
    if media_type in _TEXTS and disposition != "attachment":
        return TEXT_LOOK
    if media_type == CALENDAR or _is_tnef(media_type, filename):
        return LOOK
    return 0


def marks_in(media_type: str, filename: str | None, encoding: str, head: bytes) -> Iterator[Mark]:
    """Yield what the beginning of an encoded body tells. Never raises."""
    if media_type in _TEXTS:
        if _has_link(media_type, _undone(head, encoding)):
            yield Mark.CLOUD_LINK
    elif media_type == CALENDAR:
        found = _METHOD.search(_undone(head, encoding))
        if found is not None:
            yield from method_mark(found[1].decode("ascii"))
    elif _is_tnef(media_type, filename):
        yield from _of_class(_undone(head, encoding))


def method_mark(method: str) -> Iterator[Mark]:
    """Yield what a calendar object's method makes of the mail that it is the body of."""
    if method.upper().encode("ascii", "replace") in _ANSWERS:
        yield Mark.CALENDAR_REPLY


def _is_tnef(media_type: str, filename: str | None) -> bool:
    return media_type in TNEF_TYPES or (filename or "").lower() in _TNEF_NAMES


def _of_class(octets: bytes) -> Iterator[Mark]:
    if not octets.startswith(_TNEF_SIGNATURE):
        return
    at = octets.find(_MESSAGE_CLASS)
    named = octets[at + _CLASS_AT : at + _CLASS_AT + 80].split(b"\x00", 1)[0].lower() if at >= 0 else b""
    yield from (mark for begins, mark in _CLASSES if named.startswith(begins))


def _has_link(media_type: str, octets: bytes) -> bool:
    """Tell whether the author's own words, not the ones quoted below, lead to a place of files."""
    words = octets.lower()
    if not any(map(words.__contains__, _PLACES)):
        return False
    if media_type == "text/plain":
        words = b"\n".join(line for line in words.split(b"\n") if not line.startswith(b">"))
    else:
        ends = [at for begin in _QUOTE_BEGINS if (at := words.find(begin)) >= 0]
        words = words[: min(ends, default=len(words))]
    return any(map(words.__contains__, _PLACES))


def _undone(head: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        clean = _NOT_BASE64.sub(b"", head)
        return binascii.a2b_base64(clean[: len(clean) - len(clean) % 4])
    if encoding == "quoted-printable":
        return binascii.a2b_qp(head)
    return head
