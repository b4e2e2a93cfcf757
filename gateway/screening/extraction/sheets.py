"""Spreadsheets of OOXML: shared strings, cells as their format shows them, and binary sheets (.xlsb, [MS-XLSB]).

A taxpayer number formatted 000-00-0000 is stored as a number without leading zeros: the format gives them back.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.verdict import Unread
from gateway.screening.chunk import Chunk
from gateway.screening.extraction import tables
from gateway.screening.extraction.descent import Item, UnreadableError
from gateway.screening.extraction.texts import strings
from gateway.screening.extraction.xmls import walk

_WIDEST: Final = 512
_BUILT_IN_DATES: Final = frozenset({14, 15, 16, 17, 22, 27, 30, 36, 50, 57})
_MASK = re.compile(r"[0#?\-. ()/]*")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[[^\]]*\]|_.|\*.')
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]+")
_NUMBER = re.compile(r"sheet(\d+)")
# Record types of [MS-XLSB] section 2.3.2 that hold what a cell says.
_XLSB_STRINGS: Final = {6: 8, 8: 8, 19: 1}
_XLSB_REALS: Final = (5, 9)


@dataclass(slots=True)
class Workbook:
    """What cells refer to: the strings they share, and the code of each style's number format."""

    strings: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)

    def read(self, name: str, octets: bytes, place: str) -> Iterator[Item]:
        """One sheet's cells as fields under their heads, then its formulas and other words."""
        cells = _Cells(self)
        walk(octets, cells)
        number = _NUMBER.search(name)
        where = f"{place}, sheet {number.group(1)}" if number else f"{place}, sheet"
        yield from tables.fields(cells.rows, where)
        if cells.words:
            yield Chunk("\n".join(cells.words), where)


def open_workbook(parts: dict[str, bytes]) -> Workbook:
    """The shared strings and number formats among a package's parts; an empty workbook for what is none."""
    shared, styles = _SharedStrings(), _Styles()
    for name, content in parts.items():
        if name.lower().endswith("sharedstrings.xml"):
            _walk_what_reads(content, shared)
        elif name.lower() == "xl/styles.xml":
            _walk_what_reads(content, styles)
    return Workbook(shared.strings, [styles.codes.get(number, _built_in(number)) for number in styles.styles])


def shown(value: str, code: str) -> str:
    """A stored number as its format code shows it, as far as that matters here: masks of zeros and dates."""
    plain = tables.plain_number(value)
    if not code or not re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return plain
    mask = _QUOTED.sub(_unquoted, code.split(";", maxsplit=1)[0])
    if plain.isdecimal() and mask.count("0") >= 6 and _MASK.fullmatch(mask) and "." not in mask:
        return _fill(plain, mask)
    if re.search(r"y|d", mask, re.IGNORECASE) and 0 < float(plain) < 80_000:
        moment = _EPOCH + timedelta(days=float(plain))
        return moment.strftime("%Y-%m-%d")
    return plain


def _unquoted(match: re.Match[str]) -> str:
    """Marks that a format quotes, such as dashes; words that it puts round a number are left out."""
    words = str(match.group(1) or match.group(2) or "")
    return "" if re.search(r"[^\W_]", words) else words


def read_binary(octets: bytes, place: str) -> Iterator[Item]:
    """A binary part of a workbook: its strings and the numbers of its cells."""
    yield Chunk(strings(octets), place)
    try:
        yield Chunk("\n".join(_binary_cells(octets)), place)
    except (struct.error, IndexError) as problem:
        raise UnreadableError(Unread.CORRUPT, "sheet") from problem


def _walk_what_reads(content: bytes, listener: _SharedStrings | _Styles) -> None:
    """The part is read and judged again for itself: what is broken in it is told there."""
    try:
        walk(content, listener)
    except UnreadableError:
        return


def _built_in(number: int) -> str:
    return "yyyy-mm-dd" if number in _BUILT_IN_DATES else ""


def _fill(digits: str, mask: str) -> str:
    """Digits set into the places of a mask from the right; those that have no place stand before it."""
    rest, out = list(digits), []
    for mark in reversed(mask):
        if mark in "0#?":
            if rest:
                out.append(rest.pop())
            elif mark == "0":
                out.append("0")
        elif rest or "0" in mask:
            out.append(mark)
    return "".join(rest) + "".join(reversed(out)).strip()


