"""Searches folders for 16 octets that may not be there, in every form that a careless program leaves them in.

A test puts `new_canary()` into a message, as octets or as the text `canary.hex()`, and asserts afterwards
`search(canary, folder, …) == []`. The same search must find it where sealing is off: a search that finds nothing
anywhere proves nothing.

Forms: the octets, their hex text (any letter case, with separators), UTF-16 and UTF-32 of that, base64 of all these at
each alignment (both alphabets, folded or not), percent, quoted-printable, backslash escapes; and all of it inside gzip,
zlib, bzip2, xz, zip members, and base64 of gzip. File names count, too.
"""

from __future__ import annotations

import base64
import bz2
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_DEPTH = 4
MAX_INFLATED = 64 * 1024 * 1024
_FOLDS = re.compile(rb"[\r\n]+[ \t]*")


@dataclass(frozen=True, slots=True)
class Hit:
    """Where the canary was seen: the file, the form (`zlib > base64`, say) and the offset in what was searched."""

    path: str
    form: str
    offset: int


def new_canary() -> bytes:
    """Return 16 octets that are nowhere else."""
    return os.urandom(16)


def search(canary: bytes, *folders: Path) -> list[Hit]:
    """Return every form of the canary in the files of the folders, and in their names."""
    forms = _forms(canary)
    hits: list[Hit] = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = os.fsencode(path.name)
            hits += [Hit(str(path), f"name > {form}", offset) for form, offset in _found(forms, name, 0)]
            if path.is_file() and not path.is_symlink():
                hits += search_octets(canary, _octets(path), str(path))
    return hits


def search_octets(canary: bytes, octets: bytes, name: str = "") -> list[Hit]:
    """Return every form of the canary in some octets (a log, what came over a wire)."""
    return [Hit(name, form, offset) for form, offset in _found(_forms(canary), octets, MAX_DEPTH)]


def search_process(canary: bytes, pid: int) -> list[Hit]:
    """Return every form of the canary in a process's environment and arguments."""
    names = ("environ", "cmdline")
    return [hit for name in names for hit in search_octets(canary, _octets(Path(f"/proc/{pid}/{name}")), name)]


def _forms(canary: bytes) -> dict[str, re.Pattern[bytes]]:
    text = canary.hex()
    plain = {
        "octets": canary,
        "utf-16le": text.encode("utf-16-le"),
        "utf-16be": text.encode("utf-16-be"),
        "utf-32le": text.encode("utf-32-le"),
        "utf-8 of latin-1": canary.decode("latin-1").encode(),
    }
    patterns = {form: re.escape(octets) for form, octets in plain.items()}
    separator = rb"(?:[\s:._-]|0x|\\x|, ?|%|=|\\u00)?"
    patterns["hex"] = b"(?i:%b)" % separator.join(b"%02x" % octet for octet in canary)
    for form, octets in {**plain, "hex": text.encode(), "HEX": text.upper().encode()}.items():
        patterns[f"base64 of {form}"] = b"|".join(_base64(octets))
    patterns["percent"] = b"".join(_one_of(octet, b"(?i:%%%02x)" % octet) for octet in canary)
    patterns["quoted-printable"] = rb"(?:=[ \t]*\r?\n)?".join(_one_of(octet, b"(?i:=%02x)" % octet) for octet in canary)
    patterns["escapes"] = b"".join(_one_of(octet, *_escapes(octet)) for octet in canary)
    return {form: re.compile(pattern, re.DOTALL) for form, pattern in patterns.items()}


def _one_of(octet: int, *coded: bytes) -> bytes:
    return b"(?:%b|%b)" % (re.escape(bytes([octet])), b"|".join(coded))


def _escapes(octet: int) -> Iterator[bytes]:
    yield rb"(?i:\\{1,2}x%02x)" % octet
    yield rb"(?i:\\{1,2}u00%02x)" % octet
    yield rb"\\{1,2}%03o" % octet
    for name, value in ((b"n", 10), (b"r", 13), (b"t", 9), (b"b", 8), (b"f", 12), (b"a", 7), (b"v", 11)):
        if octet == value:
            yield rb"\\{1,2}" + name
    if chr(octet) in "\"'\\/":
        yield rb"\\{1,2}" + re.escape(bytes([octet]))


