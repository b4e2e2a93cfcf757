"""Tables: rows to lines of `label<TAB>value`, the heads of the columns carried down; and the reader of CSV and TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from gateway.screening.chunk import Chunk, Form
from gateway.screening.extraction.descent import Descent, Document, Item
from gateway.screening.extraction.texts import readings
from gateway.screening.folding import fold
from gateway.screening.lexicon import LEXICON

_CHUNK: Final = 65_536
_HAS_DIGIT = re.compile(r"\d")
_HEAD_ROWS: Final = 20
_NINE = re.compile(r"\d{6,8}(?:\.0+)?|\d{9}\.0+")
# Heads under which a number of nine digits may have lost its leading zeros.
_ASKS_FOR_NINE = re.compile(
    r"\b(?:ssn|s\.s\.n|itin|ein|fein|tin|atin|sin|bsn|aba|rtn|tax ?(?:payer)? ?(?:id|no|number)|taxid|id ?number"
    r"|social ?(?:security|sec|insurance)|soc\.? ?sec|employer ?id|federal ?id|routing)",
    re.IGNORECASE,
)
_OF_NINE: Final = frozenset({"ssn", "itin", "atin", "ein", "qi_ein", "tin", "routing", "sin", "bsn", "tfn", "nifpt"})
_WHOLE = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DELIMITERS: Final = "\t,;|:"


def fields(rows: Iterable[Sequence[str]], place: str) -> Iterator[Chunk]:
    """Chunks of Form.FIELDS: a line a cell, an empty line between rows. A cell's label is its column's head and, when
    it is in words, its neighbour to the left.
    """
    heads: list[str] = []
    lines: list[str] = []
    size = 0
    for count, row in enumerate(rows):
        if not heads and count < _HEAD_ROWS and _is_head(row):
            heads = [_flat(cell) for cell in row]
        cells = list(_lines(row, heads))
        lines += cells
        lines.append("")
        size += sum(map(len, cells))
        if size > _CHUNK:
            yield Chunk("\n".join(lines), place, Form.FIELDS)
            lines, size = [], 0
    if size:
        yield Chunk("\n".join(lines), place, Form.FIELDS)


def plain_number(value: str) -> str:
    """A number as a sheet stores it ("1.23456789E8", "123456789.0") in plain digits; what is none stays as it is."""
    if not _WHOLE.fullmatch(value) or ("." not in value and "e" not in value.lower()):
        return value
    number = float(value)
    return str(int(number)) if number == int(number) and abs(number) < 1e20 else value


def read_table(document: Document, descent: Descent) -> Iterator[Item]:
    """A file of comma- or tab-separated values, its delimiter guessed; as plain text too when it is no table."""
    del descent
    for text in readings(document.octets):
        delimiter = _delimiter(text)
        if delimiter:
            csv.field_size_limit(len(text) + 1)
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            yield from fields(reader, document.place)
        else:
            yield Chunk(text, document.place)


def _lines(row: Sequence[str], heads: list[str]) -> Iterator[str]:
    before = ""
    for column, cell in enumerate(row):
        value = _flat(cell)
        if not value:
            continue
        head = heads[column] if column < len(heads) and heads[column] != value else ""
        label = f"{head} | {before}" if head and before else head or before
        yield f"{label}\t{padded(value, label)}"
        before = value if len(value) <= 100 and not _HAS_DIGIT.search(value) else ""


def padded(value: str, label: str) -> str:
    """The leading zeros that a sheet has dropped, where the label asks for nine digits."""
    return plain_number(value).zfill(9) if _NINE.fullmatch(value) and _asks_for_nine(label) else value


@lru_cache(maxsize=512)
def _asks_for_nine(label: str) -> bool:
    """Whether a label names a number of nine digits, in whatever language."""
    if _ASKS_FOR_NINE.search(label.replace("_", " ")):
        return True
    folded = fold(label[:200]).decode("ascii")
    return any(found.name in _OF_NINE for found in LEXICON.labels(folded, 0, len(folded)))


def _is_head(row: Sequence[str]) -> bool:
    """A row of words that names the columns: two cells at least, and none that is mostly a number."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) >= 2 and all(len(cell) <= 80 and not _is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    return sum(map(str.isdigit, cell)) * 2 >= len(cell)


def _flat(cell: str) -> str:
    return " ".join(cell.split())


def _delimiter(text: str) -> str:
    """The delimiter that stands equally often in the first lines; "" when none does."""
    lines = [line for line in text[:20_000].split("\n") if line.strip()][:30]
    if text[:4].lower() == "sep=" and lines[0][4:5]:
        return lines[0][4]
    best, most = "", 0.0
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines]
        common = max(set(counts), key=counts.count) if counts else 0
        score = counts.count(common) / len(counts) * min(common, 10) if common else 0.0
        if score > most:
            best, most = delimiter, score
    return best
