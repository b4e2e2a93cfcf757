"""What a returned mail says of one of our notifications: delivery reports, complaints, and bounces of older habits.

Read are delivery status notifications (RFC 3464, internationalised ones of RFC 6533 too), abuse reports (RFC 5965),
and mail that is recognisably a bounce by its structure: a field X-Failed-Recipients, the QSBMF form of qmail, or a
status code in a text that a mail system wrote. Never raises; what cannot be read says nothing. What is looked at is
bounded: the first MAX_OCTETS of a mail, a few thousand octets of each of its parts. Nested mail is not looked into,
but for the header of the one that is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.domain.notice import outbox_id_of
from gateway.domain.partmap import Part
from gateway.domain.reach import Report, ReportKind
from gateway.mime.charsets import decode_octets
from gateway.mime.decoding import Decoder, text
from gateway.mime.headerblock import HeaderBlock, split_header_block
from gateway.mime.headers import addresses
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Limits, Structure

MAX_OCTETS: Final = 1024 * 1024
MAX_NAMED: Final = 8
_MAX_PART: Final = 64 * 1024
_MAX_TEXT: Final = 32 * 1024
_MAX_GROUPS: Final = 50
_MAX_ADDRESS: Final = 320

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADER_TYPES = frozenset({"text/rfc822-headers", "text/rfc822-header", "message/global-headers"})
_RETURNED_TYPES = _HEADER_TYPES | {"message/rfc822", "message/global"}
_FEEDBACK_TYPE = "message/feedback-report"
_OWN_IDS = ("message-id", "x-microsoft-original-message-id")
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure"})  # RFC 5965 section 7.3, RFC 6591
_ACTIONS = {
    "failed": ReportKind.FAILED,
    "delayed": ReportKind.DELAYED,
    "delivered": ReportKind.DELIVERED,
    "relayed": None,
    "expanded": None,
}
_RECIPIENTS = ("final-recipient", "original-recipient")
_BY_CLASS = {"5": ReportKind.FAILED, "4": ReportKind.DELAYED}

_FIELD = re.compile(r"([!-9;-~]{1,60})[ \t]{0,8}:(.*)", re.DOTALL)
_STATUS = re.compile(r"(?<![\w.])([245]\.[0-7]\.\d{1,3})(?![\w.]*\d)")
_REPLY = re.compile(r"(?<![\w.-])(421|45[0-4]|55[0-6])(?:[ -]|: )(?=[^\s\d])")
_TYPED = re.compile(r"[ \t]*([A-Za-z0-9-]{1,20})[ \t]*;(.*)", re.DOTALL)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_OWN_ID = re.compile(r"<notice\.[0-9a-z]{8,64}@[a-z0-9.-]{1,255}>")
_COPY = re.compile(
    r"^(?:received|return-path|dkim-signature|message-id|mime-version):[ \t]", re.IGNORECASE | re.MULTILINE
)
_QSBMF = re.compile(r"\s{0,20}Hi\. This is the ")  # the first words of a bounce in that form, by its specification
_NAMED = re.compile(r"<([^\s<>@]{1,64}@[^\s<>@]{1,255})>|(?<![\w<@.+-])([\w.+-]{1,64}@[\w.-]{1,255}\w)")
_TAG = re.compile(r"<[a-z/!][^<>@]{0,500}>", re.IGNORECASE)
_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})
_ANSWERS = re.compile(rb"[ \t\r\n]*auto[-_]repl(?:ied|y)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reported:
    """What a mail reports. `outbox_id` is of the Message-ID in what it returns; `paths` are the envelope senders that
    it says the returned mail had.
    """

    reports: tuple[Report, ...] = ()
    outbox_id: str | None = None
    paths: tuple[str, ...] = ()


def read_report(octets: bytes, *, null_sender: bool) -> Reported:
    """Return what a mail reports, nothing for one that reports nothing. `null_sender`: its envelope had none."""
    octets = octets[:MAX_OCTETS]
    scanner = Scanner()
    scanner.feed(octets)
    structure = scanner.finish()
    leaves = structure.part_map.own_leaves
    header = _returned_header(octets, leaves)
    outbox_id = None if header is None else _own_id(header)
    paths = _values(header, "return-path")
    status = next((part for part in leaves if part.media_type in _STATUS_TYPES), None)
    if status is not None:
        return Reported(tuple(_delivery_reports(_decoded(octets, status))), outbox_id, paths)
    feedback = next((part for part in leaves if part.media_type == _FEEDBACK_TYPE), None)
    if feedback is not None:
        return _complaint(_decoded(octets, feedback), outbox_id, paths)
    return _by_habit(octets, structure, null_sender=null_sender, outbox_id=outbox_id)


# Delivery status (RFC 3464)


def _delivery_reports(octets: bytes) -> Iterator[Report]:
    """Yield one report of each kind: the one whose code says most about the address."""
    found = [report for group in _groups(octets) if (report := _of_recipient(group)) is not None]
    for kind in (ReportKind.FAILED, ReportKind.DELAYED, ReportKind.DELIVERED):
        of_kind = [report for report in found if report.kind is kind]
        if of_kind:
            yield min(of_kind, key=lambda report: (not report.enhanced[1:].startswith(".1."), not report.enhanced))


def _of_recipient(group: dict[str, str]) -> Report | None:
    """Return what the fields of one recipient say; None for those of the message, and for what says nothing."""
    if "final-recipient" not in group and "original-recipient" not in group and "action" not in group:
        return None
    status, diagnostic = _STATUS.search(group.get("status", "")), group.get("diagnostic-code", "")
    enhanced = status[1] if status else ""
    detailed = _STATUS.search(diagnostic)
    if detailed and (not enhanced or (enhanced.endswith(".0.0") and detailed[1][0] == enhanced[0])):
        enhanced = detailed[1]
    reply = _REPLY.search(diagnostic)
    first = (enhanced or (reply[1] if reply else ""))[:1]
    action = group.get("action", "").split("(")[0].strip().lower()
    kind = _ACTIONS[action] if action in _ACTIONS else _BY_CLASS.get(first)
    if kind is None:
        return None
    # Of a mailbox shared by many only one may be gone: the final recipient, not the original one.
    named = next(filter(None, (_typed_address(group.get(name, "")) for name in _RECIPIENTS)), "")
    return Report(kind, enhanced, (named,) if named else ())


def _groups(octets: bytes) -> Iterator[dict[str, str]]:
    """Yield the groups of fields between blank lines; of a field that stands twice the first one."""
    lines = decode_octets(octets, "utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for number, block in enumerate(re.split(r"\n[ \t]*\n", lines)):
        if number > _MAX_GROUPS:
            return
        group: dict[str, str] = {}
        for line in re.sub(r"\n[ \t]+", " ", block).split("\n"):
            field = _FIELD.match(line)
            if field is not None:
                group.setdefault(field[1].lower(), field[2].strip())
        if group:
            yield group


def _typed_address(value: str) -> str:
    """Return the address of `type; address` (RFC 3464 section 2.3.1, RFC 3461 section 4, RFC 6533 section 3)."""
    typed = _TYPED.match(value)
    kind, address = (typed[1].lower(), typed[2]) if typed else ("rfc822", value)
    address = address.strip().removeprefix("<").removesuffix(">")
    if kind == "utf-8":
        address = _UNITEXT.sub(lambda found: _character(found[1]), address)
    elif "+" in address:
        address = _XTEXT.sub(lambda found: chr(int(found[1], 16)), address)
    return address if "@" in address and len(address) <= _MAX_ADDRESS and address.isprintable() else ""


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "?"


# Abuse (RFC 5965)


def _complaint(octets: bytes, outbox_id: str | None, paths: tuple[str, ...]) -> Reported:
    group = next(_groups(octets), {})
    kind = group.get("feedback-type", "").lower()
    if not kind or kind in _NO_COMPLAINTS:
        return Reported((), outbox_id, paths)
    named = group.get("original-rcpt-to", "").strip("<> \t")
    sender = group.get("original-mail-from", "").strip("<> \t")
    report = Report(ReportKind.COMPLAINT, named=(named,) if "@" in named and len(named) <= _MAX_ADDRESS else ())
    return Reported((report,), outbox_id, tuple(filter(None, (sender, *paths))))


# Bounces of older habits


def _by_habit(octets: bytes, structure: Structure, *, null_sender: bool, outbox_id: str | None) -> Reported:
    """Read a bounce that has no report in it: a mail system wrote it, and it says a code or whom it could not reach."""
    refused = tuple(
        one.address for field in structure.fields("x-failed-recipients") for one in addresses(field.value[:_MAX_TEXT])
    )[:MAX_NAMED]
    is_of_a_daemon = _is_of_a_daemon(structure)
    if not refused and (_is_answer(structure) or not (null_sender or is_of_a_daemon)):
        return Reported()
    words = _words(octets, structure)
    copy = _COPY.search(words)
    before = words[: copy.start()] if copy else words
    own = _OWN_ID.search(words)
    outbox_id = outbox_id or (outbox_id_of(own[0]) if own else None)
    enhanced, is_permanent = _code(before, has_copy=outbox_id is not None)
    is_known_form = bool(refused) or _QSBMF.match(before) is not None
    is_code = is_permanent is not None and (is_of_a_daemon or outbox_id is not None)
    if not is_code and not is_known_form:
        return Reported((), outbox_id)
    kind = ReportKind.DELAYED if is_permanent is False else ReportKind.FAILED
    named = refused or tuple(dict.fromkeys(one[1] or one[2] for one in _NAMED.finditer(before)))[:MAX_NAMED]
    return Reported((Report(kind, enhanced, named),), outbox_id)


def _code(words: str, *, has_copy: bool) -> tuple[str, bool | None]:
    """Return the enhanced code and whether it is permanent, None without any.

    A bare reply code counts only beside a copy of ours: numbers stand in texts of people, too.
    """
    codes = [found[1] for found in _STATUS.finditer(words) if found[1][0] != "2"]
    permanent = next((code for code in codes if code[0] == "5"), None)
    if permanent or codes:
        return permanent or codes[0], permanent is not None
    replies = [found[1] for found in _REPLY.finditer(words)] if has_copy else []
    return "", any(reply[0] == "5" for reply in replies) if replies else None


def _words(octets: bytes, structure: Structure) -> str:
    leaves = structure.part_map.own_leaves
    part = next((one for one in leaves if one.media_type == "text/plain"), None)
    part = part or next((one for one in leaves if one.media_type == "text/html"), None)
    if part is None:
        return ""
    words = text(part, _decoded(octets, part))[:_MAX_TEXT]
    return _TAG.sub(" ", words) if part.media_type == "text/html" else words


def _is_answer(structure: Structure) -> bool:
    """True for what answers in somebody's absence."""
    return any(_ANSWERS.match(one.value) for name in ("auto-submitted", "precedence") for one in structure.fields(name))


