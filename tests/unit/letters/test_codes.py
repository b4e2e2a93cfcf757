"""The code of a cover sheet after a fax: both resolutions, askew, with noise, upside down; read as any reader does."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from gateway.domain.cover_sheet import new_reference, reference_in
from gateway.letters.wording import Letters
from gateway.programmes import load_programme
from gateway.resources import programmes_folder

MANY = 100
WIDTH = 1728  # of a fax line, at 204 dpi
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
SHIPPED = load_programme(programmes_folder() / "cwa")


def printed(reference: str) -> Image.Image:
    """The sheet on paper, as a scanner sees it at 204 dpi."""
    octets = Letters("try-out").cover_sheets(SHIPPED, "en", [(reference, UNTIL)])
    page = pypdfium2.PdfDocument(octets)[0].render(scale=204 / 72, grayscale=True).to_pil()
    return page.crop((0, 0, WIDTH, page.height))


def faxed(page: Image.Image, draw: random.Random, lines: int) -> Image.Image:
    """The page as it arrives: crooked, so many lines an inch, black and white, with specks and lost lines."""
    sent = page.rotate(draw.uniform(-3, 3), Image.Resampling.BILINEAR, fillcolor=255)
    if draw.random() < 0.5:
        sent = sent.rotate(180)
    height = round(sent.height * lines / 204)
    threshold = draw.randint(90, 170)
    bits = sent.resize((WIDTH, height)).point(lambda grey: 255 * (grey > threshold)).convert("1")
    dots = bits.load()
    for _ in range(WIDTH * height // 200):  # half of a hundredth of all dots
        x, y = draw.randrange(WIDTH), draw.randrange(height)
        dots[x, y] = 255 - dots[x, y]
    for _ in range(3):
        lost = draw.randrange(1, height)
        bits.paste(bits.crop((0, lost - 1, WIDTH, lost)), (0, lost))
    return bits


def read(arrived: Image.Image) -> set[str]:
    """What stands in the codes of a page, brought to square dots first."""
    square = arrived.convert("L").resize((arrived.width, round(arrived.width * 11 / 8.47)))
    return {found for code in zxingcpp.read_barcodes(square) if (found := reference_in(code.text))}


@pytest.mark.parametrize("count", [MANY // 5, pytest.param(MANY, marks=pytest.mark.sweep)])
def test_of_a_hundred_codes_that_were_faxed_no_more_than_one_is_lost_and_none_is_misread(count: int) -> None:
    draw = random.Random("cover sheets")
    found: list[set[str]] = []
    for lines in (98, 196):
        for _ in range(5):
            reference = new_reference(trial=True, below=draw.randrange)
            page = printed(reference)
            for _ in range(count // 10):
                arrived = read(faxed(page, draw, lines))
                assert arrived <= {reference}
                found.append(arrived)
    assert len(found) == count
    assert sum(map(bool, found)) >= count - 1
