"""Outlook messages ([MS-OXMSG]): every property that is text, bodies in all forms, attachments, messages inside.

A property stands in a stream `__substg1.0_PPPPTTTT` (tag, type); attachments and recipients are storages.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.texts import readings, strings

Streams = dict[tuple[str, ...], bytes]

_PROPERTY = re.compile(r"__substg1\.0_([0-9a-f]{4})([0-9a-f]{4})(?:-[0-9a-f]{8})?", re.IGNORECASE)
_NESTED: Final = "__substg1.0_3701000d"
_TEXT: Final = {"001f": "utf-16-le", "101f": "utf-16-le", "001e": "", "101e": ""}
_SUBJECTS: Final = {"0037": "subject", "0070": "subject", "0e1d": "subject", "007d": "headers"}
_HTML: Final = "1013"
_RTF: Final = "1009"
_CONTENT: Final = "3701"
_NAMES: Final = ("3707", "3704", "3001")
_TYPE: Final = "370e"
_STARTER: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans "
    b"SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u"
    b"\\tab\\tx"
)


def is_property(path: tuple[str, ...]) -> bool:
    """Whether a stream belongs to the message itself, and not to an object kept inside of it."""
    name = path[-1].lower()
    return bool(_PROPERTY.fullmatch(name)) or name.startswith(("__properties_version", "__nameid"))


def read_message(streams: Streams, place: str, descent: Descent) -> Iterator[Item]:
    """All messages in a .msg file: storages are gone through in order, attachments are numbered as they come."""
    storages: dict[tuple[str, ...], dict[str, bytes]] = {}
    for path, octets in streams.items():
        if is_property(path):
            storages.setdefault(path[:-1], {})[path[-1].lower()] = octets
    for storage, properties in sorted(storages.items()):
        where = _place(storage, place)
        descent.budget.check("depth", descent.depth + sum(1 for name in storage if name.lower() == _NESTED))
        yield from guarded(lambda: _properties(properties, where, descent), where, "message")  # noqa: B023


def unpack_rtf(octets: bytes) -> bytes:
    """Compressed RTF ([MS-OXRTFCP]) in plain. Raises UnreadableError(CORRUPT)."""
    if len(octets) < 16:
        raise UnreadableError(Unread.CORRUPT, "rtf")
    packed, size, kind = struct.unpack_from("<LLL", octets, 0)
    if kind == 0x414C454D:
        return octets[16 : 16 + size]
    if kind != 0x75465A4C:
        raise UnreadableError(Unread.CORRUPT, "rtf")
    end = min(packed + 4, len(octets))
    out = bytearray(_STARTER)
    place = 16
    while place < end:
        flags = octets[place]
        place += 1
        for bit in range(8):
            if place + (flags >> bit & 1) >= end:
                return bytes(out[len(_STARTER) :])
            if not flags >> bit & 1:
                out.append(octets[place])
                place += 1
                continue
            offset, length = octets[place] << 4 | octets[place + 1] >> 4, (octets[place + 1] & 0x0F) + 2
            place += 2
            if not _repeat(out, offset, length):
                return bytes(out[len(_STARTER) :])
    return bytes(out[len(_STARTER) :])


def _repeat(out: bytearray, offset: int, length: int) -> bool:
    """Copy from the ring of 4,096 octets; False at the end mark, which points at the write position."""
    write = len(out) % 4_096
    if offset == write:
        return False
    back = (write - offset) % 4_096
    if back > len(out):
        raise UnreadableError(Unread.CORRUPT, "rtf")
    for _ in range(length):
        out.append(out[-back])
    return True


def _place(storage: tuple[str, ...], place: str) -> str:
    """`place, attachment 2, attachment 1` from the storages' names."""
    for name in storage:
        lower = name.lower()
        if lower.startswith("__attach"):
            digits = lower.rpartition("#")[2]
            place += f", attachment {int(digits, 16) + 1 if re.fullmatch(r'[0-9a-f]{1,8}', digits) else 0}"
        elif lower.startswith("__recip"):
            place += ", recipients"
    return place


def _properties(properties: dict[str, bytes], place: str, descent: Descent) -> Iterator[Item]:
    texts: dict[str, str] = {}
    octets: dict[str, bytes] = {}
    for name, content in properties.items():
        match = _PROPERTY.fullmatch(name)
        if match is None:
            yield Chunk(strings(content), place)
            continue
        tag, kind = match.group(1), match.group(2)
        if kind in _TEXT:
            plain = content.decode("utf-16-le", "replace") if _TEXT[kind] else "\n".join(readings(content))
            texts[tag] = f"{texts[tag]}\n{plain}" if tag in texts else plain
        elif kind == "0102":
            octets[tag] = content
    yield from _texts(texts, place)
    if _HTML in octets:
        for text in readings(octets.pop(_HTML)):
            yield Chunk(text, place, Form.HTML)
    if _RTF in octets:
        rtf = unpack_rtf(octets.pop(_RTF))
        yield from descent.into(Document(rtf, "application/rtf", "", place))
    if _CONTENT in octets:
        name = next((texts[tag] for tag in _NAMES if tag in texts), "").strip("\x00")
        declared = texts.get(_TYPE, "").strip("\x00").lower()
        yield from descent.into(Document(octets.pop(_CONTENT), declared, name, place))
    yield Chunk("\n".join(filter(None, map(strings, octets.values()))), place)


def _texts(texts: dict[str, str], place: str) -> Iterator[Item]:
    for tag, text in texts.items():
        plain = text.replace("\r\n", "\n").strip("\x00")
        if not plain.strip():
            continue
        if tag in _SUBJECTS:
            yield Chunk(plain, f"{place}, {_SUBJECTS[tag]}", Form.HEADER)
        else:
            yield Chunk(plain, place, Form.HTML if tag == _HTML else Form.TEXT)
