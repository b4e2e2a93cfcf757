"""Tables in plain text: rows parted by tabs, bars, semicolons, commas or two blanks; cells and heads of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.screening.lexicon import LEXICON, OF_KINDS

_RULE: Final = re.compile(r"[\s|+:=_-]*\Z")
_WIDE: Final = re.compile(r" {2,}")
_CODE: Final = re.compile(r"[=:;{}<>\\]")  # no line of a printed table
_ABBREVIATED: Final = ("no.", "No.", "nr.", "Nr.", "num.", "B.", "N.")
_MOST_ROWS: Final = 500  # rows of one column that are read below a head
_LONGEST_ROW: Final = 2_000
_LONGEST_LOOSE: Final = 90
_MOST_LOOSE: Final = 30
_Span = tuple[int, int]


class Tables:
    """Finds heads and columns in one text. Each line is looked at once, whatever is asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._heads: dict[int, int] = {}  # start of a row → start of the head row of its table
        self._loose: dict[int, _Span | None] = {}  # start of a line → the line that heads its block

    def head_of(self, at: int) -> _Span | None:
        """The cell that heads the column of the cell at an offset; None when that is no table, or is its head."""
        start, end = self._line(at)
        sign = self._sign(start, end)
        if not sign:
            return None
        head = self._head_row(start, end, sign)
        if head == start:
            return None
        column = sum(1 for cell in self._cells(start, end, sign) if cell[1] < at)
        cells = self._cells(head, self._line(head)[1], sign)
        return cells[column] if column < len(cells) else None

    def loose_head_of(self, start: int, end: int) -> _Span | None:
        """The line with a label over a number, in a block of short lines: a column read line by line, or the half of
        the head of rows that single blanks part, as printed pages have them.
        """
        row, until = self._line(start)
        if until - row > _LONGEST_LOOSE or row == 0 or _CODE.search(self._text, row, until):
            return None
        found = self._loose_head(row)
        if found is None:
            return None
        head, head_end = found
        first, last = not self._text[row:start].strip(" \t>*-"), not self._text[end:until].strip(" \t.")
        if first and last:
            return head, head_end
        middle = self._text.rfind(" ", head, head + (head_end - head) // 2 + 1)
        middle = head if middle < 0 else middle
        if last:
            return middle, head_end
        return (head, max(middle, head + (head_end - head) * 2 // 3)) if first else (head, head_end)

    def _loose_head(self, row: int) -> _Span | None:
        """The nearest line above with a label in the block of short lines that a line is in. Each is read once."""
        rows: list[int] = []
        found: _Span | None = None
        while row > 0 and row not in self._loose:
            rows.append(row)
            before, until = self._line(row - 1)
            if before == until or until - before > _LONGEST_LOOSE:
                break
            if self._is_loose_head(before, until) and self._labels(before, until):
                found = before, until
                break
            row = before
        else:
            found = self._loose.get(row)
        self._loose.update(dict.fromkeys(rows, found))
        return found

    def _labels(self, start: int, end: int) -> bool:
        if _CODE.search(self._text, start, end - 1):
            return False
        return any(label.role in OF_KINDS for label in LEXICON.labels(self._text, start, end))

    def _is_loose_head(self, start: int, end: int) -> bool:
        line = self._text[start:end].rstrip()
        if not 4 <= len(line) <= 60 or any(map(str.isdigit, line)):
            return False
        return line[-1] not in ".,;!?" or line.endswith(_ABBREVIATED)

    def below(self, at: int, after: int) -> Iterator[tuple[int, int, float]]:
        """Under a label in the first row of a table: the cells of its column, or the lines; each with its closeness."""
        start, end = self._line(at)
        if end + 1 >= len(self._text) or self._text[end + 1] == "\n":
            return  # nothing stands below
        sign = self._sign(start, end)
        if not sign:
            yield from self._lines_below(start, end, after)
            return
        if self._head_row(start, end, sign) != start:
            return
        heads = self._cells(start, end, sign)
        column = sum(1 for cell in heads if cell[1] < at)
        for _ in range(_MOST_ROWS):
            start, following = self._line(end + 1) if end + 1 < len(self._text) else (end, end)
            if following <= start or not self._continues(start, following, sign, None):
                return
            end = following
            cells = self._cells(start, end, sign)
            if column < len(cells) and not self._is_rule(start, end):
                last = column == len(heads) - 1  # "November 28, 1959" in a last column is one cell
                yield cells[column][0], end if last else cells[column][1], 0.95

    def _lines_below(self, start: int, end: int, after: int) -> Iterator[tuple[int, int, float]]:
        if not self._is_loose_head(start, end):
            return
        last = end - after <= 2
        for _ in range(_MOST_LOOSE):
            start, following = self._line(end + 1) if end + 1 < len(self._text) else (end, end)
            if following <= start or following - start > _LONGEST_LOOSE:
                return
            end = following
            yield (max(start, end - 24) if last else start), end, 0.8 if last else 0.6

    def _head_row(self, start: int, end: int, sign: str) -> int:
        """Start of the first row of the table that a row is in; remembered for every row on the way."""
        if start not in self._heads and (start < 2 or self._text[start - 2] == "\n"):
            self._heads[start] = start  # nothing stands above it
            return start
        row, rows, count = start, [start], self._count(start, end, sign)
        while row > 0 and row not in self._heads:
            before, until = self._line(row - 1)
            if before == until or not self._continues(before, until, sign, count):
                break
            row = before
            rows.append(row)
        head = self._heads.get(row, row)
        while head not in self._heads and head < start and self._is_no_head(head, sign):
            head = self._line(head)[1] + 1
        self._heads.update(dict.fromkeys(rows, head))
        return head

    def _is_no_head(self, row: int, sign: str) -> bool:
        """Whether a row is a rule, or a line of one cell above a table whose cells blanks part."""
        start, end = self._line(row)
        return self._is_rule(start, end) or (sign == "  " and not self._sign(start, end))

    def _continues(self, start: int, end: int, sign: str, count: int | None) -> bool:
        """Whether a line belongs to the table; where blanks part cells, a row may have one cell only."""
        if self._is_rule(start, end):
            return True
        own = self._sign(start, end)
        if sign == "  " and not own:
            return end - start <= 40 and self._text[end - 1] not in ".,:;!?"
        return own == sign and count in {None, self._count(start, end, sign)}

    def _line(self, at: int) -> _Span:
        start = self._text.rfind("\n", 0, at) + 1
        end = self._text.find("\n", at)
        return start, len(self._text) if end < 0 else end

    def _sign(self, start: int, end: int) -> str:
        """What parts the cells of a line: "" when it is no row."""
        if end - start > _LONGEST_ROW:
            return ""
        for sign in "\t|;":
            if self._text.find(sign, start, end) >= 0:
                return sign
        wide = "  " in self._text[start:end].strip()
        commas = self._text.count(",", start, end)
        if commas and not (wide and commas == self._text.count(", ", start, end)):
            return ","
        return "  " if wide else ""

    def _count(self, start: int, end: int, sign: str) -> int:
        if sign == "  ":
            return 0
        return self._text.count(sign, start, end)

    def _cells(self, start: int, end: int, sign: str) -> list[_Span]:
        if sign == "  ":
            line = self._text[start:end]
            bounds = [match.span() for match in _WIDE.finditer(line) if match.start() > 0]
            starts, ends = (
                [start, *(start + right for _, right in bounds)],
                [*(start + left for left, _ in bounds), end],
            )
            return list(zip(starts, ends, strict=True))
        cells: list[_Span] = []
        while True:
            cut = self._text.find(sign, start, end)
            if cut < 0:
                return [*cells, (start, end)]
            cells.append((start, cut))
            start = cut + 1

    def _is_rule(self, start: int, end: int) -> bool:
        return end > start and _RULE.match(self._text, start, end) is not None
