"""Rows of boxes, one a digit, found by their regular spacing: lines that a fax broke or lost are where the others say.

How many boxes stand together is known of a field; their pitch and where they begin are fitted to what is left of lines.
Measures are pixels of a page drawn at about 200 dots an inch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageFilter

from gateway.screening.extraction.combs import Box, Comb

_INK: Final = 150
_WINDOW: Final = 34  # rows in which an upright line of a box shows, and no stroke of a digit
_STEP: Final = 5
_WALL: Final = 215  # mean of a column of pixels of such a line
_SEEN: Final = 150  # of one that is expected there
_NARROWEST, _WIDEST = 28, 92  # of a box
_AFTER: Final = (0.12, 1.3)  # widths of a box that groups stand apart
_OFF: Final = 3  # pixels by which a line may miss its place
_FITS: Final = 0.7  # of the lines that there should be
_STRAY: Final = 0.3  # what a line weighs that should not be there; it may be a digit's
_MOST_WALLS: Final = 70
_PITCHES: Final = 3  # that are tried
_LOST: Final = 2  # lines in a row that may be lost at the beginning of a group
_SIDE: Final = (0.7, 1.6)  # how high boxes are, for their width


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the upright lines of each group are, and how many of them are seen, as a share."""

    groups: tuple[tuple[int, ...], ...]
    seen: float

    @property
    def start(self) -> int:
        """Where the first of these lines is."""
        return self.groups[0][0]

    @property
    def end(self) -> int:
        """Where the last one is."""
        return self.groups[-1][-1]


def find_row(image: Image.Image, groups: Sequence[Sequence[int]]) -> Comb | None:
    """Return the boxes of the row in a part of a page (mode L, level) that fits one of these groups best."""
    ink = image.point(lambda value: 255 if value < _INK else 0).filter(ImageFilter.MaxFilter(3))
    fits: list[tuple[int, _Fit]] = []
    for top in range(0, ink.height - _WINDOW, _STEP):
        flat = ink.crop((0, top, ink.width, top + _WINDOW)).resize((ink.width, 1), Image.Resampling.BOX).tobytes()
        if fit := _fitted(flat, groups):
            fits.append((top, fit))
    for best, middle in _likeliest(fits):
        above, below = _span(ink, [at for group in best.groups for at in group], middle)
        width = best.groups[0][1] - best.groups[0][0]
        if _SIDE[0] * width <= below - above <= _SIDE[1] * width:
            cells = [Box(left, above, right, below) for group in best.groups for left, right in pairwise(group)]
            return Comb(tuple(cells))
    return None


