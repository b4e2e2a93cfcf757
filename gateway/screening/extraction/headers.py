"""Header fields of a mail as text: encoded words joined in every plausible way (RFC 2047), names of files (RFC 2231).

Linear in the length of a field; nothing recurses.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from gateway.mime.headerblock import HeaderBlock
from gateway.mime.parameters import parse_content_type, parse_disposition
from gateway.mime.structure import Header
from gateway.mime.words import decode_words, unfold
from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.texts import readings

# What servers stamp on a mail (RFC 5321 section 4.4, RFC 6376, RFC 8601, RFC 8617): no words of a sender, many digits.
_TRACE: Final = frozenset(
    "received x-received return-path delivered-to x-delivered-to x-original-to envelope-to dkim-signature "
    "domainkey-signature x-google-dkim-signature dkim-filter authentication-results x-authentication-results "
    "received-spf arc-seal arc-message-signature arc-authentication-results".split()
)
_SENDERS: Final = frozenset("from sender reply-to resent-from resent-sender".split())
# Fields in which large providers keep sealed state: long runs without a word.
_MACHINE: Final = ("x-ms-", "x-microsoft-", "x-forefront-", "x-exchange-", "x-gm-", "x-google-", "x-sg-", "x-ses-")
_SEALED = re.compile(rb"\s*+[A-Za-z0-9+/=_.:\s-]{100,}+\Z")
_WORD = re.compile(rb"=\?(?P<charset>[^?]{1,75})\?[ \t]*+(?P<encoding>[BbQq])[ \t]*+\?")
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_MOST_SECTIONS: Final = 8  # of one name that are put together two by two
_NAME = re.compile(
    rb"(?:file)?name[ \t]*+(?P<section>\*[0-9]{0,40}\*?)?+[ \t]*+=[ \t]*+(?:\"(?P<quoted>(?:[^\"\\]++|\\.)*+)\"?+"
    rb"|(?P<plain>[^;]*+))",
    re.IGNORECASE | re.DOTALL,
)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPED = re.compile(rb"\\(.)")
_BOUNDARY = re.compile(rb"boundary[^=;]{0,20}=[ \t]*+(?:\"[^\"]*+\"?+|[^;\s]*+)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# A line of printable ASCII in which neither an encoded word nor UTF-7 can begin has one reading.
_ONE_READING = re.compile(rb"(?:[ -*,-<>-~]++|=(?!\?)|\+(?![A/]))*+\Z")
# Lines that every mail has and that have no room for anything else.
_BARE = re.compile(
    r"mime-version: 1\.0|content-transfer-encoding: (?:7bit|8bit|binary|base64|quoted-printable)"
    r"|content-disposition: (?:inline|attachment)"
    r"|content-type: [a-z]{4,12}/[a-z.+-]{2,80}"
    r"(?:; ?(?:charset=\"?(?:utf-8|us-ascii|iso-8859-\d\d?|windows-125\d|gb2312|big5)\"?|format=flowed|delsp=yes|))*",
    re.IGNORECASE,
)
_MOST_READINGS = 4
_LONGEST = 16_384  # octets of a field that holds names; longer ones are over a cap of the scanner


@dataclass(frozen=True, slots=True)
class _Word:
    """One encoded word, as lax as it may be written. `joins`: only blanks stand between it and the one before."""

    before: bytes
    charset: str
    is_base64: bool
    text: bytes
    joins: bool

    @property
    def octets(self) -> bytes:
        if self.is_base64:
            return _unbase64(self.text)
        return binascii.a2b_qp(self.text.replace(b"==", b"=3D="), header=True)


def header_chunks(block: HeaderBlock, prefix: str) -> Iterator[Chunk]:
    """The fields of a message: its subject, its senders, and one chunk with all the others. `prefix` begins places."""
    others: list[str] = []
    for header in block.headers:
        name = header.key
        if name == "subject":
            yield from (Chunk(text, prefix + "subject", Form.HEADER) for text in value_readings(header.value))
        elif name in _SENDERS:
            yield from (Chunk(text, prefix + "sender name", Form.HEADER) for text in value_readings(header.value))
        else:
            others += _lines(header)
    if others:
        yield Chunk("\n".join(others), prefix + "a header", Form.HEADER)


def part_lines(block: HeaderBlock) -> list[str]:
    """The fields of a part inside of a message, a line each; those that say nothing to people are left out."""
    return [line for header in block.headers for line in _lines(header)]


def stray_lines(octets: bytes, start: int, end: int, block: HeaderBlock) -> Iterator[str]:
    """Lines between `start` and `end` of a mail, where a header block lies, that are no fields of it."""
    at = start
    for offset, behind in (*((header.offset, header.offset + header.length) for header in block.headers), (end, end)):
        for line in octets[at:offset].splitlines():
            if line.strip():
                yield from value_readings(line)
        at = max(at, behind)


def value_readings(value: bytes) -> list[str]:
    """Every plausible text of a raw unstructured value, likeliest first: at least one."""
    if _ONE_READING.match(value):
        return [value.strip(b" ").decode("ascii")]
    return _every_reading(value)


def _every_reading(value: bytes) -> list[str]:
    line = unfold(value)
    if b"=?" not in line:
        return _plain(line)
    words, rest = _words(line)
    found = [decode_words(line), *(_joined(words, rest) if words else _plain(line))]
    if len(words) > 1:
        found += [_spaced(words, rest), _streamed(words, rest)]
    twice = [decode_words(text.encode("utf-8", "replace")) for text in found if "=?" in text]
    return list(dict.fromkeys(_CONTROLS.sub(" ", text) for text in (*found, *twice)))


def name_readings(block: HeaderBlock) -> list[str]:
    """Every name that a part's file may have, by Content-Type and by Content-Disposition."""
    found: list[str] = []
    for header in block.headers:
        field = header.key
        if field not in ("content-type", "content-disposition") or b"name" not in header.value.lower():
            continue
        value = header.value[:_LONGEST]
        is_type = field == "content-type"
        parsed = parse_content_type(value) if is_type else parse_disposition(value)
        found += [text for name, text in parsed.parameters if name in ("name", "filename")]
        found += _lax_names(unfold(value))
    return list(dict.fromkeys(name for name in found if name.strip()))


