"""Transfer encodings undone as octets stream by (RFC 2045 section 6), and parts turned into text for reading."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import Final

import re2

from gateway.domain.partmap import Part
from gateway.mime.charsets import decode_octets
from gateway.mime.flowed import unflow

_BLANKS: Final = b" \t\r\n"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OCTETS: Final = re2.Options()
_OCTETS.encoding = re2.Options.Encoding.LATIN1
_OCTETS.never_capture = True
_SOFT_BREAK = re.compile(rb"=[ \t]{0,100}\r?\n")
_TRAILING_BLANK = re2.compile(rb"[ \t]\r?\n", _OCTETS)
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]{0,100}\r?\n)")
# Whether there is one: RE2 leaps from each sign of equality to the next.
_HAS_BAD_ESCAPE = re2.compile(
    rb"=(?:[^0-9A-Fa-f \t\r\n]|[0-9A-Fa-f](?:[^0-9A-Fa-f]|\z)|[ \t]{1,100}(?:[^ \t\r\n]|\z)|[ \t]{101}"
    rb"|[ \t]{0,100}\r(?:[^\n]|\z)|\z)",
    _OCTETS,
)
_OPEN_ESCAPE = re.compile(rb"=(?:[0-9A-Fa-f]?|[ \t]{0,100}\r?)\Z")
_BEGIN = re.compile(rb"begin [0-7]{3,4} [^\n]*")
_MAX_LINE = 998
_LOOK_BACK = 104  # octets that an escape or a soft line break with blanks may be long


def text(part: Part, octets: bytes) -> str:
    """The text of a part from its octets, transfer encoding already undone, line ends as LF.

    Charset by `decode_octets`; format=flowed (RFC 3676) is joined to paragraphs. Never raises.
    """
    plain = decode_octets(octets, part.parameter("charset")).replace("\r\n", "\n").replace("\r", "\n")
    plain = plain.removeprefix("\ufeff")
    if part.media_type == "text/plain" and part.parameter("format").lower() == "flowed":
        return unflow(plain, delsp=part.parameter("delsp").lower() == "yes")
    return plain


class Decoder:
    """Undoes one transfer encoding, block by block; the blocks may be cut anywhere.

    Wrong input is read as far as it goes and named in `oddities`: "base64_junk", "base64_inner_padding",
    "base64_truncated", "qp_bad_escape", "qp_trailing_blank", "uu_bad_line". 7bit, 8bit, binary and encodings that
    nobody knows are passed on as they are.
    """

    def __init__(self, encoding: str) -> None:
        self.oddities: set[str] = set()
        self._held = b""
        self._is_ended = False
        self._is_begun = False
        self._last = b""
        steps: dict[str, Callable[[bytes, bool], bytes]] = {
            "base64": self._base64,
            "quoted-printable": self._quoted_printable,
            "x-uuencode": self._uuencode,
        }
        self._step = steps.get(encoding)

    def feed(self, block: bytes) -> bytes:
        """The octets that can be known now."""
        return block if self._step is None else self._step(self._held + block, False)

    def finish(self) -> bytes:
        """What is left, at the end of the part."""
        return b"" if self._step is None else self._step(self._held, True)

    def _base64(self, data: bytes, is_last: bool) -> bytes:
        data = data.translate(None, _BLANKS)
        if data.translate(None, _BASE64 + b"="):
            self.oddities.add("base64_junk")
            data = data.translate(None, _NOT_BASE64)
        decoded = []
        *runs, rest = data.split(b"=")
        for run in runs:
            # A padded run ends a quantum wherever it stands: what follows padding is read too, since others do so.
            if run and self._is_ended:
                self.oddities.add("base64_inner_padding")
            decoded.append(self._quanta(run))
            self._is_ended = True
        if rest and self._is_ended:
            self.oddities.add("base64_inner_padding")
            self._is_ended = False
        keep = 0 if is_last else len(rest) % 4
        if is_last and len(rest) % 4:
            self.oddities.add("base64_truncated")
        decoded.append(self._quanta(rest[: len(rest) - keep]))
        self._held = rest[len(rest) - keep :]
        return b"".join(decoded)

    def _quanta(self, run: bytes) -> bytes:
        if len(run) % 4 == 1:
            self.oddities.add("base64_truncated")
            run = run[:-1]
        return binascii.a2b_base64(run + b"=" * (-len(run) % 4))

    def _quoted_printable(self, data: bytes, is_last: bool) -> bytes:
        self._held = b""
        if not is_last:
            cut = _OPEN_ESCAPE.search(data, max(len(data) - _LOOK_BACK, 0))
            if cut is not None:
                data, self._held = data[: cut.start()], data[cut.start() :]
        probe = self._last + data
        self._last = probe[-2:]
        if _TRAILING_BLANK.search(probe):
            self.oddities.add("qp_trailing_blank")
        if is_last and data.endswith(b"="):
            data = data[:-1]  # a soft line break whose line end went to the delimiter
        if _HAS_BAD_ESCAPE.search(data):
            self.oddities.add("qp_bad_escape")
            data = _BAD_ESCAPE.sub(b"=3D", data)
        if b"= " in data or b"=\t" in data:  # a plain soft line break the library takes out itself
            data = _SOFT_BREAK.sub(b"", data)
        return binascii.a2b_qp(data)

    def _uuencode(self, data: bytes, is_last: bool) -> bytes:
        *lines, rest = data.split(b"\n")
        if is_last or len(rest) > _MAX_LINE:
            lines, rest = [*lines, rest], b""
        self._held = rest
        return b"".join(self._uu_line(piece) for line in lines for piece in line.split(b"\r"))

    def _uu_line(self, line: bytes) -> bytes:
        if not self._is_begun:
            self._is_begun = _BEGIN.match(line) is not None
            return b""
        if self._is_ended or line in (b"", b"end", b"`", b" "):
            self._is_ended = self._is_ended or line == b"end"
            return b""
        try:
            return binascii.a2b_uu(line)
        except binascii.Error:
            self.oddities.add("uu_bad_line")
            return _uu_announced(line)


def _uu_announced(line: bytes) -> bytes:
    """As much of a broken line as its first character announces: others read on over what follows."""
    try:
        return binascii.a2b_uu(line[: ((line[0] - 32 & 63) * 4 + 5) // 3])
    except binascii.Error:
        return b""


_NOT_BASE64: Final = bytes(set(range(256)) - set(_BASE64 + b"="))