def _base64(octets: bytes) -> Iterator[bytes]:
    """Yield what is sure to stand in the base64 of anything that has these octets, for each alignment."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + octets)
        first = (before * 8 + 5) // 6
        last = (before + len(octets)) * 8 // 6
        sure = whole[first:last]
        yield re.escape(sure)
        if sure != (url := sure.translate(bytes.maketrans(b"+/", b"-_"))):
            yield re.escape(url)


def _found(forms: dict[str, re.Pattern[bytes]], octets: bytes, depth: int) -> Iterator[tuple[str, int]]:
    yield from _matches(forms, octets)
    if depth == 0:
        return
    unfolded = _FOLDS.sub(b"", octets)
    if unfolded != octets:
        may_fold = {form: pattern for form, pattern in forms.items() if "base64" in form or form == "hex"}
        yield from ((f"folded {form}", at) for form, at in _matches(may_fold, unfolded))
    for kind, at, inflated in _inflated(octets, unfolded):
        yield from ((f"{kind} > {form}", at) for form, _ in _found(forms, inflated, depth - 1))


def _matches(forms: dict[str, re.Pattern[bytes]], octets: bytes) -> Iterator[tuple[str, int]]:
    seen: set[int] = set()  # the plain octets are also quoted-printable, and so on: one hit a place is enough
    for form, pattern in forms.items():
        for match in pattern.finditer(octets):
            if match.start() not in seen:
                seen.add(match.start())
                yield form, match.start()


_Inflate = Callable[[], Any]
_MAGIC: tuple[tuple[str, re.Pattern[bytes], _Inflate], ...] = (
    ("gzip", re.compile(rb"\x1f\x8b\x08", re.DOTALL), lambda: zlib.decompressobj(31)),
    ("zlib", re.compile(rb"\x78[\x01\x5e\x9c\xda\x3f\x7d\xbb\xf9]"), lambda: zlib.decompressobj(15)),
    ("bzip2", re.compile(rb"BZh[1-9]1AY&SY"), bz2.BZ2Decompressor),
    ("xz", re.compile(rb"\xfd7zXZ\x00"), lzma.LZMADecompressor),
)
_ZIP_MEMBER = re.compile(rb"PK\x03\x04.{4}\x08\x00.{16}(..)(..)", re.DOTALL)
_BASE64_GZIP = re.compile(rb"H4sI[A-Za-z0-9+/_-]{16,}")


def _inflated(octets: bytes, unfolded: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield what the compressed streams within some octets hold, however much of each can be read."""
    for kind, magic, inflate in _MAGIC:
        for match in magic.finditer(octets):
            if inflated := _all_of(inflate(), octets, match.start()):
                yield kind, match.start(), inflated
    for match in _ZIP_MEMBER.finditer(octets):
        begin = match.end() + int.from_bytes(match[1], "little") + int.from_bytes(match[2], "little")
        if inflated := _all_of(zlib.decompressobj(-15), octets, begin):
            yield "zip", match.start(), inflated
    for match in _BASE64_GZIP.finditer(unfolded):
        coded = match[0][: len(match[0]) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
        if inflated := _all_of(zlib.decompressobj(31), base64.b64decode(coded), 0):
            yield "base64 of gzip", match.start(), inflated


def _all_of(inflater: Any, octets: bytes, begin: int) -> bytes:
    """Inflate from `begin` until the stream ends, breaks or is too long; small steps: a broken one gives much."""
    inflated = bytearray()
    try:
        for at in range(begin, len(octets), 256):
            inflated += inflater.decompress(octets[at : at + 256])
            if inflater.eof or len(inflated) > MAX_INFLATED:
                break
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        pass
    return bytes(inflated)


def _octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # gone since it was listed
        return b""
