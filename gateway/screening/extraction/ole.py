"""OLE compound files ([MS-CFB]): legacy Office documents, Outlook messages, embedded objects, macros."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

import olefile

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction import outlook
from gateway.screening.extraction.biff import read_workbook
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.embedded import carved_pictures, read_embedded
from gateway.screening.extraction.slides import read_slides
from gateway.screening.extraction.texts import strings
from gateway.screening.extraction.word import read_word

_STREAMS: Final = 2_000
_KNOWN: Final = frozenset(
    "worddocument workbook book powerpoint document visiodocument quill __properties_version1.0 package contents"
    " ole10native vba 1table 0table current user".split()
) | {"powerpoint document", "\x01ole10native"}
_ENCRYPTED: Final = frozenset({"encryptedpackage", "encryptioninfo", "encryptedsummary"})
_PICTURED: Final = frozenset({"pictures", "data"})


def read_ole(document: Document, descent: Descent) -> Iterator[Item]:
    """Every stream by what it is. Raises UnreadableError: ENCRYPTED, CORRUPT, UNKNOWN_TYPE when no program is known."""
    streams = _streams(document.octets, descent)
    names = {path[-1].lower() for path in streams}
    if names & _ENCRYPTED:
        raise UnreadableError(Unread.ENCRYPTED, "document")
    place = document.place
    if "__properties_version1.0" in names:
        yield from outlook.read_message(streams, place, descent)
        streams = {path: octets for path, octets in streams.items() if not outlook.is_property(path)}
    for path, octets in streams.items():
        yield from guarded(lambda: _read_stream(path, octets, streams, place, descent), place, "document")  # noqa: B023
    if not names & _KNOWN:
        raise UnreadableError(Unread.UNKNOWN_TYPE, "document")


def _streams(octets: bytes, descent: Descent) -> dict[tuple[str, ...], bytes]:
    """Path and content of each stream."""
    found: dict[tuple[str, ...], bytes] = {}
    with olefile.OleFileIO(io.BytesIO(octets)) as container:
        paths = container.listdir(streams=True, storages=False)
        if len(paths) > _STREAMS:
            raise UnreadableError(Unread.OVER_LIMIT, "members")
        for path in paths:
            with container.openstream(path) as stream:
                content = stream.read()
            descent.budget.expand(len(octets), len(content), len(content))
            found[tuple(path)] = content
    return found


def _read_stream(
    path: tuple[str, ...], octets: bytes, streams: dict[tuple[str, ...], bytes], place: str, descent: Descent
) -> Iterator[Item]:
    name = path[-1].lower()
    around = {each[-1].lower(): content for each, content in streams.items() if each[:-1] == path[:-1]}
    if name == "worddocument":
        yield from read_word(octets, around, place)
    elif name in ("workbook", "book"):
        yield from read_workbook(octets, place, descent)
    elif name == "powerpoint document":
        yield from read_slides(octets, around, place, descent)
    elif name == "\x01ole10native":
        yield from read_embedded(octets, f"{place}, embedded object", descent)
    elif name in ("package", "contents"):
        yield from descent.into(Document(octets, "", "", f"{place}, embedded object"))
    elif name.startswith("\x05"):
        yield Chunk(_with_wide(octets), f"{place}, properties")
    elif name in _PICTURED:
        yield Chunk(strings(octets), place)
        for count, picture in enumerate(carved_pictures(octets), 1):
            yield from descent.into(Document(picture, "", "", f"{place}, picture {count}"))
    else:
        yield Chunk(strings(octets), place)
        yield from _macro(octets, place)


def _with_wide(octets: bytes) -> str:
    """Short strings count too: properties are short."""
    return strings(octets, 4)


def _macro(octets: bytes, place: str) -> Iterator[Item]:
    """The source of a macro module, packed as [MS-OVBA] section 2.4.1 tells."""
    for match in re.finditer(rb"\x01..\x00Attribut", octets, re.DOTALL):
        yield Chunk(_unpacked_macro(octets[match.start() :]), f"{place}, macro")
        return


def _unpacked_macro(octets: bytes) -> str:
    out = bytearray()
    place = 1
    while place + 2 <= len(octets):
        header = int.from_bytes(octets[place : place + 2], "little")
        end = min(place + (header & 0x0FFF) + 3, len(octets))
        place += 2
        start = len(out)
        if not header & 0x8000:
            out += octets[place:end]
            place = end
        while place < end:
            flags = octets[place]
            place += 1
            for bit in range(8):
                if place >= end:
                    break
                if flags >> bit & 1:
                    _copy(out, start, int.from_bytes(octets[place : place + 2], "little"))
                    place += 2
                else:
                    out.append(octets[place])
                    place += 1
    return out.decode("cp1252", "replace")


def _copy(out: bytearray, start: int, token: int) -> None:
    bits = max((len(out) - start - 1).bit_length(), 4)
    length = (token & (0xFFFF >> bits)) + 3
    offset = (token >> 16 - bits) + 1
    if offset > len(out) - start:
        raise UnreadableError(Unread.CORRUPT, "macro")
    for _ in range(length):
        out.append(out[-offset])
