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
from gateway.screening.recognition.words import lines_of

_MOST_ROWS: Final = 20
_LOWEST, _HIGHEST = 26, 200  # pixels of a row
_LEVEL: Final = 120  # mean of a row of pixels that is a ruled line
_BAND: Final = 3  # heights of a letter within which heads stand beside each other


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
    edges = _edges(image, heads)
    cells: list[Cell] = []
    row = 0
    for top, bottom in _rows(image, labels, heads, edges):
        made = [
            Cell(column, row + 1, Box(left, top, right, bottom))
            for (column, _), (left, right) in zip(heads, pairwise(edges), strict=True)
            if right - left > 8
        ]
        if any(labels.written(one.box) for one in made if one.column.look is not Look.TICK):
            cells += made
            row += 1
    return cells


def _heads(labels: Labels, columns: Sequence[Column]) -> list[tuple[Column, Box]] | None:
    """The heads that stand beside each other, left to right; None where there is no such row of them."""
    places = {column.key: labels.places(column.heads) for column in columns}
    for first in places[columns[0].key]:
        high = max(first.bottom - first.top, 14)
        heads = [(columns[0], first)]
        for column in columns[1:]:
            beside = [
                one
                for one in places[column.key]
                if abs(one.top - first.top) < _BAND * high and one.left > heads[-1][1].right
            ]
            if beside:
                heads.append((column, beside[0]))
        if len(heads) > max(len(columns) // 2, 1) and columns[-1] is heads[-1][0]:
            return heads
    return None


def _edges(image: Image.Image, heads: Sequence[tuple[Column, Box]]) -> list[int]:
    """Where columns begin, and the last one ends: at ruled lines, or else where their heads do."""
    first = heads[0][1]
    high = max(first.bottom - first.top, 14)
    bottom = min(max(box.bottom for _, box in heads) + 2 * high, image.height)
    rules = upright_rules(image, Box(0, min(max(first.bottom - high, 0), bottom - 1), image.width, bottom))
    edges: list[int] = []
    for at, (_, box) in enumerate(heads):
        least = heads[at - 1][1].right if at else 0
        edges.append(max((rule + 2 for rule in rules if least <= rule <= box.left), default=max(box.left - high, 0)))
    last = heads[-1][1]
    end = min((rule for rule in rules if rule >= last.right), default=min(last.right + 4 * high, image.width))
    return [*edges, end]


def _rows(
    image: Image.Image, labels: Labels, heads: Sequence[tuple[Column, Box]], edges: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """The rows below the heads: between ruled lines, or where there are none, round each line of writing."""
    top = max(box.bottom for _, box in heads) + 2
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
    """Cells beside labels that come again for each person: one block from each first label to the next."""
    starts = labels.places(columns[0].heads)[:_MOST_ROWS]
    tops = [box.top - (box.bottom - box.top) for box in starts]
    for row, (start, end) in enumerate(pairwise([*tops, image.height]), 1):
        for column in columns:
            label = next((one for one in labels.places(column.heads) if start <= one.top < end), None)
            if label is None:
                continue
            for place in _beside(image, labels, column, label):
                yield Cell(column, row, place)
                break


def _beside(image: Image.Image, labels: Labels, column: Column, label: Box) -> Iterator[Box]:
    """Where a block's field may be: where something is written, or for a tick on both sides of its label."""
    if column.look is Look.TICK:
        high = max(label.bottom - label.top, 14)
        left, right = max(label.left - 4 * high, 0), min(label.right + 5 * high, image.width)
        yield Box(left, max(label.top - int(1.6 * high), 0), right, min(label.bottom + int(1.6 * high), image.height))
        return
    for side in (Side.RIGHT, Side.BELOW):
        place = region(image, label, side, labels.marks)
        if place is not None and labels.written(place):
            yield place
