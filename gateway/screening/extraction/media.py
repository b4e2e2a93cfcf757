"""Sound, film, fonts and metafiles: what of them can hold words, and what is said of the rest."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.embedded import carved_pictures
from gateway.screening.extraction.texts import readings, strings

_ENDS: Final = 65_536
_RECORDS: Final = 200_000
_TEXT_RECORDS: Final = {84: "utf-16-le", 83: "latin-1"}  # EMR_EXTTEXTOUTW and A ([MS-EMF] section 2.3.5)
_BITMAP_RECORDS: Final = {80: 48, 81: 48, 76: 84, 77: 84}  # where the offsets of header and bits stand


def read_media(document: Document, descent: Descent) -> Iterator[Item]:
    """Words of the metadata, which stand at both ends; nobody listens to the rest, so it is unscreenable."""
    del descent
    octets = document.octets
    ends = octets if len(octets) <= 2 * _ENDS else octets[:_ENDS] + octets[-_ENDS:]
    yield Chunk(strings(ends), f"{document.place}, metadata")
    raise UnreadableError(Unread.UNKNOWN_TYPE, "media")


def read_program(document: Document, descent: Descent) -> Iterator[Item]:
    """PostScript: its text as it stands; what it would draw is known only to who runs it."""
    del descent
    for text in readings(document.octets):
        yield Chunk(text, document.place)
    raise UnreadableError(Unread.UNKNOWN_TYPE, "postscript")


def read_silent(document: Document, descent: Descent) -> Iterator[Item]:
    """A font: its names and licence, which stand in the clear. What only begins like a font is unscreenable."""
    del descent
    yield Chunk(strings(document.octets, 8), f"{document.place}, metadata")
    if not _is_font(document.octets):
        raise UnreadableError(Unread.UNKNOWN_TYPE, "font")


def _is_font(octets: bytes) -> bool:
    """Whether tables (OpenType) or the length (WOFF) that the header tells fit the file."""
    if len(octets) < 28:
        return False
    if octets.startswith((b"wOFF", b"wOF2")):
        return int.from_bytes(octets[8:12], "big") == len(octets)
    if octets.startswith(b"ttcf"):
        return int.from_bytes(octets[12:16], "big") < len(octets)
    count = int.from_bytes(octets[4:6], "big")
    rows = [octets[12 + 16 * at : 28 + 16 * at] for at in range(min(count, 64))]
    ends = [int.from_bytes(row[8:12], "big") + int.from_bytes(row[12:16], "big") for row in rows]
    return 0 < count <= 64 and len(rows[-1]) == 16 and len(octets) - 4 <= max(ends) <= len(octets)


def read_metafile(document: Document, descent: Descent) -> Iterator[Item]:
    """A drawing of Windows: its texts, and the pictures inside."""
    octets = document.octets
    texts, bitmaps = _records(octets) if octets[40:44] == b" EMF" else ([], [])
    yield Chunk("\n".join([*texts, "".join(texts), strings(octets, 4)]), document.place)
    for count, picture in enumerate([*bitmaps, *carved_pictures(octets)], 1):
        yield from descent.into(Document(picture, "", "", f"{document.place}, picture {count}"))


def _records(octets: bytes) -> tuple[list[str], list[bytes]]:
    texts: list[str] = []
    bitmaps: list[bytes] = []
    place = 0
    for _ in range(_RECORDS):
        if place + 8 > len(octets):
            break
        kind, size = struct.unpack_from("<LL", octets, place)
        record = octets[place : place + size]
        if size < 8 or len(record) < size:
            raise UnreadableError(Unread.CORRUPT, "metafile")
        if kind in _TEXT_RECORDS and size >= 52:
            count, offset = struct.unpack_from("<LL", record, 44)
            width = 2 if kind == 84 else 1
            texts.append(record[offset : offset + count * width].decode(_TEXT_RECORDS[kind], "replace"))
        elif kind in _BITMAP_RECORDS and size >= _BITMAP_RECORDS[kind] + 16:
            bitmaps += _bitmap(record, _BITMAP_RECORDS[kind])
        place += size
    return texts, bitmaps


def _bitmap(record: bytes, at: int) -> Iterator[bytes]:
    """A bitmap inside of a record as a file of its own."""
    head_at, head_size, bits_at, bits_size = struct.unpack_from("<4L", record, at)
    head, bits = record[head_at : head_at + head_size], record[bits_at : bits_at + bits_size]
    if len(head) >= 40 and bits:
        yield struct.pack("<2sLLL", b"BM", 14 + len(head) + len(bits), 0, 14 + len(head)) + head + bits
