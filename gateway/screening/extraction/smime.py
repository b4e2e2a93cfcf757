"""CMS (RFC 5652, S/MIME RFC 8551): what is signed or compressed is read, what is enveloped is named as encrypted."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.unpacking import unzlib

_PEM = re.compile(rb"-----BEGIN (?:PKCS7|CMS)-----([A-Za-z0-9+/=\s]*)")
_SIGNED: Final = bytes.fromhex("2a864886f70d010702")
_DATA: Final = bytes.fromhex("2a864886f70d010701")
_ENCRYPTED: Final = frozenset(
    {
        bytes.fromhex("2a864886f70d010703"),  # enveloped
        bytes.fromhex("2a864886f70d010704"),  # signed and enveloped (PKCS #7)
        bytes.fromhex("2a864886f70d010706"),  # encrypted
        bytes.fromhex("2a864886f70d0109100117"),  # authenticated and enveloped
    }
)
_AUTHENTICATED: Final = bytes.fromhex("2a864886f70d0109100102")
_DIGESTED: Final = bytes.fromhex("2a864886f70d010705")
_COMPRESSED: Final = bytes.fromhex("2a864886f70d0109100109")
_DEEPEST: Final = 40
_NODES: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Node:
    tag: int
    body: bytes
    is_open: bool  # constructed

    @property
    def number(self) -> int:
        """The number of a context tag, -1 for others."""
        return self.tag & 0x1F if self.tag & 0xC0 == 0x80 else -1


def read_cms(document: Document, descent: Descent) -> Iterator[Item]:
    """The content inside of signed, digested, authenticated or compressed data; a detached signature has none."""
    octets = document.octets
    armoured = _PEM.search(octets)
    if armoured is not None:
        octets = binascii.a2b_base64(armoured.group(1))
    elif not octets.startswith(b"\x30"):
        octets = binascii.a2b_base64(octets)
    kind, content = _content_info(octets)
    if kind in _ENCRYPTED:
        raise UnreadableError(Unread.ENCRYPTED, "smime")
    if kind not in (_SIGNED, _AUTHENTICATED, _DIGESTED, _COMPRESSED, _DATA):
        raise UnreadableError(Unread.UNKNOWN_TYPE, "cms")
    inner = _joined(content) if kind == _DATA else _encapsulated(content)
    if kind == _COMPRESSED and inner is not None:
        inner = unzlib(inner, descent.budget)
    if inner is not None:
        yield from _inside(inner, document.place, descent)


def _inside(octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    """Signed content is a MIME entity as a rule, at times another layer of CMS or a document of its own."""
    head = octets[:400].lower()
    if head.startswith((b"content-", b"mime-version", b"from:", b"received:", b"x-")) or b"\ncontent-type:" in head:
        yield from descent.message(octets, place)
    else:
        yield from descent.into(Document(octets, "", "", place))


def _content_info(octets: bytes) -> tuple[bytes, bytes]:
    """Type and content of a ContentInfo."""
    outer = _children(octets)
    parts = _children(outer[0].body) if outer else []
    if len(parts) < 2 or parts[0].tag != 0x06:
        raise UnreadableError(Unread.CORRUPT, "cms")
    return parts[0].body, parts[1].body


def _encapsulated(content: bytes) -> bytes | None:
    """The octets of the content inside of SignedData and its like; None when it is detached."""
    outer = _children(content)
    if not outer:
        raise UnreadableError(Unread.CORRUPT, "cms")
    for node in _children(outer[0].body):
        parts = _children(node.body) if node.tag == 0x30 else []
        if len(parts) == 1 and parts[0].tag == 0x06 and parts[0].body.startswith(_DATA[:7]):
            return None
        if len(parts) == 2 and parts[0].tag == 0x06 and parts[1].tag == 0xA0:
            return _joined(parts[1].body)
    return None


def _joined(octets: bytes) -> bytes:
    """The OCTET STRING in octets, whose pieces may be nested (BER); anything else as it is."""
    pieces: list[bytes] = []
    waiting = [(node, 0) for node in reversed(_children(octets))]
    while waiting:
        node, depth = waiting.pop()
        if node.is_open and node.tag & 0x1F == 0x04 and depth < _DEEPEST:
            waiting += [(inner, depth + 1) for inner in reversed(_children(node.body))]
        else:
            pieces.append(node.body)
        if len(pieces) > _NODES:
            raise UnreadableError(Unread.OVER_LIMIT, "members")
    return b"".join(pieces)


def _children(octets: bytes) -> list[_Node]:
    """The values in a row (X.690), of definite or indefinite length."""
    found: list[_Node] = []
    place = 0
    while place + 2 <= len(octets) and octets[place : place + 2] != b"\x00\x00":
        node, place = _node(octets, place, 0)
        found.append(node)
        if len(found) > _NODES:
            raise UnreadableError(Unread.OVER_LIMIT, "members")
    return found


def _node(octets: bytes, place: int, depth: int) -> tuple[_Node, int]:
    tag, length = octets[place], octets[place + 1]
    if tag & 0x1F == 0x1F or depth > _DEEPEST:
        raise UnreadableError(Unread.CORRUPT, "cms")
    start = place + 2
    if length == 0x80:
        end = _end_of_indefinite(octets, start, depth)
        return _Node(tag, octets[start:end], bool(tag & 0x20)), end + 2
    if length > 0x80:
        width = length & 0x7F
        length = int.from_bytes(octets[start : start + width], "big")
        start += width
    if start + length > len(octets):
        raise UnreadableError(Unread.CORRUPT, "cut")
    return _Node(tag, octets[start : start + length], bool(tag & 0x20)), start + length


def _end_of_indefinite(octets: bytes, place: int, depth: int) -> int:
    while octets[place : place + 2] != b"\x00\x00":
        if place + 2 > len(octets):
            raise UnreadableError(Unread.CORRUPT, "cut")
        _, place = _node(octets, place, depth + 1)
    return place
