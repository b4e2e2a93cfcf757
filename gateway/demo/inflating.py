"""Compressed streams within octets, found by how they begin, and what they hold, however much of it can be read."""

from __future__ import annotations

import base64
import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

MAX_INFLATED = 64 * 1024 * 1024
_STEP = 256
_Inflate = Callable[[], Any]
_MAGIC: tuple[tuple[str, re.Pattern[bytes], _Inflate], ...] = (
    ("gzip", re.compile(rb"\x1f\x8b\x08", re.DOTALL), lambda: zlib.decompressobj(31)),
    ("zlib", re.compile(rb"\x78[\x01\x5e\x9c\xda\x3f\x7d\xbb\xf9]"), lambda: zlib.decompressobj(15)),
    ("bzip2", re.compile(rb"BZh[1-9]1AY&SY"), bz2.BZ2Decompressor),
    ("xz", re.compile(rb"\xfd7zXZ\x00"), lzma.LZMADecompressor),
)
_ZIP_MEMBER = re.compile(rb"PK\x03\x04.{4}\x08\x00.{16}(..)(..)", re.DOTALL)
_BASE64_GZIP = re.compile(rb"H4sI[A-Za-z0-9+/_-]{16,}")


def inflated(octets: bytes, unfolded: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield kind, offset and content of each compressed stream; `unfolded` are the octets without line breaks."""
    for kind, magic, inflate in _MAGIC:
        for match in magic.finditer(octets):
            if within := _all_of(inflate(), octets, match.start()):
                yield kind, match.start(), within
    for match in _ZIP_MEMBER.finditer(octets):
        begin = match.end() + int.from_bytes(match[1], "little") + int.from_bytes(match[2], "little")
        if within := _all_of(zlib.decompressobj(-15), octets, begin):
            yield "zip", match.start(), within
    for match in _BASE64_GZIP.finditer(unfolded):
        coded = match[0][: len(match[0]) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
        if within := _all_of(zlib.decompressobj(31), base64.b64decode(coded), 0):
            yield "base64 of gzip", match.start(), within


def _all_of(inflater: Any, octets: bytes, begin: int) -> bytes:
    """Inflate from `begin` until the stream ends, breaks or is too long; small steps: a broken one gives much."""
    content = bytearray()
    try:
        for at in range(begin, len(octets), _STEP):
            content += inflater.decompress(octets[at : at + _STEP])
            if inflater.eof or len(content) > MAX_INFLATED:
                break
    except (zlib.error, OSError, EOFError, lzma.LZMAError):
        pass
    return bytes(content)
