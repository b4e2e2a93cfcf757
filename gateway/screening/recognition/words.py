"""Words of a page with their places, as OCR reads them, and the lines that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import tesserocr
from PIL import Image

from gateway.screening.extraction.combs import Box
from gateway.screening.extraction.ocr import engine

_WORD: Final = "5"  # the level of a row that is one
_FIELDS: Final = 12
_LEAST: Final = 20.0  # confidence; what is below is dirt
_DOTS: Final = 200
_FAR: Final = 1.6  # heights of a letter
_LOW: Final = 14  # pixels; a comma is no measure


@dataclass(frozen=True, slots=True)
class Word:
    """What stands in a box of the page, in pixels; confidence is 0 to 100."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Line:
    """Words beside each other, left to right; there is one at least."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """The words, parted by blanks."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        """What the words cover."""
        return around(word.box for word in self.words)


def read_words(image: Image.Image, box: Box | None = None, *, sparse: bool = True) -> list[Word]:
    """Read a page (mode L, upright), or a part of it, and return its words in the page's pixels."""
    part = image.crop((box.left, box.top, box.right, box.bottom)) if box else image
    across, down = (box.left, box.top) if box else (0, 0)
    table = _table(part, tesserocr.PSM.SPARSE_TEXT if sparse else tesserocr.PSM.AUTO)
    words = (_word(row.split("\t"), across, down) for row in table.split("\n"))
    return [word for word in words if word is not None]


def read_line(image: Image.Image, signs: str = "") -> tuple[str, int]:
    """Read a picture of one line of print, of these signs alone where some are given; with the mean confidence."""
    return _read(image, signs, tesserocr.PSM.SINGLE_LINE)


def read_sign(image: Image.Image, signs: str) -> str:
    """Read a picture of one of these signs; "" where it is like none."""
    return _read(image, signs, tesserocr.PSM.SINGLE_CHAR)[0]


def lines_of(words: Iterable[Word]) -> list[Line]:
    """Put words together that stand beside each other, topmost line first."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: (one.box.top + one.box.bottom, one.box.left)):
        middle = (word.box.top + word.box.bottom) // 2
        for row in rows[-6:]:
            last = row[-1].box
            if (
                min(last.bottom, word.box.bottom) - max(last.top, word.box.top) > 0
                and last.top <= middle <= last.bottom
            ):
                row.append(word)
                break
        else:
            rows.append([word])
    return [Line(tuple(sorted(row, key=lambda one: one.box.left))) for row in rows]


def parted(line: Line, far: float = _FAR, low: int = _LOW) -> list[Line]:
    """Part a line where its words stand far apart, as fields do: so many heights of a letter, `low` at least."""
    pieces: list[list[Word]] = []
    for word in line.words:
        last = pieces[-1][-1].box if pieces else None
        high = min(last.height, word.box.height) if last else 0
        if last is None or word.box.left - last.right > far * max(high, low):
            pieces.append([])
        pieces[-1].append(word)
    return [Line(tuple(piece)) for piece in pieces]


def around(boxes: Iterable[Box]) -> Box:
    """Return the box that holds these; there is one at least."""
    every = list(boxes)
    return Box(
        min(one.left for one in every),
        min(one.top for one in every),
        max(one.right for one in every),
        max(one.bottom for one in every),
    )


def _table(image: Image.Image, mode: int) -> str:
    api = engine()
    api.SetPageSegMode(mode)
    api.SetVariable("tessedit_char_whitelist", "")
    try:
        api.SetImageBytes(image.tobytes(), image.width, image.height, 1, image.width)
        api.SetSourceResolution(_DOTS)
        return str(api.GetTSVText(0))
    finally:
        api.Clear()


def _read(image: Image.Image, signs: str, mode: int) -> tuple[str, int]:
    api = engine()
    api.SetPageSegMode(mode)
    api.SetVariable("tessedit_char_whitelist", signs)
    try:
        api.SetImageBytes(image.tobytes(), image.width, image.height, 1, image.width)
        api.SetSourceResolution(_DOTS)
        return " ".join(api.GetUTF8Text().split()), int(api.MeanTextConf())
    finally:
        api.Clear()
        api.SetVariable("tessedit_char_whitelist", "")


def _word(row: list[str], across: int, down: int) -> Word | None:
    if len(row) != _FIELDS or row[0] != _WORD:
        return None
    left, top, width, height = map(int, row[6:10])
    confidence, text = float(row[10]), row[11].strip()
    if confidence < _LEAST or not text or not text.isprintable() or width < 1 or height < 1:
        return None
    left, top = left + across, top + down
    return Word(text, Box(left, top, left + width, top + height), confidence)
