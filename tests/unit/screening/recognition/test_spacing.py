"""Rows of boxes, one a digit, whose lines a fax has broken, and the digits in them."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.digits import read_row
from gateway.screening.recognition.spacing import find_row

SIDE, TOP, GAP = 48, 60, 24


def row(groups: tuple[int, ...], lost: tuple[int, ...] = (), digits: str = "") -> tuple[Image.Image, list[Box]]:
    """Boxes of these groups; of the upright lines some are lost, counted from the left."""
    image = Image.new("L", (900, 190), 255)
    draw, across, line, cells = ImageDraw.Draw(image), 90, 0, []
    for size in groups:
        for wall in range(size + 1):
            if line not in lost:
                draw.line((across + wall * SIDE, TOP, across + wall * SIDE, TOP + SIDE), fill=0, width=3)
            line += 1
        for edge in (TOP, TOP + SIDE):
            draw.line((across, edge, across + size * SIDE, edge), fill=0, width=3)
        cells += [Box(across + at * SIDE, TOP, across + (at + 1) * SIDE, TOP + SIDE) for at in range(size)]
        across += size * SIDE + GAP
    face = ImageFont.load_default(36)
    for cell, digit in zip(cells, digits, strict=False):
        draw.text((cell.left + 14, cell.top + 4), digit, fill=0, font=face)
    return image, cells


def is_near(one: Box, other: Box) -> bool:
    return all(abs(a - b) <= 5 for a, b in zip(ends(one), ends(other), strict=True))


def ends(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


@pytest.mark.parametrize("lost", [(), (5,), (0, 7), (4, 5), (11,)])
def test_boxes_are_where_their_pitch_says_though_lines_are_lost(lost: tuple[int, ...]) -> None:
    image, cells = row((3, 2, 4), lost)
    found = find_row(image, [(2, 7), (3, 2, 4)])
    assert found is not None
    assert len(found.cells) == 9
    assert all(is_near(one, other) for one, other in zip(found.cells, cells, strict=True))


def test_of_two_editions_the_one_is_found_that_the_boxes_stand_in() -> None:
    image, cells = row((2, 7))
    found = find_row(image, [(3, 2, 4), (2, 7)])
    assert found is not None
    assert all(is_near(one, other) for one, other in zip(found.cells, cells, strict=True))


def test_lines_that_no_field_has_so_many_of_are_no_row_of_boxes() -> None:
    image, _ = row((3,))
    assert find_row(image, [(3, 2, 4), (2, 7)]) is None
    assert find_row(Image.new("L", (900, 190), 255), [(2, 7)]) is None
    assert find_row(Image.new("L", (900, 20), 255), [(2, 7)]) is None


def test_digits_are_read_with_the_strokes_that_run_beside_the_lines() -> None:
    image, _ = row((3, 2, 4), (4,), "722570147")
    found = find_row(image, [(3, 2, 4)])
    assert found is not None
    digits, sure = read_row(image, found)
    assert digits == "722570147"
    assert sure > 0


def test_empty_boxes_have_no_digits() -> None:
    image, _ = row((3, 2, 4))
    found = find_row(image, [(3, 2, 4)])
    assert found is not None
    assert read_row(image, found) == ("", 0)
