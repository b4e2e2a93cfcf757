"""OpenPGP (RFC 9580): literal and compressed data is read, encrypted data named; keys and signatures hold no text."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.texts import readings, strings
from gateway.screening.extraction.unpacking import inflate, unbzip2, unzlib

_BEGIN = re.compile(rb"-----BEGIN PGP ([A-Z0-9 ,/]{1,40})-----[ \t]*\r?\n")
_END: Final = b"-----END PGP "
_ARMOR_HEADERS = re.compile(rb"(?:[A-Za-z]{1,20}: [^\r\n]*\r?\n)*[ \t]*\r?\n?")
_CHECKSUM = re.compile(rb"\r?\n=[A-Za-z0-9+/]{4}\s*\Z")
_ENCRYPTED: Final = frozenset({1, 3, 9, 18, 20})
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_PACKETS: Final = 2_000


def read_openpgp(document: Document, descent: Descent) -> Iterator[Item]:
    """Binary packets, or armour in a text, whose other words are read as well."""
    if b"-----BEGIN PGP" not in document.octets:
        yield from _packets(document.octets, document.place, descent)
        return
    rest: list[bytes] = []
    place = 0
    for count, (begin, kind, start, end) in enumerate(_armours(document.octets), 1):
        rest.append(document.octets[place:begin])
        place = end
        body = document.octets[start:end]
        if kind == b"SIGNED MESSAGE":
            rest.append(body)
            continue
        headers = _ARMOR_HEADERS.match(body)
        rest.append(headers.group() if headers else b"")
        body = _CHECKSUM.sub(b"", body[headers.end() if headers else 0 :])
        yield from _packets(_dearmoured(body), f"{document.place}, armour {count}", descent)
    rest.append(document.octets[place:])
    for text in readings(b"\n".join(rest)):
        yield Chunk(text, document.place)
    if b"-----BEGIN PGP MESSAGE" in document.octets[place:]:
        raise UnreadableError(Unread.CORRUPT, "openpgp")


def _armours(octets: bytes) -> Iterator[tuple[int, bytes, int, int]]:
    """Where each armour begins, its kind, where its body begins and ends (RFC 9580 section 6.2)."""
    match = _BEGIN.search(octets)
    while match is not None:
        end = octets.find(_END, match.end())
        if end < 0:
            return
        signed = octets.find(b"-----BEGIN PGP SIGNATURE-----", match.end(), end)
        if match.group(1) == b"SIGNED MESSAGE" and signed >= 0:
            end = signed
        yield match.start(), match.group(1), match.end(), end
        match = _BEGIN.search(octets, end)


def _dearmoured(body: bytes) -> bytes:
    plain = body.translate(None, _NOT_BASE64)
    plain = plain[:-1] if len(plain) % 4 == 1 else plain
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def _packets(octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    descent.budget.check("depth", descent.depth)
    at = 0
    for _ in range(_PACKETS):
        if at >= len(octets):
            return
        tag, body, at = _packet(octets, at)
        if tag in _ENCRYPTED:
            raise UnreadableError(Unread.ENCRYPTED, "openpgp")
        if tag == 8:
            unpacked = _unpacked(body, descent)
            yield from descent.into(Document(unpacked, "application/pgp", "data.pgp", f"{place}, unpacked"))
        elif tag == 11:
            size = body[1] if len(body) > 1 else 0
            name = body[2 : 2 + size].decode("utf-8", "replace")
            yield from descent.into(Document(body[6 + size :], "", name, place))
        elif tag in (13, 17):
            yield Chunk(body.decode("utf-8", "replace") if tag == 13 else strings(body), place, Form.TEXT)
        elif tag == 2:
            yield Chunk(strings(body, 10), place)  # notations are text
    raise UnreadableError(Unread.OVER_LIMIT, "members")


def _packet(octets: bytes, at: int) -> tuple[int, bytes, int]:
    """Tag and body of the packet at a place, and where the next begins (RFC 9580 section 4.2)."""
    first = octets[at]
    if not first & 0x80:
        raise UnreadableError(Unread.CORRUPT, "openpgp")
    if first & 0x40:
        body, end = _new_body(octets, at + 1)
        return first & 0x3F, body, end
    width = 1 << (first & 3)
    if width == 8:
        return first >> 2 & 0x0F, octets[at + 1 :], len(octets)
    start = at + 1 + width
    end = start + int.from_bytes(octets[at + 1 : start], "big")
    return first >> 2 & 0x0F, _exactly(octets, start, end), end


def _new_body(octets: bytes, at: int) -> tuple[bytes, int]:
    """A body whose length may come in parts."""
    pieces: list[bytes] = []
    while True:
        first = octets[at]
        if first < 192:
            size, start, is_last = first, at + 1, True
        elif first < 224:
            size, start, is_last = (first - 192 << 8) + octets[at + 1] + 192, at + 2, True
        elif first == 255:
            size, start, is_last = int.from_bytes(octets[at + 1 : at + 5], "big"), at + 5, True
        else:
            size, start, is_last = 1 << (first & 0x1F), at + 1, False
        pieces.append(_exactly(octets, start, start + size))
        at = start + size
        if is_last:
            return b"".join(pieces), at


def _exactly(octets: bytes, start: int, end: int) -> bytes:
    if end > len(octets):
        raise UnreadableError(Unread.CORRUPT, "openpgp")
    return octets[start:end]


def _unpacked(body: bytes, descent: Descent) -> bytes:
    method = body[0] if body else 255
    if method == 0:
        return body[1:]
    if method == 1:
        return inflate(body[1:], descent.budget)
    if method == 2:
        return unzlib(body[1:], descent.budget)
    if method == 3:
        return unbzip2(body[1:], descent.budget)
    raise UnreadableError(Unread.UNKNOWN_TYPE, "packing method")
