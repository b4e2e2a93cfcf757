"""RTF 1.9: a small tokenizer of our own. All text counts: hidden, deleted, notes, fields, information, objects."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction.descent import Descent, Document, Item, UnreadableError
from gateway.screening.extraction.embedded import read_embedded

_TOKEN = re.compile(
    rb"\\([A-Za-z]{1,32})(-?[0-9]{1,10})? ?"  # a control word
    rb"|\\'([0-9A-Fa-f]{2})"
    rb"|\\(.)"
    rb"|([{}])"
    rb"|([^\\{}\r\n]+)"
    rb"|[\r\n]+|\\",
    re.DOTALL,
)
_SILENT: Final = frozenset(
    b"fonttbl colortbl stylesheet rsidtbl themedata colorschememapping latentstyles listtable listoverridetable panose"
    b" xmlnstbl wgrffmtfilter generator fchars lchars blipuid".split()
)
_MARKS: Final = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"nestrow": "\n", b"cell": "\t",
    b"nestcell": "\t", b"tab": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’",
    b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ", b"qmspace": " ",
}  # fmt: skip
_SYMBOLS: Final = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n", b"|": "", b"*": ""}
_DEEPEST: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Group:
    """What holds inside of one pair of braces."""

    is_silent: bool = False
    data: str = ""  # "pict" or "objdata": hex digits, not text
    skips: int = 1  # characters that stand for a \\u in old readers


@dataclass(slots=True)
class _Reader:
    codec: str = "cp1252"
    group: _Group = _Group()
    above: list[_Group] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    octets: bytearray = field(default_factory=bytearray)
    data: list[tuple[str, bytearray]] = field(default_factory=list)
    to_skip: int = 0

    def put(self, octets: bytes) -> None:
        """Text in the document's charset; what follows a \\u as its stand-in is left out."""
        if self.to_skip:
            skipped = min(self.to_skip, len(octets))
            self.to_skip -= skipped
            octets = octets[skipped:]
        if self.group.data:
            self.data[-1][1].extend(octets)
        elif not self.group.is_silent:
            self.octets += octets

    def say(self, words: str) -> None:
        """Text that is Unicode already."""
        self.flush()
        if not self.group.is_silent:
            self.text.append(words)

    def flush(self) -> None:
        """Octets so far to text: two octets may be one character."""
        if self.octets:
            self.text.append(self.octets.decode(self.codec, "replace"))
            self.octets.clear()


def read_rtf(document: Document, descent: Descent) -> Iterator[Item]:
    """The text of an RTF document, then its pictures and objects."""
    octets = document.octets
    start = max(octets.find(b"{\\rt"), 0)
    reader = _Reader()
    place = start
    while place < len(octets):
        match = _TOKEN.match(octets, place)
        if match is None:
            break
        place = match.end()
        if match.group(1) == b"bin":
            size = min(max(int(match.group(2) or 0), 0), len(octets) - place)
            reader.data.append(("bin", bytearray(octets[place : place + size])))
            place += size
        else:
            _take(match, reader)
    reader.flush()
    text = "".join(reader.text)
    if reader.above:
        yield Chunk(octets[start:].decode("latin-1"), document.place)
    yield Chunk(text, document.place)
    for count, (kind, data) in enumerate(reader.data, 1):
        where = f"{document.place}, {'picture' if kind == 'pict' else 'embedded object'} {count}"
        content = bytes(data) if kind == "bin" else _unhexed(data)
        if content and kind == "pict":
            yield from descent.into(Document(content, "", "", where))
        elif content:
            yield from read_embedded(content, where, descent)


def _take(match: re.Match[bytes], reader: _Reader) -> None:
    word, number, code, symbol, brace, plain = match.groups()
    if brace == b"{":
        if len(reader.above) > _DEEPEST:
            raise UnreadableError(Unread.OVER_LIMIT, "depth")
        reader.above.append(reader.group)
        reader.to_skip = 0
    elif brace == b"}":
        reader.flush()
        reader.group = reader.above.pop() if reader.above else _Group()
        reader.to_skip = 0
    elif code:
        reader.put(binascii.unhexlify(code))
    elif plain:
        reader.put(plain)
    elif word:
        _obey(word, int(number) if number else None, reader)
    elif symbol in _SYMBOLS:
        reader.say(_SYMBOLS[symbol])
    elif symbol:
        reader.put(symbol)


def _obey(word: bytes, number: int | None, reader: _Reader) -> None:
    if word == b"u" and number is not None:
        _say_unicode(number, reader)
    elif word == b"uc" and number is not None:
        reader.group = replace(reader.group, skips=min(max(number, 0), 10))
    elif word == b"ansicpg" and number is not None:
        reader.codec = _codec(number)
    elif word in (b"mac", b"pc", b"pca"):
        reader.codec = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}[word]
    elif word in (b"pict", b"objdata", b"datastore"):
        reader.flush()
        reader.data.append((word.decode("ascii"), bytearray()))
        reader.group = replace(reader.group, data=word.decode("ascii"))
    elif word in _SILENT:
        reader.flush()
        reader.group = replace(reader.group, is_silent=True)
    elif word in _MARKS:
        reader.say(_MARKS[word])


def _say_unicode(number: int, reader: _Reader) -> None:
    point = number & 0xFFFF
    reader.flush()
    if not reader.group.is_silent and not reader.group.data:
        reader.text.append(chr(point) if not 0xD800 <= point < 0xE000 else "�")
    reader.to_skip = reader.group.skips


def _codec(page: int) -> str:
    from gateway.mime.charsets import codec_for

    return {65001: "utf_8", 10000: "mac_roman"}.get(page) or codec_for(f"cp{page}") or "cp1252"


def _unhexed(data: bytearray) -> bytes:
    digits = bytes(data).translate(None, _NOT_HEX)
    return binascii.unhexlify(digits[: len(digits) // 2 * 2])


_NOT_HEX: Final = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
