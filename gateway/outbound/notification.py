"""A notice becomes mail: a 7-bit MIME message, valid by construction, with nothing in it but the notice's fields.

Text and accessible HTML side by side (RFC 2046 section 5.1.4), quoted-printable throughout, so that no octet depends
on a relay's manners. The boundary holds `=_`, which quoted-printable never produces. The date is the notice's own
instant and the Message-ID comes from the outbox row: rendering again gives the same octets.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import b2a_qp
from dataclasses import dataclass, field
from email.utils import format_datetime
from hmac import compare_digest

from gateway.domain.address import Address
from gateway.domain.card import MEDIA_TYPE, card, file_name
from gateway.domain.errors import Malformed, Tampered
from gateway.domain.notice import Notice, NoticeKind, NoticeState, message_id
from gateway.domain.parcel import is_ciphertext
from gateway.domain.programme import Programme
from gateway.outbound.report import Report
from gateway.outbound.templates import Templates
from gateway.parcels.smime_signing import MailSigner, sign_mail

_BOUNDARY = "=_notice"
_WORD_OCTETS = 42
_CLOSE = f"--{_BOUNDARY}--\r\n".encode("ascii")
_ALTERNATIVE = f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"'
_REPORT_BOUNDARY = "=_report"
_CARD_BOUNDARY = "=_card"
_MIXED = f'Content-Type: multipart/mixed; boundary="{_CARD_BOUNDARY}"'
_CARD_LINE = 76
_REPORT = f'Content-Type: multipart/report; report-type={{}};\r\n boundary="{_REPORT_BOUNDARY}"'


@dataclass(frozen=True, slots=True)
class Draft:
    """One notification to be made: the notice, whom it goes to, and the outbox row that asks for it.

    `reply_to` is the thread's address or the case's, for employees only. `thread` is the Message-ID of the author's own
    message that it stands below, or ""; a `report` makes it a report that programs read, too. A `parcel`
    (ciphertext of the reply for this one employee) stands in the place of the words, so that mail tools open it. Raises
    ValueError when
    another notice has an address to answer to, and Malformed for an address that needs an international envelope
    (RFC 6531), which plain relays do not take.
    """

    notice: Notice
    to: Address
    outbox_id: str
    reply_to: Address | None = None
    thread: str = ""
    report: Report | None = None
    parcel: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.reply_to is not None and not self.notice.kind.is_answered_in_the_case:
            raise ValueError("only a notice that is answered in the case names an address to answer to")
        of_reply = self.notice.kind is NoticeKind.REPLY_RECEIVED or self.notice.state is NoticeState.COPY_KEY_PROOF
        if self.parcel and (self.report is not None or not of_reply):
            raise ValueError("a parcel goes with the notice of a reply, or of a key that waits for its code")
        for address in filter(None, (self.to, self.reply_to)):
            if not str(address).isascii() or not str(address).isprintable():
                raise Malformed("The address needs an international envelope, which notifications do not use.")

    @property
    def has_card(self) -> bool:
        """True for the announcement of a case: its address comes as a card, too."""
        named = self.notice.reference is not None and self.reply_to is not None
        return named and self.notice.kind is NoticeKind.CASE_ASSIGNED


class Renderer:
    """Makes notifications of one site, from one fixed address."""

    def __init__(self, templates: Templates, sender: Address, signer: MailSigner | None = None) -> None:
        """`signer` signs by S/MIME, where a site chose so."""
        self._templates = templates
        self._sender = sender
        self._signer = signer

    def render(self, draft: Draft, programme: Programme) -> bytes:
        """Return the whole mail, CRLF line ends, unsigned."""
        notice = draft.notice
        body = self._templates.fill(notice, programme)
        name = _phrase(programme.words(notice.language).sender)
        head = [
            f"Date: {format_datetime(notice.at)}",
            f"From: {name}\r\n <{self._sender}>",
            f"To: {draft.to}",
            f"Subject: {_unstructured(body.subject)}",
            f"Message-ID: {message_id(draft.outbox_id, self._sender.domain)}",
            "MIME-Version: 1.0",
            *([] if draft.parcel else [_content_type(draft)]),
            f"Content-Language: {notice.language}",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
        ]
        if draft.thread:
            head[5:5] = [f"In-Reply-To: {draft.thread}", f"References: {draft.thread}"]
        if draft.reply_to is not None:
            head.insert(3, f"Reply-To: {draft.reply_to}")
        if draft.parcel:
            return "\r\n".join([*head, ""]).encode("ascii") + draft.parcel
        top = "\r\n".join([*head, "", ""]).encode("ascii")
        words = b"".join((_part("plain", body.text), _part("html", body.html), _CLOSE))
        if draft.has_card:
            return top + _with_card(words, draft, programme.words(notice.language).sender)
        return top + (words if draft.report is None else _reported(words, draft.report))

    def signed(self, draft: Draft, rendered: bytes) -> bytes:
        """Return a mail that was verified as it leaves: signed by S/MIME, or as it is.

        A report is never signed so: it has to be the outermost part (RFC 6522 section 3); nor is a parcel, which mail
        tools open in that place alone, and which has its own signature inside.
        """
        is_whole = draft.report is not None or bool(draft.parcel)
        return rendered if self._signer is None or is_whole else sign_mail(rendered, self._signer)

    def verify(self, draft: Draft, programme: Programme, rendered: bytes) -> None:
        """Make the notification once more from its fields alone and compare: the last check before it leaves.

        Of a parcel it is asked whether it can be anything but ciphertext. Raises Tampered when a single octet differs.
        """
        if draft.parcel and not is_ciphertext(draft.parcel):
            raise Tampered("A parcel is not ciphertext. It was not sent.")
        if not compare_digest(self.render(draft, programme), rendered):
            raise Tampered("A notification is not what its notice says. It was not sent.")


def _content_type(draft: Draft) -> str:
    if draft.has_card:
        return _MIXED
    return _ALTERNATIVE if draft.report is None else _REPORT.format(draft.report.type)


def _with_card(words: bytes, draft: Draft, site: str) -> bytes:
    """Return the words for people, and the case's address as a file for their address book."""
    reference, address = draft.notice.reference, draft.reply_to
    assert reference is not None
    assert address is not None
    octets = b64encode(card(reference, address.domain, site)).decode("ascii")
    lines = [octets[start : start + _CARD_LINE] for start in range(0, len(octets), _CARD_LINE)]
    top = f"--{_CARD_BOUNDARY}\r\n{_ALTERNATIVE}\r\n\r\n".encode("ascii")
    part = [
        f"--{_CARD_BOUNDARY}",
        f'Content-Type: {MEDIA_TYPE}; name="{file_name(reference)}"',
        f'Content-Disposition: attachment; filename="{file_name(reference)}"',
        "Content-Transfer-Encoding: base64",
        "",
        *lines,
        f"--{_CARD_BOUNDARY}--",
        "",
    ]
    return b"".join((top, words, b"\r\n", "\r\n".join(part).encode("ascii")))


