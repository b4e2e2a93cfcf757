"""The rows of a form's table, one a person: by its heads and ruled lines; or blocks, in which the heads are labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageFilter

from gateway.domain.layout import Column, Look, Side
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.places import Labels, region, upright_rules
from gateway.screening.recognition.ticks import WHOLE, Tick, alone, find_ticks
from gateway.screening.recognition.words import lines_of

_MOST_ROWS: Final = 20
_LOWEST, _HIGHEST = 26, 200  # pixels of a row
_LEVEL: Final = 120  # mean of a row of pixels that is a ruled line
_TALL: Final = 24  # pixels of a letter of a head; what is higher took in a line beside it
_BAND: Final = 2  # heights of a letter within which heads stand beside each other


@dataclass(frozen=True, slots=True)
class Cell:
    """Where what a column is for stands, of one row, which counts from 1."""

    column: Column
    row: int
    box: Box


def find_cells(image: Image.Image, labels: Labels, columns: Sequence[Column]) -> list[Cell]:
    """Return the cells of those rows in which something is written."""
    heads = _heads(labels, columns)
    if heads is None:
        return list(_blocks(image, labels, columns))
    edges = _edges(image, [box for _, box in heads])
    told = [column for column, _ in heads]
    if columns[-1] not in told and edges[-1] < image.width - _LOWEST:  # its head is short, and easily lost
        told.append(columns[-1])
        edges.append(_next_rule(image, heads[0][1], edges[-1]))
    cells: list[Cell] = []
    row = 0
    for top, bottom in _rows(image, labels, max(box.bottom for _, box in heads), edges):
        made = [
            Cell(column, row + 1, Box(left, top, right, bottom))
            for column, (left, right) in zip(told, pairwise(edges), strict=True)
            if right - left > 8
        ]
        if any(labels.written(one.box) for one in made if one.column.look is not Look.TICK):
            cells += made
            row += 1
    return cells


def _heads(labels: Labels, columns: Sequence[Column]) -> list[tuple[Column, Box]] | None:
    """The heads that stand beside each other, left to right; None where there is no such row of most of them."""
    places = {column.key: labels.places(column.heads) for column in columns}
    for key, first in ((column.key, box) for column in columns[:2] for box in places[column.key]):
        high = min(max(first.bottom - first.top, 14), _TALL)
        if any(one.top > first.bottom and abs(one.left - first.left) < high for one in places[key]):
            continue  # what comes again below itself is a label of each block
        heads: list[tuple[Column, Box]] = []
        for column in columns:
            beside = [
                one
                for one in places[column.key]
                if abs(one.top - first.top) < _BAND * high and (not heads or one.left > heads[-1][1].right)
            ]
            if beside:
                heads.append((column, min(beside, key=lambda one: abs(one.top - first.top))))
        if heads[0][0] is columns[0] and len(heads) >= min(3, len(columns)):
            return heads
    return None


def _edges(image: Image.Image, heads: Sequence[Box]) -> list[int]:
    """Where columns begin, and the last one ends: at ruled lines, or else where their heads do."""
    first = heads[0]
    high = max(first.bottom - first.top, 14)
    rules = _upright_beside(image, first)
    edges: list[int] = []
    for at, box in enumerate(heads):
        least = heads[at - 1].right if at else 0
        edges.append(max((rule + 2 for rule in rules if least <= rule <= box.left), default=max(box.left - high, 0)))
    last = heads[-1]
    end = min((rule for rule in rules if rule >= last.right), default=min(last.right + 4 * high, image.width))
    return [*edges, end]


def _next_rule(image: Image.Image, head: Box, after: int) -> int:
    rules = _upright_beside(image, head)
    return min((rule for rule in rules if rule > after + _LOWEST), default=image.width)


def _upright_beside(image: Image.Image, head: Box) -> list[int]:
    """Upright ruled lines where a head stands."""
    high = max(head.bottom - head.top, 14)
    top = max(head.top - high // 2, 0)
    return upright_rules(image, Box(0, top, image.width, min(head.bottom + high // 2, image.height)))


def _rows(image: Image.Image, labels: Labels, top: int, edges: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The rows below the heads: between ruled lines, or where there are none, round each line of writing."""
    left, right = edges[0], max(edges[1], edges[0] + 40)
    window = image.crop((left, top, right, image.height)).filter(ImageFilter.MinFilter(3))
    flat = window.resize((1, window.height), Image.Resampling.BOX).tobytes()
    lines = [top + at for at, value in enumerate(flat) if value < _LEVEL]
    ruled: list[tuple[int, int]] = []
    for above, below in pairwise(lines):
        if below - above > _HIGHEST:
            break
        if below - above >= _LOWEST:
            ruled.append((above + 2, below - 1))
    if len(ruled) > 1 or (ruled and lines[0] - top < _HIGHEST):
        yield from ruled[:_MOST_ROWS]
        return
    written = labels.written(Box(left, top, edges[2] if len(edges) > 2 else right, image.height))
    for line in lines_of(written)[:_MOST_ROWS]:
        box = line.box
        reach = max((box.bottom - box.top) * 3 // 4, 12)
        yield box.top - reach, box.bottom + reach


def _blocks(image: Image.Image, labels: Labels, columns: Sequence[Column]) -> Iterator[Cell]:
    """Cells beside labels that come again for each person, and boxes to tick, which stand by themselves as well."""
    placed = [
        (place, at)
        for at, column in enumerate(columns)
        if column.look is not Look.TICK
        for place in labels.places(column.heads)
    ]
    if not placed:
        return
    top = min((place.top for place, at in placed if at == 0), default=placed[0][0].top)
    blocks = _parted([(place, at) for place, at in placed if place.top > top - _LOWEST])
    if any(len(block) > 1 for block in blocks):
        blocks = [block for block in blocks if len(block) > 1]  # the title's words may be those of a label
    tops = [min(place.top for place, _ in block) - _LOWEST for block in blocks]
    for row, (block, (above, below)) in enumerate(zip(blocks, pairwise([*tops, image.height]), strict=True), 1):
        for place, at in block:
            for field in _beside(image, labels, place):
                yield Cell(columns[at], row, field)
        last = max(place.bottom for place, _ in block)
        span = Box(0, max(above, 0), image.width, max(min(below, last + _HIGHEST), above + 1))
        for column in columns:
            if column.look is Look.TICK and (found := _tick_within(image, labels, column, span)):
                yield Cell(column, row, found)


def _tick_within(image: Image.Image, labels: Labels, column: Column, span: Box) -> Box | None:
    """The box to tick of one person: the nearest beside its label; where that cannot be read, the largest of all."""
    for label in labels.places(column.heads):
        if span.top <= (label.top + label.bottom) // 2 < span.bottom:
            high = max(label.bottom - label.top, 14)
            area = Box(
                max(label.left - 8 * high, 0),
                max(label.top - int(1.5 * high), 0),
                min(label.right + 8 * high, image.width),
                min(label.bottom + int(1.5 * high), image.height),
            )
            bare = alone(find_ticks(image, area), labels.words)
            for ticks in (bare, find_ticks(image, area, WHOLE)):  # what is drawn in a box may read as a word
                level = [one.box for one in _unlabelled(ticks, labels) if _is_level(one.box, label)]
                if level:
                    return min(level, key=lambda box: max(box.left - label.right, label.left - box.right))
    ticks = _unlabelled(alone(find_ticks(image, span, WHOLE), labels.words), labels)
    return ticks[0].box if ticks else None


def _is_level(box: Box, label: Box) -> bool:
    return box.top < label.bottom and box.bottom > label.top


def _unlabelled(ticks: Sequence[Tick], labels: Labels) -> list[Tick]:
    """Those that are no letter of a label."""
    marks = labels.marks
    return [
        tick
        for tick in ticks
        if not any(
            one.left < tick.box.right
            and tick.box.left < one.right
            and one.top < tick.box.bottom
            and tick.box.top < one.bottom
            for one in marks
        )
    ]


def _parted(placed: Sequence[tuple[Box, int]]) -> list[list[tuple[Box, int]]]:
    """Labels by person: where one comes again, or an earlier one on a lower line, another person begins."""
    blocks: list[list[tuple[Box, int]]] = []
    lines: list[list[tuple[Box, int]]] = []
    for box, at in sorted(placed, key=lambda one: one[0].top + one[0].bottom):
        if not lines or (box.top + box.bottom) // 2 >= lines[-1][0][0].bottom:
            lines.append([])
        lines[-1].append((box, at))
    for box, at in (one for line in lines for one in sorted(line, key=lambda one: one[0].left)):
        is_new = not blocks or any(at == other for _, other in blocks[-1])
        if blocks and not is_new:
            last, before = blocks[-1][-1]
            is_new = at < before and box.top > last.bottom
        if is_new:
            blocks.append([])
        blocks[-1].append((box, at))
    return blocks[:_MOST_ROWS]


def _beside(image: Image.Image, labels: Labels, label: Box) -> Iterator[Box]:
    """Where the field of a label is, if something is written there."""
    for side in (Side.RIGHT, Side.BELOW):
        place = region(image, label, side, labels.marks)
        if place is not None and labels.written(place):
            yield place
            return
