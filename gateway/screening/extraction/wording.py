"""The words of one OOXML part (or of any XML beside it): text as it runs, and the attributes that hold words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.screening.chunk import Chunk
from gateway.screening.extraction import tables
from gateway.screening.extraction.descent import Item
from gateway.screening.extraction.xmls import walk

# Attributes of the Office vocabularies that people fill; the rest of them are measures and ids.
_WORDED: Final = frozenset(
    "descr title alt string author initials displayName userName tooltip caption prompt promptTitle errorTitle"
    " displayText UnicodeString refersTo textlink href"
    " shortcutMenuBar subject keywords".split()
)
_VALUED: Final = frozenset(
    "docVar alias tag default listItem statusText helpText bookmarkStart ddDefault"
    " sheet definedName tableColumn sharedItems comment dataBinding".split()
)
_PIVOTED: Final = frozenset({"s", "n", "d", "e"})
_VALUES: Final = frozenset({"val", "value", "v", "name", "result"})
_OFFICE_SPACES: Final = (
    "http://schemas.openxmlformats.org/",
    "http://schemas.microsoft.com/",
    "urn:schemas-microsoft-com:",
    "http://purl.oclc.org/ooxml/",
    "http://purl.org/dc/",
)
_PLACED: Final = frozenset({"posOffset", "pctWidth", "pctHeight", "pctPosHOffset", "pctPosVOffset"})
_ENDS_LINE: Final = frozenset({"p", "br", "cr", "tr", "si", "comment", "text", "row", "Paragraph", "Glyphs"})
_ENDS_CELL: Final = frozenset({"tc", "tab", "ptab"})
_JOINS: Final = frozenset(
    "r t rPr proofErr bookmarkStart bookmarkEnd ins del smartTag hyperlink sdt sdtContent rt lastRenderedPageBreak"
    " noBreakHyphen softHyphen fldChar instrText delText tab".split()
)


class _Words:
    """Collects a part's text, a line a paragraph, a tab between cells."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.attributes: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._nested: list[list[list[str]]] = []
        self._cells: list[list[str]] = []
        self._muted = 0
        self._is_fresh = False

    def opened(self, space: str, name: str, attributes: dict[str, str]) -> None:
        self._is_fresh = False
        if name in _PLACED:
            self._muted += 1
        elif name == "noBreakHyphen":
            self.told("-")
        elif name == "tbl":
            self._nested.append([])
            self.tables.append(self._nested[-1])
        elif name == "tr" and self._nested:
            self._nested[-1].append([])
        elif name == "tc" and self._nested:
            self._cells.append([])
        is_office = space.startswith(_OFFICE_SPACES)
        for key, value in attributes.items():
            is_cached = key == "v" and name in _PIVOTED
            if not is_office or is_cached or self._is_worded(name, key, attributes):
                self.attributes.append(f"{attributes.get('name', name) if key in _VALUES else name} {key}\t{value}")

    def closed(self, space: str, name: str) -> None:
        del space
        if name in _PLACED:
            self._muted -= 1
        if name in _ENDS_CELL:
            self._end_cell(name)
        elif name == "tbl" and self._nested:
            self._nested.pop()
        elif name == "p" and self._cells:
            self.told(" ")
        elif name in _ENDS_LINE or (self._is_fresh and name not in _JOINS):
            self.text.append("\n")
            self._is_fresh = False

    def told(self, text: str) -> None:
        if not self._muted:
            self.text.append(text)
            self._is_fresh = True
            if self._cells:
                self._cells[-1].append(text)

    def _end_cell(self, name: str) -> None:
        if name == "tc" and self._cells:
            cell = "".join(self._cells.pop())
            if self._nested and self._nested[-1]:
                self._nested[-1][-1].append(cell)
        self.text.append("\t")

    @staticmethod
    def _is_worded(name: str, key: str, attributes: dict[str, str]) -> bool:
        if key == "Target":
            return attributes.get("TargetMode") == "External"
        return key in _WORDED or (key in _VALUES and name in _VALUED)


def read_part(octets: bytes, place: str) -> Iterator[Item]:
    """Text and worded attributes of one XML part. Raises UnreadableError(CORRUPT) when it is not well formed."""
    words = _Words()
    walk(octets, words)
    text = re.sub(r"\n\s*\n+", "\n", "".join(words.text)).strip()
    if text:
        yield Chunk(text, place)
    for rows in words.tables:
        if len(rows) > 1:
            yield from tables.fields(rows, place)
    if words.attributes:
        yield Chunk("\n".join(dict.fromkeys(words.attributes)), place)