def _likeliest(fits: Sequence[tuple[int, _Fit]]) -> Iterator[tuple[_Fit, int]]:
    """What fits in most places, one below the other, first; each with a row of pixels that crosses it."""
    alike: dict[tuple[int, int], list[tuple[int, _Fit]]] = {}
    for top, fit in fits:
        key = next((one for one in alike if max(abs(one[0] - fit.start), abs(one[1] - fit.end)) <= 2 * _OFF), None)
        alike.setdefault(key or (fit.start, fit.end), []).append((top, fit))
    for one in sorted(alike.values(), key=lambda each: -sum(fit.seen for _, fit in each)):
        best = max(one, key=lambda each: each[1].seen)[1]
        yield best, one[len(one) // 2][0] + _WINDOW // 2


def _fitted(flat: bytes, groups: Sequence[Sequence[int]]) -> _Fit | None:
    """The row of boxes that agrees best with the upright lines of a few rows of pixels."""
    walls = _middles(flat)
    fewest = min(sum(sizes) + len(sizes) for sizes in groups)
    if not _FITS * fewest <= len(walls) <= _MOST_WALLS:
        return None
    best: _Fit | None = None
    for pitch in _pitches(walls):
        for sizes in groups:
            for start in _starts(walls, pitch):
                fit = _placed(flat, walls, pitch, sizes, start)
                if fit and fit.seen >= _FITS and (best is None or fit.seen > best.seen):
                    best = fit
    return best


def _middles(flat: bytes) -> list[int]:
    """Where upright lines stand."""
    runs: list[list[int]] = []
    for at, value in enumerate(flat):
        if value >= _WALL:
            if runs and at - runs[-1][-1] <= 2:
                runs[-1].append(at)
            else:
                runs.append([at])
    return [(run[0] + run[-1]) // 2 for run in runs]


def _pitches(walls: Sequence[int]) -> list[int]:
    """The distances that come most often between lines that could be those of a box."""
    gaps = [
        right - left
        for at, left in enumerate(walls)
        for right in walls[at + 1 : at + 3]
        if _NARROWEST <= right - left <= _WIDEST
    ]
    often = {gap: sum(1 for other in gaps if abs(other - gap) <= 1) for gap in set(gaps)}
    chosen: list[int] = []
    for gap in sorted(often, key=lambda one: (-often[one], one)):
        if all(abs(gap - other) > 2 for other in chosen):
            chosen.append(gap)
    return chosen[:_PITCHES]


def _starts(walls: Sequence[int], pitch: int) -> Iterator[int]:
    """Where a group may begin: at a line, or where one or two are lost."""
    for wall in walls:
        for lost in range(_LOST + 1):
            if wall - lost * pitch >= 0:
                yield wall - lost * pitch


def _placed(flat: bytes, walls: Sequence[int], pitch: int, sizes: Sequence[int], start: int) -> _Fit | None:
    """The groups one after the other, each where most of its lines are seen."""
    groups: list[tuple[int, ...]] = []
    seen = 0
    for number, size in enumerate(sizes):
        if number:
            end = groups[-1][-1]
            low, high = end + _AFTER[0] * pitch, end + _AFTER[1] * pitch
            starts = sorted({one for one in _starts(walls, pitch) if low <= one <= high})
        else:
            starts = [start]
        made = [_group(flat, one, pitch, size) for one in starts]
        if not made:
            return None
        count, group = max(made, key=lambda one: one[0])
        groups.append(group)
        seen += count
    if groups[-1][-1] >= len(flat):
        return None
    places = [at for group in groups for at in group]
    between = [wall for wall in walls if places[0] < wall < places[-1]]
    strays = sum(1 for wall in between if min(abs(wall - at) for at in places) > _OFF + 1)
    return _Fit(tuple(groups), (seen - _STRAY * strays) / len(places))


def _group(flat: bytes, start: int, pitch: int, size: int) -> tuple[int, tuple[int, ...]]:
    """How many lines of a group are seen, and where they are; each is looked for from the one before it."""
    at, seen, places = start, 0, []
    for _ in range(size + 1):
        near = range(max(at - _OFF, 0), min(at + _OFF + 1, len(flat)))
        darkest = max(near, key=lambda one: (flat[one], -abs(one - at)), default=at)
        if near and flat[darkest] >= _SEEN:
            seen += 1
            level = [one for one in near if flat[one] == flat[darkest]]
            at = level[len(level) // 2]
        places.append(at)
        at += pitch
    return seen, tuple(places)


def _span(ink: Image.Image, walls: Sequence[int], middle: int) -> tuple[int, int]:
    """From which row to which one most of these lines reach, round one of their rows."""
    strips = [
        ink.crop((max(at - 2, 0), 0, at + 3, ink.height)).resize((1, ink.height), Image.Resampling.BOX) for at in walls
    ]
    rows = [
        sum(1 for value in column if value > _INK // 2)
        for column in zip(*(one.tobytes() for one in strips), strict=True)
    ]
    least = len(walls) * 0.5
    above = next((at for at in range(middle, -1, -1) if rows[at] < least), -1) + 1
    below = next((at for at in range(middle, ink.height) if rows[at] < least), ink.height)
    return above, below
