"""Transfer encodings undone for whoever must see every plausible reading (RFC 2045 section 6): mail from outside.

`decoding.Decoder` reads as mail programs do, block by block. Here a whole body is at hand, and beside that reading
stand those of programs that are stricter, laxer, or wrong.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import Final

from gateway.mime.decoding import Decoder
from gateway.mime.entity import IDENTITY
from gateway.mime.structure import DefectKind

_BLANKS: Final = b" \t\r\n"
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_ALPHABET: Final = bytes(set(range(256)) - set(_ALPHABET))
_ALL_BASE64 = re.compile(rb"\s*+(?:[A-Za-z0-9+/]{4,}+[ \t]*+\r?+\n?+)++[A-Za-z0-9+/]{0,3}+={0,2}+\s*+\Z")
_BASE64_LINE = re.compile(rb"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?+\Z")
_ESCAPES = re.compile(rb"=(?:[0-9A-Fa-f]{2}|[ \t]{0,20}\r?\n)")
_LEAST = 16  # octets of base64 that are worth a look where none is declared
_SPELLINGS: Final = (
    (re.compile(r"base|b64|^64$"), "base64"),
    (re.compile(r"quot|quop|printable|^qp$"), "quoted-printable"),
    (re.compile(r"uu"), "x-uuencode"),
    (re.compile(r"[78]b|bit|binary|none|plain|text|ascii|utf|iso|identity|^[78]$|^$"), "8bit"),
)


@dataclass(frozen=True, slots=True)
class Undone:
    """A body without its transfer encoding. `octets`: as mail programs read it. `others`: what else it may be read as,
    likeliest first. `oddities`: what is wrong with it.
    """

    octets: bytes
    others: tuple[bytes, ...] = ()
    oddities: frozenset[DefectKind] = frozenset()

    @property
    def readings(self) -> tuple[bytes, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((self.octets, *self.others))) if self.others else (self.octets,)


def undo(body: bytes, encoding: str) -> Undone:
    """Every plausible reading of a body whose encoding is one of `entity.ENCODINGS`, "x-uuencode" or "unknown"."""
    if encoding == "base64":
        return _base64(body)
    if encoding == "quoted-printable":
        octets, oddities = _decoded(body, encoding)
        return Undone(octets, (body,) if DefectKind.QP_BAD_ESCAPE in oddities else (), oddities)
    if encoding == "x-uuencode":
        octets, oddities = _decoded(body, encoding)
        lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return Undone(octets or body, (_decoded(lines, encoding)[0], body), oddities)
    if encoding in IDENTITY:
        return Undone(body, tuple(_undeclared(body)))
    tried = (_decoded(body, each)[0] for each in ("base64", "quoted-printable", "x-uuencode"))
    return Undone(body, tuple(octets for octets in tried if octets))


def spelled_encoding(written: str) -> str:
    """The encoding that somebody meant who misspelt it ("base-64", "quoted/printable"), or "unknown"."""
    plain = re.sub(r"[^a-z0-9]+", "", written.lower())
    return next((encoding for pattern, encoding in _SPELLINGS if pattern.search(plain)), "unknown")


def _base64(body: bytes) -> Undone:
    data = body.translate(None, _BLANKS)
    bare = data.rstrip(b"=")
    if len(data) % 4 == 0 and len(data) - len(bare) <= 2 and not bare.translate(None, _ALPHABET):
        return Undone(binascii.a2b_base64(data))
    octets, oddities = _decoded(body, "base64")
    if oddities <= {DefectKind.BASE64_TRUNCATED}:
        return Undone(octets, (), oddities)
    stop = re.search(rb"[^A-Za-z0-9+/]", data)
    joined = data.translate(None, _NOT_ALPHABET)
    until_junk = _quanta(data[: stop.start()] if stop else data)
    others = (until_junk, _until_padding(data), _quanta(joined), _by_lines(body), body)
    return Undone(octets, tuple(dict.fromkeys(others)), oddities)


def _quanta(run: bytes) -> bytes:
    run = run[:-1] if len(run) % 4 == 1 else run
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))


def _until_padding(data: bytes) -> bytes:
    """As the standard library of Python and its like read: junk is skipped, padding in its place ends the whole."""
    for rest in (b"", b"=", b"=="):
        try:
            return binascii.a2b_base64(data + rest)
        except binascii.Error:
            continue
    return b""


def _by_lines(body: bytes) -> bytes:
    """Those lines that are base64 from end to end, each by itself."""
    lines = (line.strip(_BLANKS) for line in body.splitlines())
    return b"".join(_quanta(line.rstrip(b"=")) for line in lines if _BASE64_LINE.match(line))


def _undeclared(body: bytes) -> list[bytes]:
    """What a body that declares no encoding may hide: it is all base64, or full of escapes."""
    found = []
    if body.count(b"=") >= 3 and len(_ESCAPES.findall(body)) >= 3:
        found.append(_decoded(body, "quoted-printable")[0])
    if len(body) >= _LEAST and _ALL_BASE64.match(body):
        found.append(_quanta(body.translate(None, _NOT_ALPHABET)))
    return found


def _decoded(body: bytes, encoding: str) -> tuple[bytes, frozenset[DefectKind]]:
    decoder = Decoder(encoding)
    octets = decoder.feed(body) + decoder.finish()
    return octets, frozenset(DefectKind(oddity) for oddity in decoder.oddities)