def _lax_names(line: bytes) -> Iterator[str]:
    """Names as programs read them that know little of RFC 2231: each section by itself, and joined in both orders."""
    sections: list[tuple[int, bytes]] = []
    for match in _NAME.finditer(line):
        octets = match["plain"] if match["quoted"] is None else _ESCAPED.sub(rb"\1", match["quoted"])
        mark = match["section"] or b""
        if mark:
            octets = octets.split(b"'", 2)[-1] if octets.count(b"'") >= 2 else octets
            octets = _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), octets)
        number = mark.strip(b"*")
        sections.append((int(number[:9]) if number.isdigit() else 0, octets.strip(b" \t")))
    for _, octets in sections:
        yield from value_readings(octets)
    if len(sections) > 1:
        yield from value_readings(b"".join(octets for _, octets in sections))
        yield from value_readings(b"".join(octets for _, octets in sorted(sections, key=lambda each: each[0])))
        for (one, first), (other, second) in permutations(sections[:_MOST_SECTIONS], 2):
            if one < other:  # of several that have one number, which is meant nobody knows
                yield from value_readings(first + second)


def _lines(header: Header) -> Iterator[str]:
    name = header.key
    if name in _TRACE or (name.startswith(_MACHINE) and _SEALED.match(header.value)):
        return
    value = _BOUNDARY.sub(b"", header.value) if name == "content-type" else header.value
    for text in value_readings(value):
        line = f"{header.name}: {text}"
        if not _BARE.fullmatch(line):
            yield line


def _plain(line: bytes) -> list[str]:
    return [_CONTROLS.sub(" ", text) for text in readings(line)]


def _words(line: bytes) -> tuple[list[_Word], bytes]:
    """The encoded words of a line, and what follows the last. One that is never closed goes on to the end."""
    words: list[_Word] = []
    at = 0
    while (start := _WORD.search(line, at)) is not None:
        end = line.find(b"?=", start.end())
        end = len(line) if end < 0 else end
        before = line[at : start.start()]
        charset = start["charset"].partition(b"*")[0].decode("latin-1")
        joins = bool(words) and not before.strip(b" \t")
        words.append(_Word(before, charset, start["encoding"] in b"Bb", line[start.end() : end], joins))
        at = end + 2
    return words, line[at:]


def _joined(words: list[_Word], rest: bytes) -> Iterator[str]:
    """Adjacent words of one charset read as one, in each plausible reading of their octets."""
    pieces: list[list[str]] = []
    run, charset = b"", ""
    for word in words:
        if run and not (word.joins and word.charset.lower() == charset.lower()):
            pieces.append(readings(run, charset))
            run = b""
        if not word.joins:
            pieces.append(_plain(word.before))
        run, charset = run + word.octets, word.charset
    pieces += [readings(run, charset), _plain(rest)]
    for number in range(min(max(map(len, pieces)), _MOST_READINGS)):
        yield "".join(piece[min(number, len(piece) - 1)] for piece in pieces)


def _spaced(words: list[_Word], rest: bytes) -> str:
    """Each word by itself, the blanks between them kept."""
    pieces = (_plain(word.before)[0] + readings(word.octets, word.charset)[0] for word in words)
    return "".join((*pieces, _plain(rest)[0]))


def _streamed(words: list[_Word], rest: bytes) -> str:
    """Base64 that was cut into words anywhere: the letters of all words that join, decoded in one go."""
    text, run, charset = "", b"", ""
    for word in words:
        if run and not (word.joins and word.is_base64):
            text, run = text + readings(_unbase64(run), charset)[0], b""
        if not word.joins:
            text += _plain(word.before)[0]
        if word.is_base64:
            run, charset = run + word.text.rstrip(b"="), word.charset
        else:
            text += readings(word.octets, word.charset)[0]
    return text + (readings(_unbase64(run), charset)[0] if run else "") + _plain(rest)[0]


def _unbase64(text: bytes) -> bytes:
    clean = text.translate(None, _NOT_BASE64)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
