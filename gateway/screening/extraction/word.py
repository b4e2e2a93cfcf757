"""Word 97 to 2003 ([MS-DOC]): text by the piece table, which covers notes, headers, comments and text boxes alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Item, UnreadableError
from gateway.screening.extraction.texts import strings

_MAGIC: Final = 0xA5EC
_MARKS: Final = str.maketrans(
    {7: "\t", 19: " ", 20: " ", 21: " ", 30: "-"}
    | dict.fromkeys((11, 12, 13, 14), "\n")
    | dict.fromkeys((0, 1, 2, 3, 4, 5, 8, 31))
)


def read_word(octets: bytes, streams: dict[str, bytes], place: str) -> Iterator[Item]:
    """The text of a WordDocument stream, then what else of it looks like text (older versions, saved fast).

    `streams`: those beside it by lower-case name. Raises UnreadableError(ENCRYPTED).
    """
    if len(octets) < 0x20:
        raise UnreadableError(Unread.CORRUPT, "document")
    flags = struct.unpack_from("<H", octets, 0x0A)[0]
    if flags & 0x0100:
        raise UnreadableError(Unread.ENCRYPTED, "document")
    table = streams.get("1table" if flags & 0x0200 else "0table", b"")
    text = _by_pieces(octets, table)
    if text.strip():
        yield Chunk(text.translate(_MARKS), place)
    yield Chunk(strings(octets, 5), place)
    if table:
        yield Chunk(strings(table, 5), place)


def _by_pieces(octets: bytes, table: bytes) -> str:
    """The pieces in the order of the document ([MS-DOC] section 2.4.1); "" when there is no table of them."""
    if struct.unpack_from("<H", octets, 0)[0] != _MAGIC or len(octets) < 0x01AA:
        return ""
    start, size = struct.unpack_from("<LL", octets, 0x01A2)
    place, end = start, min(start + size, len(table))
    while place + 3 <= end and table[place] == 1:
        place += 3 + struct.unpack_from("<H", table, place + 1)[0]
    if place + 5 > end or table[place] != 2:
        return ""
    count = (struct.unpack_from("<L", table, place + 1)[0] - 4) // 12
    if count <= 0 or place + 5 + 12 * count + 4 > len(table):
        return ""
    bounds = struct.unpack_from(f"<{count + 1}L", table, place + 5)
    pieces: list[str] = []
    total = 0
    for number in range(count):
        where = struct.unpack_from("<L", table, place + 5 + 4 * (count + 1) + 8 * number + 2)[0]
        piece = _piece(octets, where, bounds[number + 1] - bounds[number])
        total += len(piece)
        if total > 2 * len(octets):
            raise UnreadableError(Unread.CORRUPT, "overlap")
        pieces.append(piece)
    return "".join(pieces)


def _piece(octets: bytes, where: int, characters: int) -> str:
    characters = max(characters, 0)
    if where & 0x40000000:
        at = (where & 0x3FFFFFFF) // 2
        return octets[at : at + characters].decode("cp1252", "replace")
    return octets[where : where + 2 * characters].decode("utf-16-le", "replace")
