"""Small boxes to tick, found by their four edges, and whether something is drawn in one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageFilter

from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.words import Word

_INK: Final = 150
_SMALLEST, _LARGEST = 16, 64  # pixels of a box's side, at about 200 dots an inch
_OFF: Final = 6  # pixels by which two edges may miss each other
_EDGES: Final = 2.7  # of four, as far as they are drawn
_WEAKEST: Final = 0.35  # share of one edge
_TICKED: Final = 0.055  # share of dark pixels inside
_CLEARLY: Final = 0.12
_LETTERS, _SURE = 2, 75.0  # of what is a word
WHOLE: Final = 3.4  # edges of a box that stands where nothing says that there is one
_RUN = re.compile(rb"\xff{%d,%d}" % (_SMALLEST - 4, _LARGEST + 40))


@dataclass(frozen=True, slots=True)
class Tick:
    """A box on the page, in its pixels: ticked or not, and how sure that is, 0 to 100."""

    box: Box
    ticked: bool
    confidence: int


def find_ticks(image: Image.Image, region: Box, least: float = _EDGES) -> list[Tick]:
    """Return the boxes in a part of a page (mode L, level), largest first; boxes in boxes are one."""
    part = image.crop((region.left, region.top, region.right, region.bottom))
    ink = part.point(lambda value: 255 if value < _INK else 0)
    found: list[tuple[float, Box]] = []
    for box in _candidates(ink.filter(ImageFilter.MaxFilter(3))):
        edges = _edges(ink, box)
        if sum(edges) >= least and min(edges) >= _WEAKEST:
            found.append((sum(edges) * 10 + (box.right - box.left) * 0.3, box))
    chosen: list[Box] = []
    for _, box in sorted(found, key=lambda one: -one[0]):
        if not any(_overlap(box, other) for other in chosen):
            chosen.append(box)
    return [_judged(ink, box, region) for box in sorted(chosen, key=lambda one: -one.height)]


def alone(ticks: Sequence[Tick], words: Iterable[Word]) -> list[Tick]:
    """Return those that are neither letters of a word nor boxes in a row."""
    printed = [
        word.box for word in words if word.confidence >= _SURE and sum(sign.isalnum() for sign in word.text) >= _LETTERS
    ]
    return [
        tick
        for tick in ticks
        if not any(_overlap(tick.box, box) for box in printed)
        and not any(_overlap(_wider(tick.box), other.box) for other in ticks if other is not tick)
    ]


def _wider(box: Box) -> Box:
    return Box(box.left - _OFF, box.top, box.right + _OFF, box.bottom)


def _candidates(ink: Image.Image) -> Iterator[Box]:
    """Boxes that two runs of ink of one length could be the edges of: one above the other, or side by side."""
    for left, top, right, bottom in _pairs(ink):
        yield Box(left, top, right, bottom)
    for left, top, right, bottom in _pairs(ink.transpose(Image.Transpose.TRANSPOSE)):
        yield Box(top, left, bottom, right)


def _pairs(ink: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    octets, width = ink.tobytes(), ink.width
    runs = [
        (match.start() - row * width, match.end() - row * width, row)
        for row in range(ink.height)
        for match in _RUN.finditer(octets, row * width, (row + 1) * width)
    ]
    runs = _thinned(runs)
    for at, (left, right, top) in enumerate(runs):
        for other_left, other_right, bottom in runs[at + 1 :]:
            high, wide = bottom - top + 1, min(right, other_right) - max(left, other_left)
            if high > _LARGEST:
                break
            is_square = min(high, wide) >= _SMALLEST and wide <= _LARGEST and 0.72 < high / wide < 1.4
            if is_square and (abs(left - other_left) <= _OFF or abs(right - other_right) <= _OFF):
                yield max(left, other_left), top, min(right, other_right), bottom + 1


def _thinned(runs: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Of runs that lie on each other the first and the last."""
    made: list[tuple[int, int, int]] = []
    last: dict[tuple[int, int], tuple[int, bool]] = {}
    for left, right, row in runs:
        key = (left // 4, right // 4)
        before, doubled = last.get(key, (-9, False))
        if row - before <= 2 and doubled:
            made = [one for one in made if not (one[2] == before and one[0] // 4 == key[0] and one[1] // 4 == key[1])]
        made.append((left, right, row))
        last[key] = (row, row - before <= 2)
    return made


def _edges(ink: Image.Image, box: Box) -> tuple[float, float, float, float]:
    """How much of each edge of a box is drawn: above, below, at the left, at the right."""
    reach = 4
    across, down = box.right - box.left, box.bottom - box.top
    above = _covered(ink, (box.left, box.top - 1, box.right, box.top + reach), across, is_level=True)
    below = _covered(ink, (box.left, box.bottom - reach, box.right, box.bottom + 1), across, is_level=True)
    left = _covered(ink, (box.left - 1, box.top, box.left + reach, box.bottom), down, is_level=False)
    right = _covered(ink, (box.right - reach, box.top, box.right + 1, box.bottom), down, is_level=False)
    return above, below, left, right


def _covered(ink: Image.Image, strip: tuple[int, int, int, int], length: int, *, is_level: bool) -> float:
    """The share of a strip's length where it has ink."""
    part = ink.crop(strip)
    flat = part.resize((length, 1) if is_level else (1, length), Image.Resampling.BOX)
    return sum(1 for value in flat.tobytes() if value > 25) / max(length, 1)


def _judged(ink: Image.Image, box: Box, region: Box) -> Tick:
    edge = max(6, round(box.height * 0.24))
    inside = ink.crop((box.left + edge, box.top + edge, box.right - edge, box.bottom - edge))
    share = inside.histogram()[255] / max(inside.width * inside.height, 1)
    ticked = share >= _TICKED
    sure = min(abs(share - _TICKED) / _CLEARLY, 1.0) if ticked else min((_TICKED - share) / _TICKED, 1.0)
    placed = Box(box.left + region.left, box.top + region.top, box.right + region.left, box.bottom + region.top)
    return Tick(placed, ticked, 60 + round(38 * sure))


def _overlap(box: Box, other: Box) -> bool:
    across = min(box.right, other.right) - max(box.left, other.left)
    down = min(box.bottom, other.bottom) - max(box.top, other.top)
    return across > 0 and down > 0
