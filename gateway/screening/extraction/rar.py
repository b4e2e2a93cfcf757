"""RAR 4 and 5: names, comments and what is only stored are read by ourselves, the rest by libarchive where it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.archives import libarchive, read_by_libarchive
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError

_FOUR: Final = b"Rar!\x1a\x07\x00"
_FIVE: Final = b"Rar!\x1a\x07\x01\x00"
_BLOCKS: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file; `octets` are packed unless `is_stored`."""

    name: str
    octets: bytes
    is_stored: bool
    is_encrypted: bool
    is_folder: bool = False


def read_rar(document: Document, descent: Descent) -> Iterator[Item]:
    """Each file of the archive. Raises UnreadableError: ENCRYPTED, CORRUPT, UNKNOWN_TYPE without libarchive."""
    octets = document.octets
    entries = list(_entries_of_five(octets) if octets.startswith(_FIVE) else _entries_of_four(octets))
    descent.budget.check("members", len(entries))
    if any(entry.is_encrypted for entry in entries):
        yield from (Chunk(entry.name, document.place, Form.FILE_NAME) for entry in entries)
        raise UnreadableError(Unread.ENCRYPTED, "rar")
    if libarchive() is not None:
        yield from (Chunk(entry.name, document.place, Form.FILE_NAME) for entry in entries)
        yield from read_by_libarchive(document, descent)
        return
    for count, entry in enumerate(entries, 1):
        place = f"{document.place}, member {count}"
        if entry.is_stored:
            descent.budget.expand(len(entry.octets), len(entry.octets), len(entry.octets))
            yield from descent.into(Document(entry.octets, "", entry.name, place))
        else:
            yield Chunk(entry.name, place, Form.FILE_NAME)
    if not all(entry.is_stored or entry.is_folder for entry in entries):
        raise UnreadableError(Unread.UNKNOWN_TYPE, "rar")


def _entries_of_four(octets: bytes) -> Iterator[_Entry]:
    place = len(_FOUR)
    for _ in range(_BLOCKS):
        if place + 7 > len(octets):
            return
        _, kind, flags, size = struct.unpack_from("<HBHH", octets, place)
        if size < 7:
            raise UnreadableError(Unread.CORRUPT, "rar")
        added = struct.unpack_from("<L", octets, place + 7)[0] if flags & 0x8000 or kind in (0x74, 0x7A) else 0
        if kind == 0x73 and flags & 0x0080:
            raise UnreadableError(Unread.ENCRYPTED, "rar")
        if kind == 0x7B:
            return
        if kind in (0x74, 0x7A):
            yield _entry_of_four(octets, place, flags, size, added)
        place += size + added
    raise UnreadableError(Unread.OVER_LIMIT, "members")


def _entry_of_four(octets: bytes, place: int, flags: int, size: int, added: int) -> _Entry:
    method, name_size = octets[place + 25], struct.unpack_from("<H", octets, place + 26)[0]
    start = place + 32 + (8 if flags & 0x0100 else 0)
    name, _, wide = octets[start : start + name_size].partition(b"\x00")
    del wide  # the packed form of the same name
    try:
        told = name.decode("utf-8")
    except UnicodeDecodeError:
        told = name.decode("cp1252", "replace")
    content = octets[place + size : place + size + added]
    return _Entry(told, content, method == 0x30, bool(flags & 0x04), flags & 0xE0 == 0xE0)


def _entries_of_five(octets: bytes) -> Iterator[_Entry]:
    place = len(_FIVE)
    for _ in range(_BLOCKS):
        if place + 6 > len(octets):
            return
        size, body = _varint(octets, place + 4)
        end = body + size
        kind, at = _varint(octets, body)
        flags, at = _varint(octets, at)
        extra, at = _varint(octets, at) if flags & 1 else (0, at)
        added, at = _varint(octets, at) if flags & 2 else (0, at)
        if kind == 4:
            raise UnreadableError(Unread.ENCRYPTED, "rar")
        if kind == 5:
            return
        if kind in (2, 3):
            yield _entry_of_five(octets, at, octets[end - extra : end], octets[end : end + added])
        place = end + added
    raise UnreadableError(Unread.OVER_LIMIT, "members")


def _entry_of_five(octets: bytes, at: int, extra: bytes, content: bytes) -> _Entry:
    flags, at = _varint(octets, at)
    _, at = _varint(octets, at)  # size
    _, at = _varint(octets, at)  # attributes
    at += (4 if flags & 2 else 0) + (4 if flags & 4 else 0)
    method, at = _varint(octets, at)
    _, at = _varint(octets, at)  # system
    size, at = _varint(octets, at)
    name = octets[at : at + size].decode("utf-8", "replace")
    return _Entry(name, content, method >> 7 & 7 == 0, _has_key(extra), bool(flags & 1))


def _has_key(extra: bytes) -> bool:
    """Whether a file's extra records hold the one that tells of encryption."""
    place = 0
    while place < len(extra):
        size, body = _varint(extra, place)
        kind, _ = _varint(extra, body)
        if kind == 1:
            return True
        place = body + max(size, 1)
    return False


def _varint(octets: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(10):
        if place >= len(octets):
            raise UnreadableError(Unread.CORRUPT, "cut")
        octet = octets[place]
        place += 1
        value |= (octet & 0x7F) << 7 * count
        if octet < 0x80:
            return value, place
    raise UnreadableError(Unread.CORRUPT, "rar")
