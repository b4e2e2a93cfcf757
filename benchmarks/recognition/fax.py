"""A sheet as it comes out of a fax line: turned, specked, thin or bold, in few lines, coded by T.4 or T.6."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from benchmarks.screening import people
from benchmarks.screening.pages import font

WIDTH = 1728


@dataclass(frozen=True, slots=True)
class Line:
    """What a line does to all sheets of one fax."""

    fine: bool
    coding: str
    specks: float  # of the pixels
    threshold: int
    blur: float

    @classmethod
    def any(cls, rng: Random) -> Line:
        """Draw one by lot."""
        return cls(
            rng.random() < 0.5, rng.choice(["group3", "group4"]), rng.choice([0, 0.0003, 0.001, 0.003]),
            rng.randint(115, 175), rng.uniform(0.2, 0.9),
        )  # fmt: skip


def send(rng: Random, line: Line, sheets: Sequence[tuple[Image.Image, int]]) -> bytes:
    """Return a TIFF of these sheets, each turned by so many quarters (degrees, counter-clockwise)."""
    top = f"{people.day(rng):%m/%d/%Y} {rng.randint(8, 18)}:{rng.randint(10, 59)}  {people.telephone(rng)}"
    pages = [
        _page(rng, line, sheet, turn, f"{top}  P.{at:02}/{len(sheets):02}")
        for at, (sheet, turn) in enumerate(sheets, 1)
    ]
    held = io.BytesIO()
    dpi = (204, 196 if line.fine else 98)
    pages[0].save(held, "TIFF", compression=line.coding, dpi=dpi, save_all=True, append_images=pages[1:])
    return held.getvalue()


def _page(rng: Random, line: Line, sheet: Image.Image, turn: int, top: str) -> Image.Image:
    skewed = sheet.rotate(rng.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=255)
    if turn:
        skewed = skewed.rotate(turn, expand=True)
    if skewed.width != WIDTH:
        skewed = skewed.resize((WIDTH, round(skewed.height * WIDTH / skewed.width)), Image.Resampling.LANCZOS)
    blurred = skewed.filter(ImageFilter.GaussianBlur(line.blur))
    ImageDraw.Draw(blurred).text((60, 10), top, fill=0, font=font("DejaVuSansMono", 26))
    rows = round(blurred.height * (196 if line.fine else 98) / 204)
    page = blurred.resize((WIDTH, rows), Image.Resampling.BOX).point(lambda value: 255 if value > line.threshold else 0)
    _speck(rng, page, line.specks)
    return page.convert("1")


def _speck(rng: Random, page: Image.Image, share: float) -> None:
    for _ in range(int(page.width * page.height * share)):
        page.putpixel((rng.randrange(page.width), rng.randrange(page.height)), rng.choice([0, 0, 0, 255]))
    if share and rng.random() < 0.1:  # a dirty lens draws a line down the page
        across = rng.randrange(page.width)
        ImageDraw.Draw(page).line((across, 0, across, page.height), fill=0)
