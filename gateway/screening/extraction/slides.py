"""PowerPoint 97 to 2003 ([MS-PPT]): text atoms wherever they hang, embedded objects, pictures."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.unpacking import unzlib

_WIDE: Final = frozenset({0x0FA0, 0x0FBA})
_NARROW: Final = 0x0FA8
_OBJECT: Final = 0x1011
_CRYPTED: Final = 0x2F14
_CRYPTED_USER: Final = b"\xdf\xc4\xd1\xf3"
_RECORDS: Final = 200_000


def read_slides(octets: bytes, streams: dict[str, bytes], place: str, descent: Descent) -> Iterator[Item]:
    """All text of a PowerPoint Document stream; objects embedded in it as documents. Raises UnreadableError."""
    if _CRYPTED_USER in streams.get("current user", b"")[:20]:
        raise UnreadableError(Unread.ENCRYPTED, "presentation")
    words: list[str] = []
    objects: list[bytes] = []
    for instance, kind, body in _atoms(octets):
        if kind in _WIDE:
            words.append(body.decode("utf-16-le", "replace"))
        elif kind == _NARROW:
            words.append(body.decode("cp1252", "replace"))
        elif kind == _OBJECT:
            objects.append(unzlib(body[4:], descent.budget) if instance else body)
        elif kind == _CRYPTED:
            raise UnreadableError(Unread.ENCRYPTED, "presentation")
    yield Chunk("\n".join(words).replace("\r", "\n").replace("\x0b", "\n"), place)
    for count, content in enumerate(objects, 1):
        nested = f"{place}, embedded object {count}"
        yield from guarded(lambda: descent.into(Document(content, "", "", nested)), nested)  # noqa: B023


def _atoms(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Instance, type and body of each record that holds no others; containers are walked through."""
    place = 0
    for _ in range(_RECORDS):
        if place + 8 > len(octets):
            return
        head, kind, size = struct.unpack_from("<HHL", octets, place)
        place += 8
        if head & 0x0F == 0x0F:
            if kind == _CRYPTED:
                yield head >> 4, kind, b""
            continue
        yield head >> 4, kind, octets[place : place + size]
        place += size
    raise UnreadableError(Unread.OVER_LIMIT, "members")
