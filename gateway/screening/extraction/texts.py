"""Text in any charset: every plausible reading of octets, and the reader of plain text documents."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from gateway.mime.charsets import codec_for, decode_octets
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item

# What no text in an ASCII-like charset holds: controls but for blanks, form feed, backspace, escape and end-of-file.
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\x0b\x0c\r\x08\x1a\x1b")) + b"\x7f"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
# UTF-7 (RFC 2152): a run that begins with a character of ASCII or of double width; never `+1 212 555 …`.
_SHIFTED = re.compile(rb"\+(?:A[A-P]|/[w-z])[A-Za-z0-9+/]")
_UTF_8_NAMES: Final = ("", "utf-8", "us-ascii")
_TRACE = re.compile(rb"[\x00\r\x1b+]")  # of more than one reading, or of a line end that becomes another
_UTF_7_NAMES: Final = frozenset({"utf-7", "unicode-1-1-utf-7", "utf7", "x-unicode-2-0-utf-7", "csutf7", "utf-7-imap"})
_EBCDIC_NAMES = re.compile(
    r"(?:ibm|cp|csibm|x-ebcdic|ccsid)[-_]?0*"
    r"(?:37|273|277|278|280|284|285|297|500|871|1026|1047|114[0-9])(?:\b.*|_.*)?|(?:x-)?ebcdic.*",
    re.IGNORECASE,
)
# EBCDIC's printable octets: blank, new line, digits, letters, and usual marks.
_EBCDIC: Final = (
    b"\x40\x15\x25\x0d\x05\x4b\x4c\x4d\x4e\x50\x5a\x5b\x5c\x5d\x5e\x60\x61\x6b\x6c\x6d\x6e\x6f\x7a\x7b\x7c\x7d\x7e\x7f"
    + bytes([*range(0x81, 0x8A), *range(0x91, 0x9A), *range(0xA2, 0xAA)])
    + bytes([*range(0xC1, 0xCA), *range(0xD1, 0xDA), *range(0xE2, 0xEA), *range(0xF0, 0xFA)])
)
# Three digits of double width in a row, by the charsets that have them; written out, since counted groups are slow.
_WIDE_DIGITS: Final = (
    (re.compile(rb"\xa3[\xb0-\xb9]" * 3), "gb18030"),
    (re.compile(rb"\x82[\x4f-\x58]" * 3), "cp932"),
    (re.compile(rb"\xa2[\xaf-\xb8]" * 3), "big5"),
)
_RUN = re.compile(rb"[\t -~\x80-\xff]{6,}")
_WIDE_RUN = re.compile(rb"(?:[\t -~]\x00){5,}")
_WIDE_RUN_BIG = re.compile(rb"(?:\x00[\t -~]){5,}")
_ASCII_RUN = re.compile(rb"[\t -~]{6,}")
_SAMPLE: Final = 65_536


def read_text(document: Document, descent: Descent) -> Iterator[Item]:
    """Plain text, in each way that it may be meant."""
    del descent
    for text in readings(document.octets):
        yield Chunk(text, document.place)


def readings(octets: bytes, charset: str = "") -> list[str]:
    """Every plausible text of octets whose charset is declared as `charset` ("" when it is not): at least one.

    Byte order marks and the patterns of UTF-16 and UTF-32 first, then as declared, then EBCDIC, UTF-7, ISO 2022 and
    digits of double width where their traces are. Line ends become LF. Never raises.
    """
    if charset.lower() in _UTF_8_NAMES and octets.isascii() and not _TRACE.search(octets):
        return [octets.decode("ascii")]
    plain = _as_plain_utf_8(octets, charset)
    if plain is not None:
        found = [plain]
    else:
        found = [_by_codec(octets, codec) for codec in _codecs(octets, charset)]
        if not found or charset:
            found.append(decode_octets(octets, charset))
    texts = [_with_line_feeds(text).removeprefix("\ufeff") for text in found]
    return list(dict.fromkeys(texts)) if len(texts) > 1 else texts


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def looks_like_text(octets: bytes) -> bool:
    """Whether octets are more likely text in some charset than anything else."""
    sample = octets[:_SAMPLE]
    if sample.translate(None, _CONTROLS) != sample:
        if _wide_codec(sample) or _is_marked(sample):
            return True
        odd = len(sample) - len(sample.translate(None, _CONTROLS))
        return odd * 200 < len(sample) if b"\x00" not in sample else _is_ebcdic(sample)
    return True


def strings(octets: bytes, shortest: int = 6) -> str:
    """Runs of printable characters in binary octets, one a line: as 8-bit and as UTF-16."""
    runs = [run.decode("ascii") for run in _ASCII_RUN.findall(octets) if len(run) >= shortest]
    runs += [run.decode("utf-16-le") for run in _WIDE_RUN.findall(octets) if len(run) >= 2 * shortest]
    runs += [run.decode("utf-16-be") for run in _WIDE_RUN_BIG.findall(octets) if len(run) >= 2 * shortest]
    return "\n".join(dict.fromkeys(runs))


def _codecs(octets: bytes, charset: str) -> Iterator[str]:
    """Codecs that the octets themselves, or an odd declaration, ask for."""
    sample = octets[:_SAMPLE]
    marked = next((codec for mark, codec in _MARKS if octets.startswith(mark)), "") or _wide_codec(sample)
    if marked:
        yield marked
        if marked != "utf_8":
            return
    plain = charset.strip("\"' \t").lower()
    if _EBCDIC_NAMES.fullmatch(plain):
        yield "cp500"
    elif _is_ebcdic(sample):
        yield "cp500"
        return
    if plain in _UTF_7_NAMES or _SHIFTED.search(octets):
        yield "utf_7"
        yield "cp1252"
    if b"\x1b$" in sample or b"\x1b(" in sample:
        yield "iso2022_jp_2"
    if not octets.isascii():
        yield from (codec for pattern, codec in _WIDE_DIGITS if pattern.search(octets))
        if codec_for(charset) not in (None, "cp1252") and not _is_utf_8(octets):
            yield "cp1252"
        yield "utf_8" if _is_utf_8(octets) else "cp1252"


def _by_codec(octets: bytes, codec: str) -> str:
    try:
        text = octets.decode(codec, "replace")
    except (UnicodeError, LookupError):
        return octets.decode("cp1252", "replace")
    return text.replace("\x85", "\n") if codec == "cp500" else text


def _as_plain_utf_8(octets: bytes, charset: str) -> str | None:
    """Most texts: UTF-8 that says so, or says nothing, with no trace of another charset. They have one reading."""
    if charset.lower() not in _UTF_8_NAMES or b"\x00" in octets or b"\x1b" in octets or _SHIFTED.search(octets):
        return None
    try:
        return octets.replace(b"\r\n", b"\n").decode("utf-8")  # most line ends, where they are octets
    except UnicodeDecodeError:
        return None


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wide_codec(sample: bytes) -> str:
    """UTF-16 or UTF-32 without its mark: zeros where Western text has them. "" when they are not there."""
    size = len(sample)
    if size < 4 or b"\x00" not in sample:
        return ""
    zeros = [sample[offset::4].count(0) / max(len(sample[offset::4]), 1) for offset in range(4)]
    if zeros[1] > 0.5 and zeros[2] > 0.9 and zeros[3] > 0.9 and zeros[0] < 0.2:
        return "utf_32_le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[2] > 0.5 and zeros[3] < 0.2:
        return "utf_32_be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.4 and even < 0.05 and _is_printable(_beside_zeros(sample[0::2], sample[1::2])):
        return "utf_16_le"
    if even > 0.4 and odd < 0.05 and _is_printable(_beside_zeros(sample[1::2], sample[0::2])):
        return "utf_16_be"
    return ""


def _beside_zeros(octets: bytes, others: bytes) -> bytes:
    """Those octets beside which a zero stands: Western letters of UTF-16; the rest are other scripts and signs."""
    return bytes(octet for octet, other in zip(octets, others, strict=False) if not other)


def _is_marked(sample: bytes) -> bool:
    """Whether a byte order mark begins a text that its codec reads, in whatever script."""
    codec = next((codec for mark, codec in _MARKS if sample.startswith(mark)), "")
    if not codec:
        return False
    text = sample[: len(sample) & ~3].decode(codec, "replace")
    odd = sum(not (sign.isprintable() or sign.isspace() or sign in "\ufeff\ufffd\u200d\ufe0f") for sign in text)
    return (odd + 8 * max(0, text.count("\ufffd") - 1)) * 20 <= len(text)


def _is_printable(octets: bytes) -> bool:
    return len(octets) - len(octets.translate(None, _CONTROLS)) <= len(octets) // 50


def _is_ebcdic(sample: bytes) -> bool:
    """Text of EBCDIC is almost all of its printable octets, with its blank, and hardly any of ASCII's letters."""
    if len(sample) < 8 or sample.isascii():
        return False
    known = len(sample) - len(sample.translate(None, _EBCDIC))
    if known < len(sample) * 0.9:
        return False
    high = sum(sample.count(octet) for octet in _EBCDIC if octet >= 0x80)
    return high >= len(sample) * 0.4
