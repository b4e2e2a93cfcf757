"""Rows are found in quick ways where nothing stands above or below; here they are compared with the plain ones."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from gateway.screening.tables import Tables

CELLS = st.sampled_from(
    ["SSN", "name", "Ann Lee", "536-41-2879", "12", "", "passport no.", "---", "a long cell of words"]
)
SIGNS = st.sampled_from(["\t", " | ", ";", ", ", "  ", " "])
ROWS = st.builds(lambda sign, cells: sign.join(cells), SIGNS, st.lists(CELLS, min_size=1, max_size=4))
TEXTS = st.lists(st.one_of(ROWS, st.just("")), max_size=8).map("\n".join)


class Plain(Tables):
    """The same, each table looked through from the row that is asked about."""

    def below(self, at: int, after: int) -> Iterator[tuple[int, int, float]]:
        start, end = self._line(at)
        sign = self._sign(start, end)
        if not sign:
            yield from self._lines_below(start, end, after)
        elif self._head_row(start, end, sign) == start:
            heads = self._cells(start, end, sign)
            column = sum(1 for cell in heads if cell[1] < at)
            for row, row_end in self._rows_under(end, sign):
                cells = self._cells(row, row_end, sign)
                if column < len(cells) and not self._is_rule(row, row_end):
                    yield cells[column][0], row_end if column == len(heads) - 1 else cells[column][1], 0.95

    def _rows_under(self, end: int, sign: str) -> Iterator[tuple[int, int]]:
        while end + 1 < len(self._text):
            start, end = self._line(end + 1)
            if end <= start or not self._continues(start, end, sign, None):
                return
            yield start, end

    def _head_row(self, start: int, end: int, sign: str) -> int:
        row, count = start, self._count(start, end, sign)
        while row > 0:
            before, until = self._line(row - 1)
            if before == until or not self._continues(before, until, sign, count):
                break
            row = before
        while row < start and self._is_no_head(row, sign):
            row = self._line(row)[1] + 1
        return row


@given(TEXTS, st.data())
def test_heads_and_columns_are_those_that_are_found_row_by_row(text: str, data: st.DataObject) -> None:
    quick = Tables(text)
    digits = [at for at, sign in enumerate(text) if sign.isdigit()]
    letters = [at for at, sign in enumerate(text) if sign.isalpha()]
    for at in data.draw(st.permutations(digits)):
        assert quick.head_of(at) == Plain(text).head_of(at)
    for at in data.draw(st.permutations(letters)):
        assert list(quick.below(at, at + 1)) == list(Plain(text).below(at, at + 1))
