"""Mail of pieces that mean something to a reader of MIME, in any order, with a number planted; and another reader to
compare with: whatever the standard library finds in such a mail, we find too, or say that we could not read it all.
"""

from __future__ import annotations

import base64
import email
import email.header
import email.message
import email.policy
from collections.abc import Iterator

from gateway.domain.verdict import Unreadable
from gateway.screening.chunk import Budget, Chunk
from gateway.screening.extraction.mail import extract_mail

NUMBER = b"123-45-6780"

PLANTED = (
    NUMBER,
    base64.b64encode(NUMBER),
    base64.b64encode(b"x" * 45 + NUMBER),
    base64.b64encode(NUMBER)[:7] + b"*" + base64.b64encode(NUMBER)[7:],
    b"=31=32=33-45-6780",
    b"=3=31=32=33-45-67=\r\n80",
    b"begin 644 n.txt\r\n+,3(S+30U+38W.#  \r\n`\r\nend",
    b"Subject: " + NUMBER,
    b"Subject: =?utf-8?B?" + base64.b64encode(NUMBER) + b"?=",
    b"Subject: =?utf-8?Q?123-45?=\r\n =?utf-8?Q?-6780?=",
    b"X-Note: =?utf-7?Q?+ADEAMgAz--45-6780?=",
    b'Content-Disposition: attachment; filename="' + NUMBER + b'"',
    b"Content-Disposition: attachment; filename*0=123-45; filename*1*=%2D6780",
    b"+ADEAMgAz--45-6780",
    NUMBER.decode().encode("utf-16"),
)
PIECES = (
    b"Content-Type: multipart/mixed; boundary=a",
    b'Content-Type: multipart/mixed; boundary="a"; boundary=b',
    b"Content-Type: multipart/alternative; boundary=b",
    b"Content-Type: multipart/mixed; boundary=ab",
    b"Content-Type: multipart/digest; boundary=b",
    b"Content-Type: multipart/mixed",
    b"Content-Type: mulitpart/mixed; boundary=a",
    b"Content-Type: multipart/mixed (x); boundary=a (y)",
    b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b",
    b"Content-Type: multipart/mixed;\r\n boundary=b",
    b"Content-Type: message/rfc822",
    b"Content-Type: message/partial; id=x; number=1",
    b"Content-Type: text/plain; charset=utf-7",
    b"Content-Type: text/plain; charset=utf-16",
    b"Content-Type: text/html",
    b"Content-Type: text/plain; boundary=a",
    b"Content-Type : text/plain",
    b"Content-Type: application/octet-stream",
    b"content-transfer-encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: Quoted-Printable (x)",
    b"Content-Transfer-Encoding: base-64",
    b"Content-Transfer-Encoding: x-uuencode",
    b"Content-Transfer-Encoding: 7bit",
    b"no colon",
    b" folded",
    b"\t",
    b"From someone",
    b"", b"", b"", b"",
    b"--a", b"--a", b"--a--", b"--b", b"--b", b"--b--", b"--ab", b"--ab--", b"--a ", b" --a", b"--ax", b"-",
    b"\r--a", b"x\0", b"words", b"aGVsbG8=", b"=", b"<p>",
)  # fmt: skip
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r")


def found(octets: bytes) -> tuple[str, list[Unreadable]]:
    """All text that we read, and what we could not."""
    items = list(extract_mail(octets, Budget()))
    text = "\n".join(item.text for item in items if isinstance(item, Chunk))
    return text, [item for item in items if isinstance(item, Unreadable)]


def is_missed(octets: bytes) -> bool:
    """Whether the standard library finds the number in a mail of which we say that we have read it all without it."""
    text, unread = found(octets)
    return (
        not unread and NUMBER.decode() not in text and any(NUMBER.decode() in each for each in seen_by_others(octets))
    )


def seen_by_others(octets: bytes) -> Iterator[str]:
    """Fields, names and bodies of a mail as the standard library has them."""
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    for part in message.walk():
        for value in part.values():
            yield _decoded_field(str(value))
        yield _name(part)
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            for charset in (_charset(part), "ascii"):
                yield _decoded(payload, charset)
        for outside in (part.preamble, part.epilogue):
            yield outside or ""


def _name(part: email.message.Message) -> str:
    try:
        return part.get_filename("") or ""
    except (TypeError, ValueError, LookupError):  # that reader's own trouble
        return ""


def _charset(part: email.message.Message) -> str:
    try:
        return part.get_content_charset("ascii")
    except (TypeError, ValueError, LookupError):
        return "ascii"


def _decoded_field(value: str) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError, email.errors.MessageError):  # that reader's own trouble
        return value


def _decoded(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return ""
