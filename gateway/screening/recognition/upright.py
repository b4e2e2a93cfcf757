"""A page turned upright and level, found by reading its head; and whether anything stands on it at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from gateway.domain.recognition import SCALE
from gateway.screening.extraction import straightening
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.cleaning import without_rules
from gateway.screening.recognition.words import Word, read_words

_HEAD: Final = 0.27  # of the page's height, from where print begins
_EDGE: Final = 0.035  # a fax machine prints a line of its own there
_SURE: Final = 72.0
_LETTERS: Final = 30
_MUCH: Final = 200
_CLEARLY: Final = 1.15
_STEP: Final = 8  # pixels
_TURNS: Final = {
    None: 0, Image.Transpose.ROTATE_270: 90, Image.Transpose.ROTATE_180: 180, Image.Transpose.ROTATE_90: 270,
}  # fmt: skip
_DARK: Final = 150
_MARKS: Final = 60  # dark spots of 4 × 4 pixels; a line of print has hundreds
_LIGHT: Final = 246


@dataclass(frozen=True, slots=True)
class Upright:
    """A page turned, and the same without ruled lines, as it is read; how far it was turned clockwise; the words that
    were read so far, and between which rows.
    """

    image: Image.Image
    plain: Image.Image
    turn: int
    words: tuple[Word, ...]
    read: tuple[int, int]

    def read_on(self, bands: Iterable[tuple[int, int]]) -> Upright:
        """Read these parts of the page, in ten-thousandths of its height, as far as they are not read yet."""
        words = list(self.words)
        top, bottom = self.read
        for begin, end in bands:
            rows = begin * self.image.height // SCALE, end * self.image.height // SCALE
            for above, below in ((rows[0], min(rows[1], top)), (max(rows[0], bottom), rows[1])):
                if below - above > _STEP:
                    words += read_words(self.plain, Box(0, above, self.image.width, below))
        return replace(self, words=tuple(words))


def is_blank(image: Image.Image) -> bool:
    """Tell whether a page has nothing on it but dirt, and the line that fax machines print at an edge."""
    edge = int(image.height * _EDGE)
    inside = image.crop((edge, edge, image.width - edge, image.height - edge)).reduce(4)
    return sum(inside.histogram()[:_DARK]) < _MARKS


def turn_upright(image: Image.Image) -> Upright:
    """Turn a page (mode L) by the quarter, and the few degrees, with which its head reads best."""
    best: tuple[float, Upright] | None = None
    for turn, angle in straightening.likely_turns(image):
        page = straightening.straighten(image if turn is None else image.transpose(turn), angle)
        plain = without_rules(page)
        head = _head(plain)
        words = tuple(read_words(plain, head))
        sure, letters = _quality(words)
        weight = sure * min(letters, _MUCH)
        if best is None or weight > best[0] * _CLEARLY:
            best = weight, Upright(page, plain, _TURNS[turn], words, (head.top, head.bottom))
        if sure >= _SURE and letters >= _LETTERS:
            break
    assert best is not None
    return best[1]


def _head(page: Image.Image) -> Box:
    """The part of a page from where its print begins, to a row between lines."""
    rows = _rows(page, 0, page.height)
    first = next((at for at in range(int(len(rows) * _EDGE), len(rows)) if rows[at] < _LIGHT), 0)
    top = max(first * _STEP - _STEP, 0)
    bottom = min(top + int(page.height * _HEAD), page.height)
    near = _rows(page, bottom - 6 * _STEP, bottom)
    whitest = max(range(len(near)), key=lambda at: near[at]) if near else 0
    return Box(0, top, page.width, max(bottom - 6 * _STEP + whitest * _STEP + _STEP // 2, top + 1))


def _rows(page: Image.Image, top: int, bottom: int) -> bytes:
    """How light each few rows of pixels are, 0 to 255."""
    part = page.crop((0, top, page.width, bottom))
    return part.resize((1, max(part.height // _STEP, 1)), Image.Resampling.BOX).tobytes()


def _quality(words: Sequence[Word]) -> tuple[float, int]:
    """How sure words were read, letter by letter, and how many letters they have."""
    letters = [(sum(sign.isalnum() for sign in word.text), word.confidence) for word in words]
    count = sum(size for size, _ in letters if size > 1)
    return (sum(size * sure for size, sure in letters if size > 1) / count if count else 0.0), count
