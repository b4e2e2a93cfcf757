"""Searching a disk for words, in every form in which they could rest there."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_EXPANDED = 64 * 1024 * 1024
_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """How often words were found: in the sealed vault's files, and in those of a vault with sealing switched off."""

    words: str
    sealed: int
    unsealed: int
    files: int
    octets: int


def forms(needle: bytes) -> dict[str, list[bytes]]:
    """Return the octet strings by which a needle shows itself, by the name of the form.

    Base64 has three, one for each alignment, without the characters that neighbours could change. A needle that is
    UTF-8 text is looked for in UTF-16 of both orders too.
    """
    found = {
        "as is": [needle],
        "hex": [needle.hex().encode(), needle.hex().upper().encode()],
        "base64": list(_base64_forms(needle)),
    }
    try:
        text = needle.decode("utf-8")
    except UnicodeDecodeError:
        return found
    found["utf-16"] = [text.encode("utf-16-le"), text.encode("utf-16-be")]
    return found


def count(folder: Path, needle: bytes) -> tuple[int, int, int]:
    """Search every file below a folder; return hits, files and octets looked at.

    Compressed streams (gzip, zlib) inside of files are expanded and searched, too.
    """
    wanted = [form for group in forms(needle).values() for form in group]
    hits = files = octets = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        files += 1
        octets += len(content)
        hits += sum(_occurrences(run, wanted) for run in (content, *_expanded(content)))
    return hits, files, octets


def _occurrences(content: bytes, wanted: list[bytes]) -> int:
    return sum(content.count(form) for form in wanted)


def _base64_forms(needle: bytes) -> Iterator[bytes]:
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + needle)
        first = -(-shift * 8 // 6)
        last = len(needle + b"\0" * shift) * 8 // 6
        yield encoded[first:last]
        if (urlsafe := encoded[first:last].translate(bytes.maketrans(b"+/", b"-_"))) != encoded[first:last]:
            yield urlsafe


def _expanded(content: bytes) -> Iterator[bytes]:
    for magic, bits in ((_GZIP, 31), *((magic, 15) for magic in _ZLIB)):
        at = content.find(magic)
        while at >= 0:
            expanded = _inflate(memoryview(content)[at:], bits)
            if expanded:
                yield expanded
            at = content.find(magic, at + 1)


def _inflate(content: memoryview, bits: int) -> bytes:
    try:
        return zlib.decompressobj(bits).decompress(content, MAX_EXPANDED)
    except zlib.error:
        return b""
