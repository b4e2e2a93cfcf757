"""A form's table that an edition has as blocks, one a person, below each other: the same labels come again and again.

What of them cannot be read is where the pitch of the others says: blocks of a form are of one height.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image

from gateway.domain.layout import Column, Look, Side
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.places import Labels, region
from gateway.screening.recognition.ticks import WHOLE, Tick, find_ticks, likeliest

_HEADING: Final = -1  # in place of a column's number
_LOWEST, _HIGHEST = 60, 700  # pixels of a block
_OFF: Final = 9  # pixels by which a label may miss its place
_FITS: Final = 0.7  # of the distances between labels: blocks of one height
_SLACK: Final = 0.12  # of a block's height that one of its labels may stand above its first
_ABOVE: Final = 26  # pixels of a person's first field above its label
_TALL: Final = 170  # pixels below a person's last label
_MOST_ROWS: Final = 20
_BESIDE, _ANYWHERE = 2.7, 3.2  # how likely a box to tick has to be one


@dataclass(frozen=True, slots=True)
class Block:
    """One person's part of the page: from where to where, and the labels in it, by number of column."""

    top: int
    bottom: int
    labels: dict[int, Box]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of one person, who counts from 1: which column it is of, where it stands, and its box to tick."""

    at: int
    row: int
    box: Box
    tick: Tick | None = None


def find_blocks(
    image: Image.Image, labels: Labels, columns: Sequence[Column], headings: Sequence[str]
) -> Iterator[Field]:
    """Yield the fields of each person's block, as far as something is written there, and each one's box to tick."""
    placed = [(place, at) for at, column in enumerate(columns) for place in labels.places(column.heads)]
    placed += [(place, _HEADING) for place in labels.places(headings)]
    written = [at for at, column in enumerate(columns) if column.look is not Look.TICK]
    if not any(at in written or at == _HEADING for _, at in placed):
        return
    pitch = _pitch(placed)
    blocks = _spaced(placed, pitch, image.height) if pitch else _parted(placed, written, image.height)
    for row, block in enumerate(blocks[:_MOST_ROWS], 1):
        for at, column in enumerate(columns):
            if column.look is Look.TICK:
                if tick := _tick(image, labels, block, at):
                    yield Field(at, row, tick.box, tick)
            elif at in block.labels:
                for field in _beside(image, labels, block.labels[at]):
                    yield Field(at, row, field)


def _pitch(placed: Sequence[tuple[Box, int]]) -> int | None:
    """The distance at which labels come again, where most do so at one."""
    gaps: list[int] = []
    for kind in {at for _, at in placed}:
        tops = sorted(box.top for box, at in placed if at == kind)
        gaps += [below - above for above, below in pairwise(tops) if below - above > _OFF]
    candidates = [gap for gap in gaps if _LOWEST <= gap <= _HIGHEST]
    fits = {gap: sum(1 for other in gaps if _misses(other, gap) <= _OFF) for gap in candidates}
    if not fits:
        return None
    best = max(fits, key=lambda gap: (fits[gap], gap))
    near = sorted(gap for gap in gaps if abs(gap - best) <= _OFF)
    return near[len(near) // 2] if fits[best] >= _FITS * len(gaps) else None


def _misses(gap: int, pitch: int) -> int:
    times = max(round(gap / pitch), 1)
    return abs(gap - times * pitch) // times


def _spaced(placed: Sequence[tuple[Box, int]], pitch: int, height: int) -> list[Block]:
    """Blocks of one height, each with the labels that were read in it, or are in another one."""
    headed = [box.top for box, at in placed if at in {_HEADING, 0}] or [min(box.top for box, _ in placed)]
    first = min(headed) - int(_SLACK * pitch)
    found: dict[int, dict[int, Box]] = {}
    for box, at in sorted(placed, key=lambda one: one[0].top):
        found.setdefault((box.top - first) // pitch, {}).setdefault(at, box)
    rows = range(min(found), max(found) + 1)
    known = {at: (row, box) for row in reversed(rows) for at, box in found.get(row, {}).items()}
    blocks: list[Block] = []
    for row in rows:
        inside = {at: _lowered(box, (row - other) * pitch) for at, (other, box) in known.items()}
        top = first + row * pitch
        blocks.append(Block(max(top, 0), min(top + pitch, height), inside | found.get(row, {})))
    return [block for block in blocks if block.bottom > block.top + _OFF]


def _lowered(box: Box, by: int) -> Box:
    return Box(box.left, box.top + by, box.right, box.bottom + by)


def _parted(placed: Sequence[tuple[Box, int]], written: Sequence[int], height: int) -> list[Block]:
    """Labels by person: where one comes again, or an earlier one on a lower line, another person begins."""
    first = min((box.top for box, at in placed if at == 0), default=min(box.top for box, _ in placed))
    lines: list[list[tuple[Box, int]]] = []
    for box, at in sorted(placed, key=lambda one: one[0].top + one[0].bottom):
        if at not in written or box.top <= first - _ABOVE:
            continue
        if not lines or (box.top + box.bottom) // 2 >= lines[-1][0][0].bottom:
            lines.append([])
        lines[-1].append((box, at))
    parts: list[list[tuple[Box, int]]] = []
    for box, at in (one for line in lines for one in sorted(line, key=lambda one: one[0].left)):
        is_new = not parts or any(at == other for _, other in parts[-1])
        if parts and not is_new:
            last, before = parts[-1][-1]
            is_new = at < before and box.top > last.bottom
        if is_new:
            parts.append([])
        parts[-1].append((box, at))
    if any(len(part) > 1 for part in parts):
        parts = [part for part in parts if len(part) > 1]  # the title's words may be those of a label
    return list(_blocks_of(parts, placed, written, height))


def _blocks_of(
    parts: Sequence[Sequence[tuple[Box, int]]], placed: Sequence[tuple[Box, int]], written: Sequence[int], height: int
) -> Iterator[Block]:
    tops = [max(min(box.top for box, _ in part) - _ABOVE, 0) for part in parts]
    for part, (top, below) in zip(parts, pairwise([*tops, height]), strict=True):
        bottom = max(min(below, max(box.bottom for box, _ in part) + _TALL), top + 1)
        inside = {at: box for box, at in part}
        for box, at in placed:
            if at not in written and top <= (box.top + box.bottom) // 2 < bottom:
                inside.setdefault(at, box)
        yield Block(top, bottom, inside)


def _tick(image: Image.Image, labels: Labels, block: Block, at: int) -> Tick | None:
    """The box to tick of one person: the likeliest beside its label; where none is, the likeliest of all."""
    label = block.labels.get(at)
    if label is not None:
        high = max(label.bottom - label.top, 14)
        area = Box(
            max(label.left - 6 * high, 0),
            max(label.top - 2 * high, 0),
            min(label.right + 6 * high, image.width),
            min(label.bottom + 2 * high, image.height),
        )
        level = [one for one in find_ticks(image, area) if _is_level(one.box, label)]
        if tick := likeliest(image, level, labels.words, _BESIDE):
            return tick
    span = Box(0, block.top, image.width, block.bottom)
    return likeliest(image, find_ticks(image, span, WHOLE), labels.words, _ANYWHERE)


def _is_level(box: Box, label: Box) -> bool:
    return box.top < label.bottom and box.bottom > label.top


def _beside(image: Image.Image, labels: Labels, label: Box) -> Iterator[Box]:
    """Where the field of a label is, if something is written there."""
    for side in (Side.RIGHT, Side.BELOW):
        place = region(image, label, side, labels.marks)
        if place is not None and labels.written(place):
            yield place
            return