class _SharedStrings:
    """The listener for sharedStrings.xml: one string a `si`."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._words: list[str] = []
        self._is_text = False

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        del space, attributes
        self._is_text = name == "t"
        if name == "si":
            self._words = []

    def closed(self, space: str, name: str) -> None:
        del space
        self._is_text = False
        if name == "si":
            self.strings.append("".join(self._words))

    def told(self, text: str) -> None:
        if self._is_text:
            self._words.append(text)


class _Styles:
    """The listener for styles.xml: own format codes, and the format of each cell style."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.styles: list[int] = []
        self._is_cell = False

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        del space
        number = attributes.get("numFmtId", "0")
        if name == "cellXfs":
            self._is_cell = True
        elif name == "numFmt" and number.isdecimal():
            self.codes[int(number)] = attributes.get("formatCode", "")
        elif name == "xf" and self._is_cell:
            self.styles.append(int(number) if number.isdecimal() else 0)

    def closed(self, space: str, name: str) -> None:
        del space
        if name == "cellXfs":
            self._is_cell = False

    def told(self, text: str) -> None:
        del text


class _Cells:
    """The listener for a sheet: rows of shown values, and all other words of it."""

    def __init__(self, workbook: Workbook) -> None:
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._workbook = workbook
        self._text: list[str] = []
        self._kind = ""
        self._style = ""
        self._column = 0

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        del space
        self._text = []
        if name == "row":
            self.rows.append([])
        elif name == "c":
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._column = self._place(attributes.get("r", ""))
        self.words += [f"{key}\t{attributes[key]}" for key in _WORDED & attributes.keys()]

    def closed(self, space: str, name: str) -> None:
        del space
        text = "".join(self._text)
        if name in ("v", "t") and text:
            self._put(self._value(text) if name == "v" else text)
        elif name not in ("c", "row", "is", "r") and text.strip():
            self.words.append(text)
        self._text = []

    def told(self, text: str) -> None:
        self._text.append(text)

    def _place(self, reference: str) -> int:
        match = _REFERENCE.fullmatch(reference.upper())
        if match is None:
            return len(self.rows[-1]) if self.rows else 0
        column = 0
        for letter in match.group(1):
            column = column * 26 + ord(letter) - 64
        return column - 1

    def _value(self, stored: str) -> str:
        if self._kind == "s":
            index = int(stored) if stored.strip().isdecimal() else -1
            return self._workbook.strings[index] if 0 <= index < len(self._workbook.strings) else stored
        if self._kind != "n":
            return stored
        style = int(self._style) if self._style.isdecimal() else -1
        formats = self._workbook.formats
        return shown(stored, formats[style] if 0 <= style < len(formats) else "")

    def _put(self, value: str) -> None:
        if not self.rows:
            self.rows.append([])
        row = self.rows[-1]
        if len(row) <= self._column < _WIDEST:
            row.extend([""] * (self._column + 1 - len(row)))
        if self._column < len(row):
            row[self._column] += value
        else:
            row.append(value)


_WORDED: Final = frozenset({"prompt", "promptTitle", "error", "errorTitle", "tooltip", "display", "location"})


def _binary_cells(octets: bytes) -> Iterator[str]:
    place = 0
    while place < len(octets):
        kind, place = _varint(octets, place, 2)
        size, place = _varint(octets, place, 4)
        body = octets[place : place + size]
        place += size
        if kind in _XLSB_STRINGS and len(body) >= _XLSB_STRINGS[kind] + 4:
            at = _XLSB_STRINGS[kind]
            count = struct.unpack_from("<L", body, at)[0]
            yield body[at + 4 : at + 4 + 2 * min(count, 32_768)].decode("utf-16-le", "replace")
        elif kind in _XLSB_REALS and len(body) >= 16:
            yield _digits(struct.unpack_from("<d", body, 8)[0])
        elif kind == 2 and len(body) >= 12:
            yield _digits(packed_number(struct.unpack_from("<L", body, 8)[0]))


def packed_number(packed: int) -> float:
    """An RK value ([MS-XLS] 2.5.217): 30 bits of an integer or of a double, at times a hundredfold."""
    if packed & 2:
        value: float = (packed >> 2) - (0x40000000 if packed & 0x80000000 else 0)
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return value / 100 if packed & 1 else value


def _digits(number: float) -> str:
    return str(int(number)) if number == number // 1 and abs(number) < 1e20 else repr(number)


def _varint(octets: bytes, place: int, most: int) -> tuple[int, int]:
    value = 0
    for count in range(most):
        octet = octets[place]
        place += 1
        value |= (octet & 0x7F) << 7 * count
        if octet < 0x80:
            break
    return value, place
