"""Rows of a page as they stand: words by their boxes, with three blanks where a gap parts cells.

A recogniser gives a page block by block, and one blank between any two words: which value stands under which head is
lost. Measures are pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

_WIDE: Final = 1.45  # widths of a character: a blank is at most one and a third, also where all are equally wide
_APART: Final = 3.0  # heights of a word between two rows that do not belong together
_FEWEST: Final = 2  # rows with cells that make a table
_CELLS: Final = "   "


class Word(NamedTuple):
    """What was read, and its box on the page."""

    text: str
    left: int
    top: int
    right: int
    bottom: int


def rows_of_cells(words: Sequence[Word]) -> str:
    """All rows of a page, a line each; "" when its gaps part no cells."""
    if not words:
        return ""
    width = _middle([(word.right - word.left) / len(word.text) for word in words if len(word.text) > 2])
    height = _middle([float(word.bottom - word.top) for word in words])
    lines: list[str] = []
    tabular, last = 0, words[0].top
    for row in _rows(words, height):
        line = _line(row, width)
        tabular += _CELLS in line
        lines += ["", line] if row[0].top - last > _APART * height else [line]
        last = row[0].bottom
    return "\n".join(lines) if tabular >= _FEWEST else ""


def _rows(words: Sequence[Word], height: float) -> Iterator[list[Word]]:
    """Words of one level, from left to right, from the top of the page down."""
    row: list[Word] = []
    level = 0.0
    for word in sorted(words, key=lambda one: one.top + one.bottom):
        middle = (word.top + word.bottom) / 2
        if row and middle - level > height * 0.6:
            yield sorted(row, key=lambda one: one.left)
            row = []
        row.append(word)
        level = middle if len(row) == 1 else level + (middle - level) / len(row)
    yield sorted(row, key=lambda one: one.left)


def _line(row: list[Word], width: float) -> str:
    line = row[0].text
    for before, word in pairwise(row):
        line += (_CELLS if word.left - before.right > _WIDE * width else " ") + word.text
    return line


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 1.0
