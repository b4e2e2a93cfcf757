"""How the tests of this folder read a mail."""

from __future__ import annotations

import base64
import quopri

from gateway.domain.verdict import Unread, Unreadable
from gateway.screening.chunk import Budget, Chunk, Form, Limits
from gateway.screening.extraction.mail import extract_mail

NUMBER = "123-45-6780"
HEAD = b"From: Kim <kim@b.example>\r\nMIME-Version: 1.0\r\n"


def items(octets: bytes, limits: Limits | None = None) -> list[Chunk | Unreadable]:
    return list(extract_mail(octets, Budget(limits)))


def chunks(octets: bytes) -> list[Chunk]:
    return [item for item in items(octets) if isinstance(item, Chunk)]


def unread(octets: bytes, limits: Limits | None = None) -> list[Unreadable]:
    return [item for item in items(octets, limits) if isinstance(item, Unreadable)]


def ambiguities(octets: bytes) -> list[str]:
    return [each.detail for each in unread(octets) if each.why is Unread.AMBIGUOUS]


def places(octets: bytes, words: str = NUMBER, form: Form | None = None) -> set[str]:
    """Where these words stand."""
    return {chunk.place for chunk in chunks(octets) if words in chunk.text and form in (None, chunk.form)}


def mail(*lines: str | bytes, head: bytes = HEAD) -> bytes:
    """A mail of these lines: fields, a blank line, a body."""
    return head + b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in (*lines, ""))


def mixed(*lines: str | bytes, kind: str = "mixed") -> bytes:
    return mail(f'Content-Type: multipart/{kind}; boundary="limit.0123"', "", *lines)


OPEN = "--limit.0123"
CLOSE = "--limit.0123--"


def b64(text: str | bytes, charset: str = "utf-8") -> str:
    octets = text if isinstance(text, bytes) else text.encode(charset)
    return base64.encodebytes(octets).decode().strip().replace("\n", "\r\n")


def qp(text: str) -> str:
    return quopri.encodestring(text.encode()).decode()
