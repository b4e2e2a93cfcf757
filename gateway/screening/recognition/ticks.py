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
_TICKED: Final = 0.06  # share of dark pixels inside
_CLEARLY: Final = 0.12
_LETTERS, _SURE = 2, 75.0  # of what is a word
_AWAY, _NEAR = 3, 6  # pixels from a box, and the width of the strip there that is looked at
_CROWDED: Final = 1.5  # what a strip full of ink weighs against an edge
_LARGE, _USUAL = 0.04, 34  # what a pixel of its side weighs, up to the usual one
_SPELT: Final = 0.5
_RIM, _RIM_LEAST = 0.25, 6  # of a box's side that its edge may be thick; and pixels
_LINED: Final = 0.4  # of a row of pixels that belongs to an edge, however crooked
_BEYOND: Final = 14  # pixels that a line of dirt runs on, above a box and below
_DOWNRIGHT, _APART = 230, 6  # mean of a column of pixels of such a line; pixels from it to what is none
_STRAY: Final = 4  # pixels by which it may be aslant there
WHOLE: Final = 3.4  # edges of a box that stands where nothing says that there is one
_RUN = re.compile(rb"\xff{%d,%d}" % (_SMALLEST - 4, _LARGEST + 40))


@dataclass(frozen=True, slots=True)
class Tick:
    """A box on the page, in its pixels: ticked or not, and how sure that is, 0 to 100."""

    box: Box
    ticked: bool
    confidence: int
    edges: float = 4.0  # of four, as far as they are drawn


def find_ticks(image: Image.Image, region: Box, least: float = _EDGES) -> list[Tick]:
    """Return the boxes in a part of a page (mode L, level), largest first; boxes in boxes are one."""
    part = image.crop((region.left, region.top, region.right, region.bottom))
    ink = part.point(lambda value: 255 if value < _INK else 0)
    found: list[tuple[float, float, Box]] = []
    for box in _candidates(ink.filter(ImageFilter.MaxFilter(3))):
        edges = _edges(ink, box)
        if sum(edges) >= least and min(edges) >= _WEAKEST:
            found.append((sum(edges), sum(edges) * 10 + (box.right - box.left) * 0.3, box))
    chosen: list[tuple[float, Box]] = []
    for edged, _, box in sorted(found, key=lambda one: -one[1]):
        if not any(_overlap(box, other) for _, other in chosen):
            chosen.append((edged, box))
    return [_judged(ink, box, region, edged) for edged, box in sorted(chosen, key=lambda one: -one[1].height)]


def likeliest(image: Image.Image, ticks: Iterable[Tick], words: Iterable[Word] = (), least: float = 0.0) -> Tick | None:
    """Return the one that is a box to tick if any is, and as likely as `least`: large, well drawn, with nothing
    close beside it, and no letter of a word.
    """
    printed = _printed(words)
    weighed = [(_weight(image, tick, printed), tick) for tick in ticks]
    best = max(weighed, key=lambda one: one[0], default=None)
    return best[1] if best and best[0] >= least else None


def _weight(image: Image.Image, tick: Tick, printed: Sequence[Box]) -> float:
    side = min(tick.box.height, tick.box.right - tick.box.left, _USUAL)
    spelt = _SPELT if any(_overlap(tick.box, box) for box in printed) else 0.0
    return tick.edges - _CROWDED * _crowded(image, tick.box) + _LARGE * (side - _SMALLEST) - spelt


def _crowded(image: Image.Image, box: Box) -> float:
    """How much ink is close to the middles of four sides, 0 to 4; what is drawn in a box may reach over its corners."""
    across, down = (box.right - box.left) // 4, (box.bottom - box.top) // 4
    strips = (
        (box.left - _AWAY - _NEAR, box.top + down, box.left - _AWAY, box.bottom - down),
        (box.right + _AWAY, box.top + down, box.right + _AWAY + _NEAR, box.bottom - down),
        (box.left + across, box.top - _AWAY - _NEAR, box.right - across, box.top - _AWAY),
        (box.left + across, box.bottom + _AWAY, box.right - across, box.bottom + _AWAY + _NEAR),
    )
    return sum(_inked(image, strip) for strip in strips)


def _inked(image: Image.Image, strip: tuple[int, int, int, int]) -> float:
    left, top, right, bottom = (
        max(strip[0], 0),
        max(strip[1], 0),
        min(strip[2], image.width),
        min(strip[3], image.height),
    )
    if right <= left or bottom <= top:
        return 0.0
    return sum(image.crop((left, top, right, bottom)).histogram()[:_INK]) / ((right - left) * (bottom - top))


