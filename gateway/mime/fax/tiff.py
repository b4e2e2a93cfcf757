"""Pages of a TIFF file by its own directories (TIFF 6.0 section 2): walked with caps, nothing is unpacked or believed.

A fax's pages are counted and compared here; whether they can be read as pictures is for those who look at them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

MAX_PAGES: Final = 2_000
_MAX_ENTRIES: Final = 200
_MAX_STRIPS: Final = 20_000
_ALL_STRIPS: Final = 200_000
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL = 254, 256, 257, 259, 262, 266
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES, _T4 = 273, 279, 324, 325, 292
_KEPT: Final = frozenset({
    _SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL, _STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES, _T4,
})  # fmt: skip
_REDUCED: Final = 1  # bit of NewSubfileType: a smaller picture of another page


class _Broken(Exception):
    """A directory says what cannot be."""


@dataclass(frozen=True, slots=True)
class TiffPages:
    """The pages found: for each a digest of its picture's own octets. `fault` is why the walk ended early, else "".

    Faults: not-tiff, truncated, loop, entries, strips, too-many-pages.
    """

    digests: tuple[bytes, ...] = field(repr=False)
    fault: str = ""


def is_tiff(octets: bytes) -> bool:
    """Tell by the first octets."""
    return octets[:4] in (b"II*\0", b"MM\0*")


def read_tiff(octets: bytes) -> TiffPages:
    """Walk the directories. Never raises: what was found before a fault is returned with it."""
    if not is_tiff(octets):
        return TiffPages((), "not-tiff")
    order = "<" if octets[:2] == b"II" else ">"
    digests: list[bytes] = []
    strips = 0
    try:
        for entries in _directories(octets, order):
            strips += len(entries.get(_STRIPS, ())) + len(entries.get(_TILES, ()))
            if strips > _ALL_STRIPS:
                return TiffPages(tuple(digests), "strips")
            if not _first(entries, _SUBFILE) & _REDUCED:
                digests.append(_digest(octets, entries))
            if len(digests) > MAX_PAGES:
                return TiffPages(tuple(digests[:MAX_PAGES]), "too-many-pages")
    except _Broken as problem:
        return TiffPages(tuple(digests), str(problem))
    return TiffPages(tuple(digests), "" if digests else "truncated")


_Entries = dict[int, tuple[int, ...]]


def _directories(octets: bytes, order: str) -> Iterator[_Entries]:
    seen: set[int] = set()
    at = _number(octets, order, "I", 4)
    while at:
        if at in seen:
            raise _Broken("loop")
        if len(seen) > 2 * MAX_PAGES:
            raise _Broken("too-many-pages")
        seen.add(at)
        count = _number(octets, order, "H", at)
        if not 0 < count <= _MAX_ENTRIES:
            raise _Broken("entries")
        end = at + 2 + 12 * count
        yield {
            tag: _values(octets, order, kind, number, place)
            for place in range(at + 2, end, 12)
            for tag, kind, number in [_entry(octets, order, place)]
            if tag in _KEPT
        }
        at = _number(octets, order, "I", end)


def _entry(octets: bytes, order: str, place: int) -> tuple[int, int, int]:
    if place + 12 > len(octets):
        raise _Broken("truncated")
    tag, kind, number = struct.unpack_from(f"{order}HHI", octets, place)
    return tag, kind, number


def _values(octets: bytes, order: str, kind: int, number: int, place: int) -> tuple[int, ...]:
    """Return an entry's whole numbers (types BYTE, SHORT, LONG)."""
    letter = {1: "B", 3: "H", 4: "I"}.get(kind)
    if letter is None:
        return ()
    if number > _MAX_STRIPS:
        raise _Broken("strips")
    size = _SIZES[kind] * number
    at = place + 8 if size <= 4 else _number(octets, order, "I", place + 8)
    if at + size > len(octets):
        raise _Broken("truncated")
    return struct.unpack_from(f"{order}{number}{letter}", octets, at)


def _number(octets: bytes, order: str, letter: str, at: int) -> int:
    if at + struct.calcsize(letter) > len(octets):
        raise _Broken("truncated")
    return int(struct.unpack_from(order + letter, octets, at)[0])


def _first(entries: _Entries, tag: int) -> int:
    return (entries.get(tag) or (0,))[0]


def _digest(octets: bytes, entries: _Entries) -> bytes:
    """Return a digest of one page's picture: the same page in another file, or at another place in it, has the same."""
    starts, sizes = entries.get(_STRIPS, ()), entries.get(_STRIP_SIZES, ())
    if not starts:
        starts, sizes = entries.get(_TILES, ()), entries.get(_TILE_SIZES, ())
    if not starts or len(starts) != len(sizes):
        raise _Broken("strips")
    digest = hashlib.sha256(
        repr([_first(entries, tag) for tag in (_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _FILL, _T4)]).encode()
    )
    left = len(octets)  # strips that overlap a thousand times make no work
    for start, size in zip(starts, sizes, strict=True):
        left -= size
        if start + size > len(octets) or left < 0:
            raise _Broken("truncated")
        digest.update(memoryview(octets)[start : start + size])
    return digest.digest()
