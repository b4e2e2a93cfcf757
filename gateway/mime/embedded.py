"""Files that stand inside of a text without any MIME: uuencode, yEnc, base64 in lines, data URIs.

Linear: each is found by a search for how it begins, and read once to its end.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import re2

from gateway.mime.charsets import decode_octets
from gateway.mime.structure import DefectKind

_UUENCODE = re.compile(rb"(?:\A|\n)begin(?P<base64>-base64)?+ [0-7]{3,4} (?P<name>[^\n]{1,255})\n")
_YENC = re.compile(rb"(?:\A|\n)=ybegin (?P<fields>[^\r\n]{1,500})\r?\n")
_YENC_NAME = re.compile(rb"name=(?P<name>[^\r\n]{1,255})")
_BINHEX = b"(This file must be converted with BinHex"
_BASE64_LINES = re.compile(
    rb"\n(?P<run>(?:[ \t>]{0,4}+[A-Za-z0-9+/]{40,}+[ \t]*+\r?+\n)++[ \t>]{0,4}+[A-Za-z0-9+/]*+={0,2}+)"
    rb"|\n(?P<line>[A-Za-z0-9+/]{60,}+={0,2}+)"
)
_OCTETS: Final = re2.Options()
_OCTETS.encoding = re2.Options.Encoding.LATIN1
_OCTETS.never_capture = True
_LINE_OF_BASE64: Final = re2.compile(rb"\n[ \t>]{0,4}[A-Za-z0-9+/]{40}", _OCTETS)  # how each of those begins
_DATA_URI = re.compile(
    rb"data:(?P<type>[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60})?+(?P<more>(?:;[a-z0-9.=_-]{1,80}+)*+)(?P<base64>;base64)?+,"
    rb"(?P<data>[A-Za-z0-9+/=%_.~!*'();:@&$,?#\[\]\r\n\t -]*+)",
    re.IGNORECASE,
)
_LEAST_URI = 16
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_YENC_SHIFT: Final = bytes((octet - 42) % 256 for octet in range(256))
_YENC_ESCAPED = re.compile(rb"=(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file found in a text. `kind`: what the text does, None when base64 alone says that it is a file at all.
    `declared`: a media type or "". `is_whole`: it could be decoded to its end.
    """

    octets: bytes
    kind: DefectKind | None
    name: str = ""
    declared: str = ""
    is_whole: bool = True


def embedded_files(text: bytes) -> Iterator[Embedded]:
    """The files in the octets of a text (transfer encoding undone), in no order. Never raises."""
    if b"begin" in text:
        yield from _uuencoded(text.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    if b"=ybegin " in text:
        yield from _yenc(text)
    if _BINHEX in text:
        yield Embedded(b"", DefectKind.BINHEX_TEXT, is_whole=False)
    lines = b"\n" + text
    for found in _BASE64_LINES.finditer(lines) if _LINE_OF_BASE64.search(lines) else ():
        octets = _unbase64((found["run"] or found["line"]).partition(b"=")[0])
        yield Embedded(octets, None)


def data_uris(markup: bytes) -> Iterator[Embedded]:
    """What the `data:` URIs of a document hold (RFC 2397)."""
    if b"data:" not in markup.lower():
        return
    for found in _DATA_URI.finditer(markup):
        data = found["data"]
        octets = unquote_to_bytes(data)
        if found["base64"] or b"base64" in found["more"].lower():
            octets = _unbase64(octets)
        if len(octets) >= _LEAST_URI:
            yield Embedded(octets, None, declared=(found["type"] or b"").decode("ascii").lower())


def _uuencoded(text: bytes) -> Iterator[Embedded]:
    at = 0
    while (begin := _UUENCODE.search(text, max(at - 1, 0))) is not None:
        at = begin.end()
        name = decode_octets(begin["name"].strip())
        if begin["base64"]:
            end = text.find(b"\n====", at)
            octets = _unbase64(text[at : end if end >= 0 else len(text)])
            at, is_whole = (end, True) if end >= 0 else (len(text), False)
        else:
            octets, at, is_whole = _uu_lines(text, at)
        if octets:
            yield Embedded(octets, DefectKind.UUENCODED_TEXT, name, is_whole=is_whole)


def _uu_lines(text: bytes, at: int) -> tuple[bytes, int, bool]:
    """What the lines from `at` on hold, where they end, and whether they end as they should."""
    pieces: list[bytes] = []
    while at < len(text):
        behind = text.find(b"\n", at) + 1 or len(text)
        line = text[at:behind].rstrip(b"\n")
        if line == b"end":
            return b"".join(pieces), behind, True
        try:
            pieces.append(binascii.a2b_uu(line) if line.strip() else b"")
        except binascii.Error:
            return b"".join(pieces), at, False
        at = behind
    return b"".join(pieces), at, False


def _yenc(text: bytes) -> Iterator[Embedded]:
    at = 0
    while (begin := _YENC.search(text, at)) is not None:
        end = text.find(b"\n=yend", begin.end() - 1)
        body = text[begin.end() : end if end >= 0 else len(text)]
        if body.startswith(b"=ypart"):
            body = body.partition(b"\n")[2]
        name = _YENC_NAME.search(begin["fields"])
        at = end + 1 if end >= 0 else len(text)
        yield Embedded(
            _unyenc(body), DefectKind.YENC_TEXT, decode_octets(name["name"].strip()) if name else "", is_whole=end >= 0
        )


def _unyenc(body: bytes) -> bytes:
    lines = body.translate(None, b"\r\n")
    plain = _YENC_ESCAPED.sub(lambda found: bytes([(found[1][0] - 64) % 256]), lines)
    return plain.translate(_YENC_SHIFT)


def _unbase64(run: bytes) -> bytes:
    clean = run.translate(None, _NOT_BASE64)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
