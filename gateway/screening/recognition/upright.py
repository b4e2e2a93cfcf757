"""A page turned upright and level, found by reading its head; and whether anything stands on it at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from gateway.screening.extraction import straightening
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.cleaning import without_rules
from gateway.screening.recognition.words import Word, read_words

_HEAD: Final = 0.27  # of the page's height, from where print begins
_EDGE: Final = 0.035  # a fax machine prints a line of its own there
_NARROW, _WIDE = 1_500, 1_700  # pixels: a page that lay on its side is as much smaller as a sheet is higher than wide
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

_Turn = tuple[Image.Transpose | None, float]


@dataclass(frozen=True, slots=True)
class Upright:
    """A page turned, and the same without ruled lines, as it is read; how far it was turned clockwise; the words that
    were read so far, and above which row.
    """

    image: Image.Image
    plain: Image.Image
    turn: int
    words: tuple[Word, ...]
    read: int

    def read_on(self) -> Upright:
        """Read the rest of the page."""
        below = Box(0, self.read, self.image.width, self.image.height)
        words = read_words(self.plain, below) if below.height > _STEP else []
        return replace(self, words=(*self.words, *words), read=self.image.height)


def is_blank(image: Image.Image) -> bool:
    """Tell whether a page has nothing on it but dirt, and the line that fax machines print at an edge."""
    edge = int(image.height * _EDGE)
    inside = image.crop((edge, edge, image.width - edge, image.height - edge)).reduce(4)
    return sum(inside.histogram()[:_DARK]) < _MARKS


def turn_upright(image: Image.Image, like: int = 0) -> Upright:
    """Turn a page (mode L) by the quarter, and the few degrees, with which its head reads best. `like` is how far the
    page before it was turned: of two turns that are as likely, that is tried first.
    """
    best: tuple[float, Upright] | None = None
    for turn, angle in _ordered(straightening.likely_turns(image), like):
        page = _enlarged(straightening.straighten(image if turn is None else image.transpose(turn), angle))
        plain = without_rules(page)
        bottom = _foot_of_head(plain)
        words = tuple(read_words(plain, Box(0, 0, plain.width, bottom)))
        sure, letters = _quality([word for word in words if word.box.bottom > plain.height * _EDGE])
        weight = sure * min(letters, _MUCH)
        if best is None or weight > best[0] * _CLEARLY:
            best = weight, Upright(page, plain, _TURNS[turn], words, bottom)
        if sure >= _SURE and letters >= _LETTERS:
            break
    assert best is not None
    return best[1]


def _ordered(turns: Sequence[_Turn], like: int) -> Iterable[_Turn]:
    """The likeliest turns first; of each two that make the same lines level, the one that is like another page's."""
    is_alike = _TURNS[turns[0][0]] % 180 == like % 180
    return sorted(turns, key=lambda each: _TURNS[each[0]] != like) if is_alike else turns


def _enlarged(page: Image.Image) -> Image.Image:
    if page.width >= _NARROW or page.height <= page.width:
        return page
    return page.resize((_WIDE, page.height * _WIDE // page.width), Image.Resampling.BICUBIC)


def _foot_of_head(page: Image.Image) -> int:
    """Where the upper part of a page ends, counted from where its print begins: in a row between lines."""
    rows = _rows(page, 0, page.height)
    first = next((at for at in range(int(len(rows) * _EDGE), len(rows)) if rows[at] < _LIGHT), 0)
    bottom = min(first * _STEP + int(page.height * _HEAD), page.height)
    near = _rows(page, bottom - 6 * _STEP, bottom)
    whitest = max(range(len(near)), key=lambda at: near[at]) if near else 0
    return max(bottom - 6 * _STEP + whitest * _STEP + _STEP // 2, 1)


def _rows(page: Image.Image, top: int, bottom: int) -> bytes:
    """How light each few rows of pixels are, 0 to 255."""
    part = page.crop((0, top, page.width, bottom))
    return part.resize((1, max(part.height // _STEP, 1)), Image.Resampling.BOX).tobytes()


def _quality(words: Sequence[Word]) -> tuple[float, int]:
    """How sure words were read, letter by letter, and how many letters they have."""
    letters = [(sum(sign.isalnum() for sign in word.text), word.confidence) for word in words]
    count = sum(size for size, _ in letters if size > 1)
    return (sum(size * sure for size, sure in letters if size > 1) / count if count else 0.0), count
