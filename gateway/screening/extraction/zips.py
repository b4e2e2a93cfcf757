"""The structure of zip files (APPNOTE 6.3), read by ourselves: every member that any reader could find.

Central directory and local headers are both walked, since programs differ in which of them they believe. A member
that only one of them names is read all the same; members that share octets are a bomb and refused.
"""

from __future__ import annotations

import lzma
import re
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Budget
from gateway.screening.extraction.descent import UnreadableError
from gateway.screening.extraction.unpacking import inflate, unbzip2, unlzma

_CENTRAL: Final = b"PK\x01\x02"
_LOCAL: Final = b"PK\x03\x04"
_DESCRIPTOR: Final = b"PK\x07\x08"
_END: Final = b"PK\x05\x06"
_ANY = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x07\x08|\x05\x06|\x06\x06)")
_HUGE: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: where its packed octets lie, and how they are packed."""

    name: str
    comment: str
    start: int
    packed: int
    size: int
    method: int
    check: int
    is_encrypted: bool

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's entry, which holds nothing."""
        return self.name.endswith(("/", "\\")) and not self.size and not self.packed


@dataclass(frozen=True, slots=True)
class Zip:
    """What a zip file holds: members in the order of their octets, the archive's comment, and whether it is whole."""

    members: tuple[Member, ...]
    comment: str
    is_whole: bool


def open_zip(octets: bytes, budget: Budget) -> Zip:
    """The members of a zip file. Raises UnreadableError when nothing can be found or members overlap, OverBudgetError
    when there are too many.
    """
    central = _directory(octets, budget)
    _refuse_overlaps(central)
    stray = _stray_members(octets, central, budget)
    if not central and not stray and _END not in octets:
        raise UnreadableError(Unread.CORRUPT, "zip")
    members = sorted(central + stray, key=lambda member: member.start)
    return Zip(tuple(members), _comment(octets), bool(central) or not stray)


def unpack(member: Member, octets: bytes, budget: Budget) -> bytes:
    """The content of one member. Raises UnreadableError: encrypted, corrupt, or packed by a method we do not have."""
    if member.is_encrypted:
        raise UnreadableError(Unread.ENCRYPTED, "zip")
    packed = octets[member.start : member.start + member.packed]
    if len(packed) < member.packed:
        raise UnreadableError(Unread.CORRUPT, "cut")
    content = _by_method(member, packed, budget)
    if zlib.crc32(content) != member.check and member.check:
        raise UnreadableError(Unread.CORRUPT, "checksum")
    return content


def _by_method(member: Member, packed: bytes, budget: Budget) -> bytes:
    if member.method == 0:
        budget.expand(len(packed), len(packed), len(packed))
        return packed
    if member.method == 8:
        return inflate(packed, budget)
    if member.method == 12:
        return unbzip2(packed, budget)
    if member.method == 14 and len(packed) > 9:
        return unlzma(packed[9:], budget, [_lzma_filter(packed[4:9])])[: member.size]
    raise UnreadableError(Unread.UNKNOWN_TYPE, "packing method")


def _lzma_filter(properties: bytes) -> dict[str, int]:
    first = properties[0]
    return {
        "id": lzma.FILTER_LZMA1,
        "lc": first % 9,
        "lp": first // 9 % 5,
        "pb": first // 45,
        "dict_size": int.from_bytes(properties[1:5], "little"),
    }


def _comment(octets: bytes) -> str:
    end = octets.rfind(_END)
    return _text(octets[end + 22 :], 0) if end >= 0 else ""


def _text(octets: bytes, flags: int) -> str:
    if flags & 0x800 or octets.isascii():
        return octets.decode("utf-8", "replace")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp437")


def _directory(octets: bytes, budget: Budget) -> list[Member]:
    """The members that the central directory tells of, which the record at the end points to."""
    end = octets.rfind(_END)
    if end < 0 or end + 22 > len(octets):
        return []
    shift = _shift(octets)
    place = struct.unpack_from("<L", octets, end + 16)[0] + shift
    if place >= _HUGE:
        place = _wide_start(octets, end)
    found: list[Member] = []
    while octets[place : place + 4] == _CENTRAL and place + 46 <= len(octets):
        member, place = _central_member(octets, place, shift)
        found += [member] if member is not None else []
        budget.check("members", len(found))
    return found


def _wide_start(octets: bytes, end: int) -> int:
    """Where the directory begins by the Zip64 record (APPNOTE 4.3.14)."""
    wide = octets.rfind(b"PK\x06\x06", 0, end)
    return int(struct.unpack_from("<Q", octets, wide + 48)[0]) if 0 <= wide <= len(octets) - 56 else 0


