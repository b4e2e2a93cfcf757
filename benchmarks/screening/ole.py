"""Compound files (MS-CFB) written small: Outlook messages, and Word documents of the old kind."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from random import Random

from benchmarks.screening import filler
from benchmarks.screening.files import File, Maker, name, prose
from benchmarks.screening.marks import unmarked
from benchmarks.screening.passages import Passage

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


@dataclass
class _Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    octets: bytes = b""
    children: list[int] = field(default_factory=list)
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    start: int = _END


def compound(tree: dict[str, object]) -> bytes:
    """A compound file: texts are names, `bytes` streams, dicts storages."""
    entries = [_Entry("Root Entry", 5)]
    _collect(entries, 0, tree)
    for entry in entries:
        entry.child = _balanced(
            entries, sorted(entry.children, key=lambda at: (len(entries[at].name), entries[at].name.upper()))
        )
    mini, sectors, chains = _place(entries)
    entries[0].octets = mini
    entries[0].start = _store(sectors, chains, mini)
    mini_chain = _mini_chain(entries)
    mini_start = _store(sectors, chains, mini_chain)
    directory = b"".join(map(_directory_entry, entries))
    directory += _directory_entry(_Entry("", 0)) * (-len(entries) % 4)
    directory_start = _store(sectors, chains, directory)
    return _file(sectors, chains, directory_start, mini_start, len(mini_chain) // _SECTOR)


def _collect(entries: list[_Entry], parent: int, tree: dict[str, object]) -> None:
    for title, value in tree.items():
        entries.append(_Entry(title, 2, value) if isinstance(value, bytes) else _Entry(title, 1))
        at = len(entries) - 1
        entries[parent].children.append(at)
        if isinstance(value, dict):
            _collect(entries, at, value)


def _balanced(entries: list[_Entry], ordered: list[int]) -> int:
    """The root of a balanced tree of siblings (MS-CFB section 2.6.4)."""
    if not ordered:
        return _NONE
    middle = len(ordered) // 2
    entries[ordered[middle]].left = _balanced(entries, ordered[:middle])
    entries[ordered[middle]].right = _balanced(entries, ordered[middle + 1 :])
    return ordered[middle]


def _place(entries: list[_Entry]) -> tuple[bytes, list[bytes], list[int]]:
    """Large streams into sectors, small ones into the mini stream, which is returned."""
    sectors: list[bytes] = []
    chains: list[int] = []
    mini = b""
    for entry in entries:
        if entry.kind == 2 and len(entry.octets) >= _CUTOFF:
            entry.start = _store(sectors, chains, entry.octets)
        elif entry.kind == 2 and entry.octets:
            entry.start = len(mini) // _MINI
            mini += entry.octets + bytes(-len(entry.octets) % _MINI)
    return mini, sectors, chains


def _mini_chain(entries: list[_Entry]) -> bytes:
    links: list[int] = []
    for entry in entries:
        if entry.kind == 2 and 0 < len(entry.octets) < _CUTOFF:
            count = -(-len(entry.octets) // _MINI)
            links += [*range(len(links) + 1, len(links) + count), _END]
    links += [_FREE] * (-len(links) % (_SECTOR // 4))
    return struct.pack(f"<{len(links)}I", *links)


def _store(sectors: list[bytes], chains: list[int], octets: bytes) -> int:
    """Append `octets` as a chain; its first sector."""
    if not octets:
        return _END
    first = len(sectors)
    padded = octets + bytes(-len(octets) % _SECTOR)
    sectors += [padded[at : at + _SECTOR] for at in range(0, len(padded), _SECTOR)]
    chains += [*range(first + 1, len(sectors)), _END]
    return first


def _directory_entry(entry: _Entry) -> bytes:
    title = entry.name.encode("utf-16-le")
    size = len(entry.octets) if entry.kind in {2, 5} else 0
    start = entry.start if entry.kind in {2, 5} else 0
    head = title.ljust(64, b"\0") + struct.pack(
        "<HBBIII", len(title) + 2 if entry.kind else 0, entry.kind, 1, entry.left, entry.right, entry.child
    )
    return head + bytes(16) + bytes(4) + bytes(16) + struct.pack("<IQ", start, size)


def _file(sectors: list[bytes], chains: list[int], directory: int, mini: int, mini_count: int) -> bytes:
    fat_count = 1
    while fat_count * (_SECTOR // 4) < len(sectors) + fat_count:
        fat_count += 1
    first_fat = len(sectors)
    links = [*chains, *[_FAT] * fat_count]
    links += [_FREE] * (fat_count * (_SECTOR // 4) - len(links))
    fat = struct.pack(f"<{len(links)}I", *links)
    places = [*range(first_fat, first_fat + fat_count)] + [_FREE] * (109 - fat_count)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack(
        "<IIIIIIIII", 0, fat_count, directory, 0, _CUTOFF, mini if mini_count else _END, mini_count, _END, 0
    )
    return head + struct.pack("<109I", *places) + b"".join(sectors) + fat


def _property(tag: int, value: bytes) -> bytes:
    return struct.pack("<II", tag, 6) + value.ljust(8, b"\0")[:8]


def _texts(pairs: dict[int, str]) -> tuple[dict[str, object], bytes]:
    """Unicode properties as streams, and their rows of the property table (MS-OXMSG section 2.4)."""
    streams: dict[str, object] = {}
    rows = b""
    for tag, text in pairs.items():
        raw = text.encode("utf-16-le")
        streams[f"__substg1.0_{tag:04X}001F"] = raw
        rows += _property(tag << 16 | 0x1F, struct.pack("<I", len(raw) + 2))
    return streams, rows


def outlook_message(
    subject: str, body: str, sender: str, *, html: str = "", attachment: tuple[str, bytes] | None = None
) -> bytes:
    """A .msg with its subject, body, and at most one attachment."""
    streams, rows = _texts({0x001A: "IPM.Note", 0x0037: subject, 0x0C1A: sender, 0x1000: body})
    if html:
        streams["__substg1.0_10130102"] = html.encode()
        rows += _property(0x10130102, struct.pack("<I", len(html.encode())))
    rows += _property(0x340D0003, struct.pack("<I", 0x40000))
    tree: dict[str, object] = {
        "__nameid_version1.0": {"__substg1.0_00020102": b"", "__substg1.0_00030102": b"", "__substg1.0_00040102": b""}, **streams,
        "__properties_version1.0": bytes(8) + struct.pack("<IIII", 0, int(bool(attachment)), 0, int(bool(attachment))) + bytes(8) + rows,
    }  # fmt: skip
    if attachment:
        inner, table = _texts({0x3707: attachment[0], 0x3704: attachment[0][:8]})
        inner["__substg1.0_37010102"] = attachment[1]
        table += _property(0x37010102, struct.pack("<I", len(attachment[1]))) + _property(
            0x37050003, struct.pack("<I", 1)
        )
        tree["__attach_version1.0_#00000000"] = {**inner, "__properties_version1.0": bytes(8) + table}
    return compound(tree)


def old_word(text: str, *, wide: bool) -> bytes:
    """A Word 97 document with a FIB and one piece (MS-DOC sections 2.5 and 2.8.35), in UTF-16 or in cp1252."""
    said = text.replace("\n", "\r") + "\r"
    raw = said.encode("utf-16-le") if wide else said.encode("cp1252", "replace")
    start = 2048
    piece = struct.pack("<HIH", 0, start if wide else start * 2 | 0x40000000, 0)
    pieces = struct.pack("<II", 0, len(said)) + piece
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    fib = bytearray(start)
    struct.pack_into("<HHHHHH", fib, 0, 0xA5EC, 193, 0, 0x409, 0, 0x1200 | 0x0200)
    struct.pack_into("<II", fib, 24, start, start + len(raw))
    struct.pack_into("<H", fib, 32, 14)
    struct.pack_into("<H", fib, 62, 22)
    struct.pack_into("<I", fib, 76, len(said))
    struct.pack_into("<H", fib, 152, 93)
    struct.pack_into("<II", fib, 154 + 33 * 8, 0, len(clx))
    return compound({"WordDocument": bytes(fib) + raw, "1Table": clx.ljust(_CUTOFF, b"\0")})


def msg(rng: Random, passage: Passage) -> File:
    body, subject = filler.paragraph(rng, "en"), filler.subject(rng, "en")
    where = rng.randrange(4)
    if where == 0:
        octets = outlook_message(unmarked(passage.line), body, passage.person.name)
    elif where == 1:
        octets = outlook_message(subject, "\r\n\r\n".join(prose(rng, passage)), passage.person.name)
    elif where == 2:
        octets = outlook_message(
            subject, body, passage.person.name, html=f"<html><body><p>{unmarked(passage.prose)}</p></body></html>"
        )
    else:
        octets = outlook_message(
            subject, body, passage.person.name, attachment=("notes.txt", unmarked(passage.prose).encode())
        )
    return File(name(rng, "msg"), "application/vnd.ms-outlook", octets)


def doc(rng: Random, passage: Passage) -> File:
    text = "\n".join(prose(rng, passage))
    return File(name(rng, "doc"), "application/msword", old_word(text, wide=not text.isascii() or rng.random() < 0.4))


MAKERS: dict[str, tuple[Maker, str]] = {"msg": (msg, "hidden"), "doc": (doc, "contained")}
