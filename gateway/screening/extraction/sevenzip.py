"""7z archives by their own description (7zFormat.txt), unpacked by the codecs of the standard library, in memory.

What it cannot unpack (PPMd, BCJ2) is left to libarchive where that is there, else unscreenable; AES is encrypted.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.archives import read_by_libarchive
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError, guarded
from gateway.screening.extraction.sevenzip_table import Archive, Folder, Table
from gateway.screening.extraction.unpacking import inflate, unbzip2, unlzma

_EMPTY: Final = 32  # octets of an archive that holds nothing
_AES: Final = b"\x06\xf1\x07\x01"
_COPY: Final = b"\x00"
_DEFLATE: Final = b"\x04\x01\x08"
_BZIP2: Final = b"\x04\x02\x02"
_FILTERS: Final = {
    b"\x03": lzma.FILTER_DELTA,
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}
_LZMA1: Final = b"\x03\x01\x01"
_LZMA2: Final = b"\x21"


def read_seven_zip(document: Document, descent: Descent) -> Iterator[Item]:
    """Each file of the archive, its name before it. Raises UnreadableError: ENCRYPTED, CORRUPT, UNKNOWN_TYPE."""
    archive = _open(document.octets, descent)
    with_content = [name for name, is_empty in zip(archive.names, archive.empty, strict=True) if not is_empty]
    for name, is_empty in zip(archive.names, archive.empty, strict=True):
        if is_empty:
            yield Chunk(name, document.place, Form.FILE_NAME)
    if any(_AES in (method for method, _ in folder.coders) for folder in archive.folders):
        yield from (Chunk(name, document.place, Form.FILE_NAME) for name in with_content)
        raise UnreadableError(Unread.ENCRYPTED, "7z")
    if not all(map(_is_ours, archive.folders)):
        yield from read_by_libarchive(document, descent)
        return
    place, count = 32 + archive.position, 0
    packed_sizes = iter(archive.packed)
    for folder in archive.folders:
        size = next(packed_sizes, 0)
        where = f"{document.place}, member {count + 1}"
        names = with_content[count : count + len(folder.files)]
        packed = document.octets[place : place + size]
        yield from guarded(lambda: _files(folder, packed, names, count, document.place, descent), where, "7z")  # noqa: B023
        count += len(folder.files)
        place += size


def _files(folder: Folder, packed: bytes, names: list[str], count: int, place: str, descent: Descent) -> Iterator[Item]:
    content = _unpack(folder, packed, descent)
    at = 0
    for number, size in enumerate(folder.files):
        name = names[number] if number < len(names) else ""
        yield from descent.into(Document(content[at : at + size], "", name, f"{place}, member {count + number + 1}"))
        at += size
    if at > len(content):
        raise UnreadableError(Unread.CORRUPT, "cut")


def _is_ours(folder: Folder) -> bool:
    known = {_COPY, _DEFLATE, _BZIP2, _LZMA1, _LZMA2, *_FILTERS}
    return folder.is_plain and folder.inputs == 1 and all(method in known for method, _ in folder.coders)


def _unpack(folder: Folder, packed: bytes, descent: Descent) -> bytes:
    """The octets of all files in a row. The order of coders is not fixed; liblzma wants the packing one last."""
    size = folder.size
    descent.budget.check("expanded_one", size)
    chain: list[dict[str, int]] = []
    for method, properties in folder.coders:
        if method == _COPY:
            continue
        if method in (_DEFLATE, _BZIP2):
            if chain:
                raise UnreadableError(Unread.UNKNOWN_TYPE, "packing method")
            return inflate(packed, descent.budget) if method == _DEFLATE else unbzip2(packed, descent.budget)
        chain.append(_filter(method, properties))
    if not chain:
        descent.budget.expand(len(packed), len(packed), len(packed))
        return packed
    if chain[0]["id"] in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2):
        chain.reverse()
    return unlzma(packed, descent.budget, chain)[:size]


def _filter(method: bytes, properties: bytes) -> dict[str, int]:
    if method == _LZMA1 and len(properties) >= 5:
        first = properties[0]
        size = max(int.from_bytes(properties[1:5], "little"), 4_096)
        return {"id": lzma.FILTER_LZMA1, "lc": first % 9, "lp": first // 9 % 5, "pb": first // 45, "dict_size": size}
    if method == _LZMA2 and properties:
        bits = properties[0]
        size = 0xFFFFFFFF if bits >= 40 else (2 | bits & 1) << bits // 2 + 11
        return {"id": lzma.FILTER_LZMA2, "dict_size": size}
    if method == b"\x03":
        return {"id": lzma.FILTER_DELTA, "dist": (properties[0] if properties else 0) + 1}
    if method in _FILTERS:
        return {"id": _FILTERS[method]}
    raise UnreadableError(Unread.UNKNOWN_TYPE, "packing method")


def _open(octets: bytes, descent: Descent) -> Archive:
    """The archive's table, unpacked itself when it is packed."""
    if len(octets) < 32:
        raise UnreadableError(Unread.CORRUPT, "7z")
    offset = int.from_bytes(octets[12:20], "little")
    size = int.from_bytes(octets[20:28], "little")
    table = octets[32 + offset : 32 + offset + size]
    if len(table) < size or zlib.crc32(table) != int.from_bytes(octets[28:32], "little"):
        raise UnreadableError(Unread.CORRUPT, "7z")
    if not table and len(octets) > _EMPTY:
        raise UnreadableError(Unread.CORRUPT, "7z")
    if not table:
        return Archive()
    for _ in range(4):
        reader = Table(table, descent.budget)
        if table[0] == 0x01:
            return reader.archive()
        if table[0] != 0x17:
            break
        reader.byte()
        inner = reader.streams()
        if len(inner.folders) != 1 or not inner.packed:
            break
        if any(method == _AES for method, _ in inner.folders[0].coders):
            raise UnreadableError(Unread.ENCRYPTED, "7z")
        start = 32 + inner.position
        table = _unpack(inner.folders[0], octets[start : start + inner.packed[0]], descent)
    raise UnreadableError(Unread.CORRUPT, "7z")
