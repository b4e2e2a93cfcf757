"""Objects embedded in documents: OLE 1.0 ([MS-OLEDS] section 2.2), packages, and pictures found by their marks."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item
from gateway.screening.extraction.texts import strings

_STARTS = re.compile(
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|PK\x03\x04|%PDF-|\{\\rt|\x89PNG\r\n\x1a\n|\xff\xd8\xff[\xdb\xe0-\xef]|GIF8[79]a"
)
_PICTURES = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff[\xdb\xe0-\xef]")
_PNG_END: Final = b"IEND\xaeB`\x82"
_MOST_PICTURES: Final = 200


def read_embedded(octets: bytes, place: str, descent: Descent) -> Iterator[Item]:
    """What an OLE 1.0 object holds: a package's file with its names, or the document that begins inside of it."""
    content = _native_data(octets)
    package = _package(content)
    if package is not None:
        names, inner = package
        for name in names:
            yield Chunk(name, place, Form.FILE_NAME)
        yield from descent.into(Document(inner, "", names[0] if names else "", place))
        return
    start = _STARTS.search(content[:4_096])
    if start is not None:
        yield Chunk(strings(content[: start.start()]), place)
        yield from descent.into(Document(content[start.start() :], "", "", place))
    else:
        yield from descent.into(Document(content, "", "", place))


def carved_pictures(octets: bytes) -> Iterator[bytes]:
    """Pictures in PNG and JPEG that begin anywhere in octets; what follows them is left to the reader to ignore."""
    for count, match in enumerate(_PICTURES.finditer(octets)):
        if count >= _MOST_PICTURES:
            return
        start = match.start()
        if match.group().startswith(b"\x89"):
            end = octets.find(_PNG_END, start)
            yield octets[start : end + len(_PNG_END)] if end >= 0 else octets[start:]
        else:
            end = octets.find(b"\xff\xd9", start)
            following = _PICTURES.search(octets, match.end())
            last = octets.rfind(b"\xff\xd9", start, following.start() if following else len(octets))
            yield octets[start : max(end, last) + 2]


def _native_data(octets: bytes) -> bytes:
    """The data of an OLE 1.0 object; octets that are none stay as they are."""
    if len(octets) < 16 or octets[4:8] != b"\x02\x00\x00\x00":
        return octets
    place = 8
    for _ in range(3):  # class, topic, item
        size = struct.unpack_from("<L", octets, place)[0] if place + 4 <= len(octets) else len(octets)
        place += 4 + size
    return octets[place + 4 :] if place + 4 <= len(octets) else octets


def _package(octets: bytes) -> tuple[list[str], bytes] | None:
    """The names and the file of an Ole10Native stream; None for anything else."""
    for start in (0, 4):
        if octets[start : start + 2] != b"\x02\x00":
            continue
        ends = [start + 2]
        for _ in range(2):  # label, path
            ends.append(octets.find(b"\x00", ends[-1]) + 1)
            if not 0 < ends[-1] <= start + 4_096:
                return None
        place = ends[2] + 4
        if place + 4 > len(octets):
            return None
        temp = struct.unpack_from("<L", octets, place)[0]
        place += 4 + temp
        if place + 4 > len(octets):
            return None
        size = struct.unpack_from("<L", octets, place)[0]
        names = [octets[begin : end - 1].decode("cp1252", "replace") for begin, end in pairwise(ends)]
        names = [name.replace("\\", "/").rpartition("/")[2] for name in names]
        return list(dict.fromkeys(filter(None, names))), octets[place + 4 : place + 4 + size]
    return None
