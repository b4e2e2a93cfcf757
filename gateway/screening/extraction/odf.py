"""The words of one ODF part (OASIS OpenDocument 1.3): paragraphs, tables with their heads, and filled values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.screening.chunk import Chunk
from gateway.screening.extraction import tables
from gateway.screening.extraction.descent import Item
from gateway.screening.extraction.xmls import walk

_WORDED: Final = frozenset(
    "string-value current-value value label title description help-message formula date-value display-name author"
    " user-defined href name".split()
)
_NAMED_DULL: Final = frozenset(
    "style font-face list-style text-style graphic-properties page-layout master-page config-item config-item-set"
    " config-item-map-named config-item-map-indexed config-item-map-entry gradient marker fill-image".split()
)
_REPEATED: Final = 64


class _Words:
    """Collects running text and, apart, the rows of each table."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.attributes: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._nested: list[int] = []
        self._cell: list[str] | None = None
        self._value = ""
        self._repeat = 1
        self._is_muted = False

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        if name == "table" and "table" in space:
            self.tables.append([])
            self._nested.append(len(self.tables) - 1)
        elif name == "table-row" and self._nested:
            self.tables[self._nested[-1]].append([])
        elif name in ("table-cell", "covered-table-cell"):
            self._cell, self._value = [], attributes.get("value", "")
            told = attributes.get("number-columns-repeated", "1")
            self._repeat = min(int(told), _REPEATED) if told.isdecimal() else 1
        elif name in ("s", "tab", "line-break"):
            self.told("\t" if name == "tab" else "\n" if name == "line-break" else " ")
        self._is_muted = attributes.get("type") == "base64Binary"
        if name not in _NAMED_DULL and "style" not in space:
            self.attributes += [
                f"{name} {key}\t{value}" for key, value in attributes.items() if key in _WORDED and value
            ]

    def closed(self, space: str, name: str) -> None:
        if name in ("p", "h") or name.endswith("table-row") or space.endswith("meta:1.0") or "/dc/" in space:
            self.text.append("\n")
            if self._cell is not None:
                self._cell.append(" ")
        elif name.endswith("table-cell"):
            self._end_cell()
        elif name == "table" and "table" in space and self._nested:
            self._nested.pop()
        self._is_muted = False

    def told(self, text: str) -> None:
        if self._is_muted:
            return
        self.text.append(text)
        if self._cell is not None:
            self._cell.append(text)

    def _end_cell(self) -> None:
        if self._cell is not None and self._nested and self.tables[self._nested[-1]]:
            shown, stored = "".join(self._cell).strip(), tables.plain_number(self._value)
            same = shown.replace("-", "").replace(" ", "") == stored or not stored
            value = shown if same else f"{shown} {stored}".strip()
            self.tables[self._nested[-1]][-1].extend([value] * (self._repeat if value else 1))
        self._cell = None
        self.text.append("\t")


def read_odf_part(octets: bytes, place: str) -> Iterator[Item]:
    """Text, tables and worded attributes of one part. Raises UnreadableError(CORRUPT) when it is not well formed."""
    words = _Words()
    walk(octets, words)
    text = "".join(words.text).strip()
    if text:
        yield Chunk(text, place)
    for count, rows in enumerate(words.tables, 1):
        yield from tables.fields(rows, f"{place}, sheet {count}")
    if words.attributes:
        yield Chunk("\n".join(dict.fromkeys(words.attributes)), place)