def _reported(words: bytes, report: Report) -> bytes:
    """Return the body of a report: the words for people, and the parts for programs."""
    top = f"--{_REPORT_BOUNDARY}\r\n{_ALTERNATIVE}\r\n\r\n".encode("ascii")
    lines = (*report.parts(_REPORT_BOUNDARY), f"--{_REPORT_BOUNDARY}--", "")
    return b"".join((top, words, b"\r\n", "\r\n".join(lines).encode("ascii")))


def _part(subtype: str, words: str) -> bytes:
    lines = "\r\n".join(words.splitlines()).rstrip("\r\n").encode("utf-8")
    head = (
        f"--{_BOUNDARY}\r\n"
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode("ascii") + b2a_qp(lines, istext=True) + b"\r\n"


def _phrase(words: str) -> str:
    """Return a display name (RFC 5322 section 3.2.5): quoted when ASCII, else encoded words (RFC 2047)."""
    if words.isascii():
        return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _unstructured(words)


def _unstructured(words: str) -> str:
    """Return one line as it is when ASCII, else as encoded words of at most 75 characters, folded."""
    if words.isascii():
        return words
    chunks: list[bytes] = [b""]
    for character in words:
        octets = character.encode("utf-8")
        if len(chunks[-1]) + len(octets) > _WORD_OCTETS:
            chunks.append(b"")
        chunks[-1] += octets
    return "\r\n ".join(f"=?utf-8?B?{b64encode(chunk).decode('ascii')}?=" for chunk in chunks)
