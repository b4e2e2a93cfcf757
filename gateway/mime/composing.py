"""Messages that the gateway writes itself: the correspondent's copy of what came, and a reply shown as a message.

A correspondent's copy has a header block of ours and the body as received: signatures stay valid, and nothing that the
employee's mail system wrote at the top (Received, Bcc, trace and routing fields, internal hosts) goes along. What is
inside of an attached message is content that its author chose to send, and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.summary import Mailbox
from gateway.mime.dates import format_date
from gateway.mime.encoding import (
    CRLF,
    base64_lines,
    field,
    mailboxes,
    parameter,
    parameters,
    quoted_printable,
    unstructured,
)
from gateway.mime.headerblock import SINGLETONS
from gateway.mime.structure import Header, Structure

# The fields that say how to read the body. Content-Location and Content-Base name hosts and are left out.
_KEPT = ("content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-description",
         "content-language")  # fmt: skip
_PROTECTED = ('protected-headers="v1";',)
_BOUNDARY = re.compile(r"=_[A-Za-z0-9_.-]{16,60}\Z")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>\Z")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")


@dataclass(frozen=True, slots=True)
class Fields:
    """The header that a message of ours gets. `message_id` is opaque, with its angle brackets, made from a reference.

    Raises ValueError when `message_id` is not of that form or `date` has no zone.
    """

    from_: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    date: datetime
    subject: str
    message_id: str

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.match(self.message_id):
            raise ValueError("a message id is <left@right> in ASCII")
        if self.date.tzinfo is None:
            raise ValueError("a date has a zone")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send along: `chunks` are its octets, taken once, as they are needed."""

    filename: str
    media_type: str
    chunks: Iterable[bytes]

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.match(self.media_type) or self.media_type.startswith(("multipart/", "message/")):
            raise ValueError("an attachment is a leaf: type/subtype in lower case")


def correspondents_copy(structure: Structure, fields: Fields) -> bytes:
    """The header block of a correspondent's copy, its blank line included.

    The copy is these octets and then the octets received from `structure.body_offset` on. A structure scanned from the
    header block alone, up to there, will do.
    """
    kept = [_clean(header) for name in _KEPT if name in SINGLETONS and (header := structure.field(name)) is not None]
    return b"".join((_header(fields), b"MIME-Version: 1.0", CRLF, *kept, CRLF))


def compose(
    fields: Fields, text: str, attachments: Iterable[Attachment], *, boundary: str, protected: bool = False
) -> Iterator[bytes]:
    """A whole message in chunks: the text, and each attachment in base64 as its octets come.

    `boundary` is random, handed in: `=_` and 16 to 60 letters, digits, `_`, `.` or `-`. No line of quoted-printable or
    base64 can hold `=_`, so it never stands in a body. Where it is to be encrypted whole, its head is `protected` and
    says so to mail tools, which then show its subject in place of the outer one. Raises ValueError for another form.
    """
    if not _BOUNDARY.match(boundary):
        raise ValueError("a boundary begins with =_ and has 16 to 60 more characters")
    delimiter = b"--" + boundary.encode("ascii")
    yield b"".join((
        _header(fields),
        b"MIME-Version: 1.0\r\n",
        field("Content-Type", ["multipart/mixed;", *_PROTECTED[:protected], f'boundary="{boundary}"']),
        CRLF,
        delimiter + CRLF,
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        quoted_printable(text),
    ))  # fmt: skip
    for attachment in attachments:
        yield CRLF + delimiter + CRLF + _attachment_header(attachment)
        yield from base64_lines(attachment.chunks)
    yield CRLF + delimiter + b"--" + CRLF


def _header(fields: Fields) -> bytes:
    return b"".join((
        field("From", mailboxes([fields.from_])),
        field("To", mailboxes(fields.to) or ["undisclosed-recipients:;"]),
        field("Cc", mailboxes(fields.cc)) if fields.cc else b"",
        field("Subject", unstructured(fields.subject)),
        field("Date", [format_date(fields.date)]),
        field("Message-ID", [fields.message_id]),
    ))  # fmt: skip


def _attachment_header(attachment: Attachment) -> bytes:
    name = attachment.filename
    return b"".join((
        field("Content-Type", parameters([[attachment.media_type], parameter("name", name)])),
        field("Content-Disposition", parameters([["attachment"], parameter("filename", name)])),
        b"Content-Transfer-Encoding: base64\r\n\r\n",
    ))  # fmt: skip


def _clean(header: Header) -> bytes:
    """A field as received, its line ends as CRLF and without octets that no field may hold."""
    lines = [line.replace(b"\r", b" ").replace(b"\0", b" ") for line in re.split(rb"\r?\n", header.value)]
    written = [line for number, line in enumerate(lines) if number == 0 or line.strip(b" \t")]
    return header.name.encode("ascii") + b":" + CRLF.join(written) + CRLF