def _central_member(octets: bytes, place: int, shift: int) -> tuple[Member | None, int]:
    """The member of a header in the directory, None for a folder without data; and where the next header begins."""
    fields = struct.unpack_from("<4s6H3L5H2L", octets, place)
    flags, method, check, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
    name_end = place + 46 + fields[10]
    extra_end = name_end + fields[11]
    note_end = extra_end + fields[12]
    name, extra, note = octets[place + 46 : name_end], octets[name_end:extra_end], octets[extra_end:note_end]
    size, packed, offset = _wide(extra, size, packed, fields[16])
    start = _data_start(octets, offset + shift)
    if start is None and not name.endswith(b"/"):
        raise UnreadableError(Unread.CORRUPT, "zip")
    if start is None:
        return None, note_end
    is_encrypted = bool(flags & 0x2041)
    told = Member(_name(name, extra, flags), _text(note, flags), start, packed, size, method, check, is_encrypted)
    return told, note_end


def _shift(octets: bytes) -> int:
    """How many octets stand before the archive: offsets are counted without them by some, with them by others."""
    end = octets.rfind(_END)
    if end < 0 or end + 22 > len(octets):
        return 0
    size, offset = struct.unpack_from("<LL", octets, end + 12)
    shift = end - size - offset
    if shift <= 0 or _HUGE in (size, offset):
        return 0
    return shift if octets[shift + offset : shift + offset + 4] == _CENTRAL else 0


def _name(name: bytes, extra: bytes, flags: int) -> str:
    """The member's name; the Unicode path field (APPNOTE 4.6.9) stands beside it where it says something else."""
    plain = _text(name, flags)
    other = _extra_field(extra, 0x7075)
    unicode_name = other[5:].decode("utf-8", "replace") if len(other) > 5 else plain
    return plain if unicode_name == plain else f"{plain} {unicode_name}"


def _extra_field(extra: bytes, wanted: int) -> bytes:
    place = 0
    while place + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, place)
        if kind == wanted:
            return extra[place + 4 : place + 4 + size]
        place += 4 + size
    return b""


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset by the Zip64 field where the header has no room (APPNOTE 4.5.3)."""
    wide = _extra_field(extra, 0x0001)
    values = [int.from_bytes(wide[at : at + 8], "little") for at in range(0, len(wide) - 7, 8)]
    told = [values.pop(0) if value == _HUGE and values else value for value in (size, packed, offset)]
    return told[0], told[1], told[2]


def _data_start(octets: bytes, place: int) -> int | None:
    if octets[place : place + 4] != _LOCAL or place + 30 > len(octets):
        return None
    name_size, extra_size = struct.unpack_from("<HH", octets, place + 26)
    return place + 30 + int(name_size) + int(extra_size)


def _refuse_overlaps(members: list[Member]) -> None:
    spans = sorted({(member.start, member.start + member.packed) for member in members if member.packed})
    if len(spans) < sum(1 for member in members if member.packed):
        raise UnreadableError(Unread.CORRUPT, "overlap")
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        raise UnreadableError(Unread.CORRUPT, "overlap")


def _stray_members(octets: bytes, central: list[Member], budget: Budget) -> list[Member]:
    """Members by their local headers, outside of what the central directory's members take up."""
    spans = sorted((member.start, member.start + member.packed) for member in central)
    ends = dict(spans)
    found: list[Member] = []
    place = octets.find(_LOCAL)
    while place >= 0:
        start = _data_start(octets, place)
        inside = ends.get(start) if start in ends else _end_around(spans, place)
        if inside is not None or start is None:
            place = octets.find(_LOCAL, max(inside or 0, place + 4))
            continue
        member = _local_member(octets, place, start)
        found.append(member)
        budget.check("members", len(found))
        place = octets.find(_LOCAL, max(start, member.start + member.packed))
    return found


def _end_around(spans: list[tuple[int, int]], place: int) -> int | None:
    return next((end for start, end in spans if start <= place < end), None)


def _local_member(octets: bytes, place: int, start: int) -> Member:
    fields = struct.unpack_from("<4s5H3L2H", octets, place)
    flags, method, check, packed, size = fields[2], fields[3], fields[6], fields[7], fields[8]
    name = octets[place + 30 : place + 30 + fields[9]]
    extra = octets[place + 30 + fields[9] : start]
    size, packed, _ = _wide(extra, size, packed, 0)
    if flags & 0x08 and not packed:  # sizes follow the data: up to the next signature
        after = _ANY.search(octets, start)
        packed = (after.start() if after else len(octets)) - start
        check = 0
    return Member(_name(name, extra, flags), "", start, packed, size, method, check, bool(flags & 0x2041))