def _is_of_a_daemon(structure: Structure) -> bool:
    field = structure.field("from")
    boxes = addresses(field.value[:_MAX_TEXT]) if field else ()
    return any(box.address.rpartition("@")[0].lower() in _DAEMONS for box in boxes)


# The returned mail


def _returned_header(octets: bytes, leaves: tuple[Part, ...]) -> HeaderBlock | None:
    part = next((one for one in leaves if one.media_type in _RETURNED_TYPES), None)
    if part is None:
        return None
    body = _decoded(octets, part, Limits().header_block)
    block = body.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in body else body.partition(b"\n\n")[0]
    return split_header_block(block + b"\r\n", 0, "1", Limits(), smtputf8=True)


def _own_id(header: HeaderBlock) -> str | None:
    ids = (outbox_id_of(value) for name in _OWN_IDS for value in _values(header, name))
    return next(filter(None, ids), None)


def _values(header: HeaderBlock | None, name: str) -> tuple[str, ...]:
    if header is None:
        return ()
    found = (one.value for one in header.headers if one.key == name)
    return tuple(decode_octets(value[:_MAX_ADDRESS]).strip("<> \t\r\n") for value in found)[:MAX_NAMED]


def _decoded(octets: bytes, part: Part, most: int = _MAX_PART) -> bytes:
    """Return the beginning of a part without its transfer encoding."""
    decoder = Decoder(part.encoding)
    return decoder.feed(octets[part.offset : min(part.end, part.offset + most)]) + decoder.finish()
