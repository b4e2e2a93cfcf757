"""Which mail no person wrote: reports, receipts, answers of absent people, lists (RFC 3834, 6522, 8098, 3464, 2919),
answers of calendars (RFC 5546, 6047), Outlook's wish to take a mail back, and what other sites' mail systems report of
this one: DMARC (RFC 7489), TLS (RFC 8460), abuse (RFC 5965).

Judged by what a message says of itself, with the envelope's null sender left to whoever knows the envelope.
"""

from __future__ import annotations

import re
from enum import StrEnum

from gateway.mime.headers import decode_words
from gateway.mime.parameters import parse_content_type
from gateway.mime.structure import Mark, Structure

_WORD = re.compile(rb"[ \t\r\n]*([A-Za-z0-9_-]{1,40})")
# RFC 7489 section 7.2.1.1 gives the subject, "Report Domain: … Submitter: … Report-ID: …"; some write it with dashes.
_DMARC = re.compile(rb"[ \t\r\n]*(?:[^:]{0,40}[ \t])?Report[ -]Domain:[^:]{1,300}?Submitter:", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
# How Exchange names an absence notice, and Outlook its wish to take a mail back, in the languages of many sites. People
# begin subjects so, too: neither counts without another sign.
_AWAY = re.compile(
    r"\s*(?:automatic reply|out of office(?: autoreply)?|automatische antwort|abwesenheitsnotiz|réponse automatique"
    r"|respuesta automática|fuera de la oficina)\s*:",
    re.IGNORECASE,
)
_RECALL = re.compile(r"\s*(?:recall|rückruf|rappel|recuperar)\s*:\s*", re.IGNORECASE)
_RESPONDERS = ("x-autoreply", "x-autorespond", "x-autoresponse")
_TELLING = frozenset({
    "content-class", "thread-topic", "auto-submitted", "x-auto-response-suppress", "list-id", "precedence",
    *_RESPONDERS,
})  # fmt: skip
"""Fields that tell it of mail that is no report; most mail has none of them."""
_MAX_SUBJECT = 2_000


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
    OUT_OF_OFFICE = "out-of-office"
    CALENDAR_REPLY = "calendar-reply"
    RECALL = "recall"

    @property
    def is_chosen(self) -> bool:
        """True for what an employee's own mail tool may say of mail that a person wrote."""
        return self in (AutomaticKind.LIST, AutomaticKind.BULK)

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
    AutomaticKind.AUTO_SUBMITTED, AutomaticKind.OUT_OF_OFFICE,
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
        if b"report" not in header.value.lower():
            continue
        content = parse_content_type(header.value)
        media_type, of_what = content.token, content.parameter("report-type") or ""
        if media_type == "multipart/report":
            return _REPORTS.get(of_what.lower(), AutomaticKind.REPORT)
    if structure.field("tls-report-domain") is not None:
        return AutomaticKind.TLS_REPORT
    if any(_DMARC.match(header.value) for header in structure.fields("subject")):
        return AutomaticKind.DMARC_REPORT
    if not structure.marks and _TELLING.isdisjoint(structure.names):
        return None
    return _of_an_employee(structure) or _by_any_program(structure)


def _of_an_employee(structure: Structure) -> AutomaticKind | None:
    """Return the kinds that a mail tool, or the mail system behind it, sends in the name of its user."""
    of_class = _CONTENT_CLASSES.get(_content_class(structure))
    if of_class is not None:
        return of_class
    for mark, kind in _MARKED:
        if mark in structure.marks:
            return kind
    if _takes_back(structure):
        return AutomaticKind.RECALL
    return AutomaticKind.OUT_OF_OFFICE if _is_away(structure) else None


def _by_any_program(structure: Structure) -> AutomaticKind | None:
    if _words(structure, "auto-submitted") - {"no"}:
        return AutomaticKind.AUTO_SUBMITTED
    if structure.field("list-id") is not None:
        return AutomaticKind.LIST
    if _words(structure, "precedence") & _BULK:
        return AutomaticKind.BULK
    return None


def _is_away(structure: Structure) -> bool:
    if "auto-replied" in _words(structure, "auto-submitted"):
        return True
    if any(_words(structure, name) - {"no"} for name in _RESPONDERS):
        return True
    is_silenced = structure.field("x-auto-response-suppress") is not None
    return is_silenced and _AWAY.match(_text(structure, "subject")) is not None


def _takes_back(structure: Structure) -> bool:
    """True where Outlook begins the subject so: the thread's topic is the rest, as when a person writes it is not."""
    if structure.field("thread-topic") is None:
        return False
    subject = _text(structure, "subject")
    found = _RECALL.match(subject)
    topic = _text(structure, "thread-topic").strip()
    return found is not None and bool(topic) and subject[found.end() :].strip() == topic


def _content_class(structure: Structure) -> str:
    header = structure.field("content-class")
    return "" if header is None else header.value.strip()[:80].decode("latin-1").lower()


def _text(structure: Structure, name: str) -> str:
    header = structure.field(name)
    return "" if header is None else decode_words(header.value[:_MAX_SUBJECT])


_MARKED = (
    (Mark.RECALL, AutomaticKind.RECALL),
    (Mark.CALENDAR_REPLY, AutomaticKind.CALENDAR_REPLY),
    (Mark.OUT_OF_OFFICE, AutomaticKind.OUT_OF_OFFICE),
    (Mark.REPORT, AutomaticKind.REPORT),
)
_CONTENT_CLASSES = {
    "urn:content-classes:recallmessage": AutomaticKind.RECALL,
    "urn:content-classes:recallreport": AutomaticKind.REPORT,
    "urn:content-classes:dsn": AutomaticKind.DELIVERY_REPORT,
    "urn:content-classes:mdn": AutomaticKind.READ_RECEIPT,
}


def _words(structure: Structure, name: str) -> set[str]:
    """Return the first word of each field of this name, in lower case."""
    found = (_WORD.match(header.value) for header in structure.fields(name))
    return {match[1].decode("ascii").lower() for match in found if match is not None}
