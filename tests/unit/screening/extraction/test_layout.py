from __future__ import annotations

from gateway.screening.extraction.layout import Word, rows_of_cells


def row(down: int, *cells: tuple[int, str]) -> list[Word]:
    """Words of a row: each cell at its place across, ten pixels a letter, five for a blank."""
    words = []
    for place, cell in cells:
        for word in cell.split():
            words.append(Word(word, place, down, place + 10 * len(word), down + 20))
            place = words[-1].right + 5
    return words


def test_a_value_stands_in_the_column_of_its_head() -> None:
    words = [*row(0, (0, "Name"), (200, "Tax no.")), *row(30, (0, "Ann Lee"), (200, "912 70 1234"))]
    assert rows_of_cells(words) == "Name   Tax no.\nAnn Lee   912 70 1234"


def test_rows_are_put_together_that_were_read_column_by_column() -> None:
    left = [*row(0, (0, "Name")), *row(34, (0, "Ann Lee")), *row(68, (0, "Bo Ray"))]
    right = [*row(3, (200, "Tax no.")), *row(31, (200, "912701234")), *row(70, (200, "912712234"))]
    assert rows_of_cells(left + right) == "Name   Tax no.\nAnn Lee   912701234\nBo Ray   912712234"


def test_what_stands_far_below_is_another_table() -> None:
    words = [*row(0, (0, "A"), (90, "B")), *row(200, (0, "C"), (90, "D"))]
    assert rows_of_cells(words) == "A   B\n\nC   D"


def test_a_page_of_sentences_has_no_cells() -> None:
    assert rows_of_cells([*row(0, (0, "The rehearsal begins")), *row(30, (0, "at seven"))]) == ""
    assert rows_of_cells([]) == ""