def alone(ticks: Sequence[Tick], words: Iterable[Word]) -> list[Tick]:
    """Return those that are neither letters of a word nor boxes in a row."""
    printed = _printed(words)
    return [
        tick
        for tick in ticks
        if not any(_overlap(tick.box, box) for box in printed)
        and not any(_overlap(_wider(tick.box), other.box) for other in ticks if other is not tick)
    ]


def _printed(words: Iterable[Word]) -> list[Box]:
    """Where words are that are surely some."""
    return [
        word.box for word in words if word.confidence >= _SURE and sum(sign.isalnum() for sign in word.text) >= _LETTERS
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


def _judged(ink: Image.Image, found: Box, region: Box, edged: float) -> Tick:
    box = _outer(ink, found)
    rim_x = max(_RIM_LEAST, round((box.right - box.left) * _RIM))
    rim_y = max(_RIM_LEAST, round((box.bottom - box.top) * _RIM))
    inside = ink.crop((box.left + rim_x, box.top + rim_y, box.right - rim_x, box.bottom - rim_y))
    if dirt := _dirt(ink, box):
        inside.paste(0, (max(dirt[0] - rim_x, 0), 0, max(dirt[1] - rim_x, 0), inside.height))
    share = inside.histogram()[255] / max(inside.width * inside.height, 1)
    ticked = share >= _TICKED
    sure = min(abs(share - _TICKED) / _CLEARLY, 1.0) if ticked else min((_TICKED - share) / _TICKED, 1.0)
    placed = Box(box.left + region.left, box.top + region.top, box.right + region.left, box.bottom + region.top)
    return Tick(placed, ticked, 60 + round(38 * sure), edged)


def _outer(ink: Image.Image, box: Box) -> Box:
    """A box with its edges followed outwards, as far as they are thick, or crooked."""
    across, down = (box.right - box.left) // 4, (box.bottom - box.top) // 4
    rows = ink.crop((box.left + across, box.top - _OFF, box.right - across, box.bottom + _OFF))
    columns = ink.crop((box.left - _OFF, box.top + down, box.right + _OFF, box.bottom - down))
    above, below = _outwards(rows.resize((1, rows.height), Image.Resampling.BOX).tobytes())
    left, right = _outwards(columns.resize((columns.width, 1), Image.Resampling.BOX).tobytes())
    return Box(box.left - left, box.top - above, box.right + right, box.bottom + below)


def _outwards(flat: bytes) -> tuple[int, int]:
    """How many pixels farther out the edges reach at both ends."""
    ends = (line[_OFF - 1 :: -1] for line in (flat, flat[::-1]))
    first, last = (next((at for at, value in enumerate(end) if value < _LINED * 255), _OFF) for end in ends)
    return first, last


def _dirt(ink: Image.Image, box: Box) -> tuple[int, int] | None:
    """From where to where, from the box's left, a line of dirt crosses it that runs on above and below."""
    above = _crossing(ink, (box.left, box.top - _OFF - _BEYOND, box.right, box.top - _OFF))
    below = _crossing(ink, (box.left, box.bottom + _OFF, box.right, box.bottom + _OFF + _BEYOND))
    pairs = [(min(one, other), max(one, other)) for one in above for other in below if abs(one - other) <= _STRAY]
    return (pairs[0][0] - 2, pairs[0][1] + 3) if pairs else None


def _crossing(ink: Image.Image, strip: tuple[int, int, int, int]) -> list[int]:
    """Columns in which a line runs down a strip, and is alone there."""
    if strip[1] < 0 or strip[3] > ink.height:
        return []
    part = ink.crop(strip).filter(ImageFilter.MaxFilter(3))
    flat = part.resize((part.width, 1), Image.Resampling.BOX).tobytes()
    return [
        at
        for at, value in enumerate(flat)
        if value > _DOWNRIGHT
        and all(flat[one] < _DOWNRIGHT / 2 for one in (at - _APART, at + _APART) if 0 <= one < len(flat))
    ]


def _overlap(box: Box, other: Box) -> bool:
    across = min(box.right, other.right) - max(box.left, other.left)
    down = min(box.bottom, other.bottom) - max(box.top, other.top)
    return across > 0 and down > 0
