"""A notice becomes mail: a 7-bit MIME message, valid by construction, with nothing in it but the notice's fields.

Text and accessible HTML side by side (RFC 2046 section 5.1.4), quoted-printable throughout, so that no octet depends
on a relay's manners. The boundary holds `=_`, which quoted-printable never produces. The date is the notice's own
instant and the Message-ID comes from the outbox row: rendering again gives the same octets.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import b2a_qp
from dataclasses import dataclass
from email.utils import format_datetime
from hmac import compare_digest

from gateway.domain.address import Address
from gateway.domain.errors import Malformed, Tampered
from gateway.domain.notice import Notice, message_id
from gateway.domain.programme import Programme
from gateway.outbound.smime import MailSigner, sign_mail
from gateway.outbound.templates import Templates

_BOUNDARY = "=_notice"
_WORD_OCTETS = 42
_CLOSE = f"--{_BOUNDARY}--\r\n".encode("ascii")


@dataclass(frozen=True, slots=True)
class Draft:
    """One notification to be made: the notice, whom it goes to, and the outbox row that asks for it.

    `reply_to` is the case's address, for employees only. Raises ValueError when another notice has one, and Malformed
    for an address that needs an international envelope (RFC 6531), which plain relays do not take.
    """

    notice: Notice
    to: Address
    outbox_id: str
    reply_to: Address | None = None

    def __post_init__(self) -> None:
        if self.reply_to is not None and not self.notice.kind.is_answered_in_the_case:
            raise ValueError("only a notice that is answered in the case names an address to answer to")
        for address in filter(None, (self.to, self.reply_to)):
            if not str(address).isascii() or not str(address).isprintable():
                raise Malformed("The address needs an international envelope, which notifications do not use.")


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
            f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"',
            f"Content-Language: {notice.language}",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
        ]
        if draft.reply_to is not None:
            head.insert(3, f"Reply-To: {draft.reply_to}")
        top = "\r\n".join([*head, "", ""]).encode("ascii")
        return b"".join((top, _part("plain", body.text), _part("html", body.html), _CLOSE))

    def signed(self, rendered: bytes) -> bytes:
        """Return a mail that was verified as it leaves: signed by S/MIME, or as it is."""
        return rendered if self._signer is None else sign_mail(rendered, self._signer)

    def verify(self, draft: Draft, programme: Programme, rendered: bytes) -> None:
        """Make the notification once more from its fields alone and compare: the last check before it leaves.

        Raises Tampered when a single octet differs.
        """
        if not compare_digest(self.render(draft, programme), rendered):
            raise Tampered("A notification is not what its notice says. It was not sent.")


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
