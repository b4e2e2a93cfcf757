"""Boxes to tick: which of what is square is one, and whether something is drawn in it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.ticks import Tick, find_ticks, likeliest
from gateway.screening.recognition.words import Word

LEFT, TOP, SIDE = 100, 80, 30
WHOLE = Box(0, 0, 300, 200)


def page(way: str = "") -> Image.Image:
    image = Image.new("L", (300, 200), 255)
    draw = ImageDraw.Draw(image)
    right, bottom = LEFT + SIDE, TOP + SIDE
    draw.rectangle((LEFT, TOP, right, bottom), outline=0, width=3)
    if way == "cross":
        draw.line((LEFT - 5, TOP - 5, right + 5, bottom + 5), fill=0, width=4)
        draw.line((LEFT - 5, bottom + 5, right + 5, TOP - 5), fill=0, width=4)
    elif way == "check":
        draw.line((LEFT + 2, TOP + 15, LEFT + 10, bottom + 2), fill=0, width=4)
        draw.line((LEFT + 10, bottom + 2, right + 16, TOP - 12), fill=0, width=4)
    elif way == "fill":
        draw.rectangle((LEFT + 5, TOP + 5, right - 5, bottom - 5), fill=0)
    elif way == "crooked":
        draw.rectangle((LEFT, bottom, LEFT + SIDE // 2, bottom + 3), fill=0)
        draw.rectangle((LEFT + SIDE // 2, TOP - 3, right, TOP), fill=0)
    elif way == "dirt":
        draw.line((LEFT + 14, 0, LEFT + 17, 199), fill=0, width=1)
    return image


def only(image: Image.Image) -> Tick:
    found = likeliest(image, find_ticks(image, WHOLE))
    assert found is not None
    assert abs(found.box.left - LEFT) <= 6
    assert abs(found.box.top - TOP) <= 6
    return found


@pytest.mark.parametrize("way", ["cross", "check", "fill"])
def test_what_is_drawn_in_a_box_ticks_it_though_it_reaches_beyond(way: str) -> None:
    assert only(page(way)).ticked


@pytest.mark.parametrize("way", ["", "crooked", "dirt"])
def test_neither_crooked_edges_nor_a_line_of_dirt_tick_a_box(way: str) -> None:
    assert not only(page(way)).ticked


def test_a_box_that_stands_alone_is_likelier_than_one_between_letters() -> None:
    image = page()
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 80, 224, 104), outline=0, width=3)
    for across in (190, 229):
        draw.rectangle((across, 82, across + 5, 102), fill=0)
    found = likeliest(image, find_ticks(image, WHOLE))
    assert found is not None
    assert abs(found.box.left - LEFT) <= 3


def test_a_letter_of_a_word_is_no_box_to_tick() -> None:
    image = page()
    words = [Word("Domain", Box(LEFT, TOP, LEFT + 150, TOP + SIDE), 96.0)]
    ticks = find_ticks(image, WHOLE)
    alone, spelt = likeliest(image, ticks, (), 4.2), likeliest(image, ticks, words, 4.2)
    assert alone is not None
    assert spelt is None
