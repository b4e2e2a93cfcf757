"""Persons of a form, one a row of a table or one a block: each keeps its own box to tick, whatever cannot be read."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageDraw

from gateway.domain.layout import Column, FormLayout, Look
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.places import Labels
from gateway.screening.recognition.tables import Cell, find_cells
from gateway.screening.recognition.words import Word, lines_of

FORM = FormLayout(
    "Form 1", ("Form 1",), ("A form",),
    table=(
        Column("name", ("Name",)), Column("e-mail", ("E-mail address",), Look.EMAIL),
        Column("telephone", ("Telephone number",), Look.TELEPHONE), Column("box", ("Proxy",), Look.TICK),
    ),
    blocks=("Designated user",),
)  # fmt: skip
HIGH, PITCH = 18, 180
TICKED = [False, True, True, False]


def word(text: str, left: int, top: int, width: int = 0) -> Word:
    return Word(text, Box(left, top, left + (width or 11 * len(text)), top + HIGH), 95.0)


def box(draw: ImageDraw.ImageDraw, left: int, top: int, *, ticked: bool) -> None:
    draw.rectangle((left, top, left + 30, top + 30), outline=0, width=3)
    if ticked:
        draw.line((left - 4, top - 4, left + 34, top + 34), fill=0, width=4)
        draw.line((left - 4, top + 34, left + 34, top - 4), fill=0, width=4)


def cells(image: Image.Image, words: Iterable[Word]) -> list[Cell]:
    told = [*FORM.blocks, *(head for column in FORM.table for head in column.heads)]
    return find_cells(image, Labels(lines_of(words), told), FORM)


def ticks(found: Iterable[Cell]) -> dict[int, bool | None]:
    return {one.row: one.tick.ticked if one.tick else None for one in found if one.column.key == "box"}


def blocks(unread: tuple[str, ...] = (), persons: Iterable[int] = ()) -> tuple[Image.Image, list[Word]]:
    """Blocks below each other, in which these labels of these persons cannot be read."""
    image = Image.new("L", (1600, 1000), 255)
    draw = ImageDraw.Draw(image)
    words: list[Word] = []
    for at, ticked in enumerate(TICKED):
        top = 100 + at * PITCH
        box(draw, 1100, top + 104, ticked=ticked)
        labels = {
            "Designated": word("Designated", 80, top), "user": word("user", 200, top),
            "Name": word("Name", 80, top + 50),
            "E-mail": word("E-mail", 850, top + 50), "address": word("address", 930, top + 50),
            "Telephone": word("Telephone", 80, top + 110), "number": word("number", 190, top + 110),
            "Proxy": word("Proxy", 1000, top + 110),
        }  # fmt: skip
        words += [one for text, one in labels.items() if not (at in persons and text in unread)]
        words += [word("Ines", 300, top + 50), word("Vale", 360, top + 50), word("383-576-9967", 300, top + 110)]
    return image, words


def test_each_person_of_a_block_has_the_box_beside_its_label() -> None:
    assert ticks(cells(*blocks())) == dict(enumerate(TICKED, 1))


def test_a_person_none_of_whose_labels_can_be_read_keeps_its_row() -> None:
    every = ("Designated", "user", "Name", "E-mail", "address", "Telephone", "number", "Proxy")
    found = cells(*blocks(every, [1]))
    assert ticks(found) == dict(enumerate(TICKED, 1))
    assert {one.row for one in found if one.column.key == "telephone"} == {1, 2, 3, 4}


def test_boxes_are_found_where_no_label_of_one_can_be_read() -> None:
    assert ticks(cells(*blocks(("Proxy",), range(4)))) == dict(enumerate(TICKED, 1))


def table(unread: tuple[str, ...] = ()) -> tuple[Image.Image, list[Word]]:
    """A ruled table of these persons and two empty rows; of the second nothing can be read."""
    image = Image.new("L", (1600, 800), 255)
    draw = ImageDraw.Draw(image)
    edges = (80, 500, 960, 1300, 1500)
    for edge in edges:
        draw.line((edge, 100, edge, 150 + 70 * 6), fill=0, width=4)
    for level in (100, *(150 + 70 * at for at in range(7))):
        draw.line((edges[0], level, edges[-1], level), fill=0, width=4)
    heads = [
        word("Name", 95, 112), word("E-mail", 515, 112), word("address", 595, 112), word("Telephone", 975, 112),
        word("number", 1090, 112), word("Proxy", 1315, 112),
    ]  # fmt: skip
    words = [one for one in heads if one.text not in unread]
    for at, ticked in enumerate([*TICKED, False, False]):
        top = 150 + 70 * at
        box(draw, 1380, top + 20, ticked=ticked)
        if at == 1:
            for across in (120, 560, 1000):
                draw.line([(across + 12 * step, top + 25 + 18 * (step % 2)) for step in range(16)], fill=0, width=4)
        elif at < len(TICKED):
            words += [word("Ines", 95, top + 25), word("Vale", 150, top + 25), word("383-576-9967", 975, top + 25)]
    return image, words


def test_a_row_that_cannot_be_read_is_one_all_the_same_and_an_empty_one_is_none() -> None:
    assert ticks(cells(*table())) == dict(enumerate(TICKED, 1))


def test_a_table_is_known_by_two_heads_and_its_lines() -> None:
    found = cells(*table(("E-mail", "address", "Telephone", "number")))
    assert ticks(found) == dict(enumerate(TICKED, 1))
    assert {one.column.key for one in found} == {"name", "e-mail", "telephone", "box"}
