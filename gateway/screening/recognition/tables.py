"""The rows of a form's table, one a person, by its heads and ruled lines, or in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Final

from PIL import Image, ImageFilter

from gateway.domain.layout import Column, FormLayout, Look
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.blocks import find_blocks
from gateway.screening.recognition.ink import is_drawn
from gateway.screening.recognition.places import Labels, upright_rules
from gateway.screening.recognition.ticks import Tick, find_ticks, likeliest
from gateway.screening.recognition.words import lines_of

_MOST_ROWS: Final = 20
_LOWEST, _HIGHEST = 26, 200  # pixels of a row
_LEVEL: Final = 120  # mean of a row of pixels that is a ruled line
_TALL: Final = 24  # pixels of a letter of a head; what is higher took in a line beside it
_BAND: Final = 2  # heights of a letter within which heads stand beside each other
_MOST_RULES: Final = 14
_RIM: Final = 6  # pixels
_MOST_OF_CELL: Final = 0.85  # of a cell's height; what is higher is its frame


@dataclass(frozen=True, slots=True)
class Cell:
    """Where what a column is for stands, of one row, which counts from 1."""

    column: Column
    row: int
    box: Box
    tick: Tick | None = None  # the box in it that is to be ticked, where one is seen


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns, the edges of these from left to right, one more, and where the heads end."""

    columns: tuple[Column, ...]
    edges: list[int]
    top: int


def find_cells(image: Image.Image, labels: Labels, form: FormLayout) -> list[Cell]:
    """Return the cells of those rows in which something is written."""
    table = _table(image, labels, form.table)
    if table is None:
        fields = find_blocks(image, labels, form.table, form.blocks)
        return [Cell(form.table[one.at], one.row, one.box, one.tick) for one in fields]
    cells: list[Cell] = []
    row = 0
    for top, bottom in _rows(image, labels, table.top, table.edges):
        made = [
            Cell(column, row + 1, Box(left, top, right, bottom))
            for column, (left, right) in zip(table.columns, pairwise(table.edges), strict=True)
            if right - left > 8
        ]
        if _is_written(image, labels, [one.box for one in made if one.column.look is not Look.TICK]):
            cells += [_with_tick(image, one) if one.column.look is Look.TICK else one for one in made]
            row += 1
    return cells


def _is_written(image: Image.Image, labels: Labels, boxes: Sequence[Box]) -> bool:
    """Whether a row has words, or what cannot be read as any."""
    if any(labels.written(box) for box in boxes):
        return True
    inner = (Box(box.left + _RIM, box.top + _RIM, box.right - _RIM, box.bottom - _RIM) for box in boxes)
    return sum(1 for box in inner if box.right > box.left and box.bottom > box.top and is_drawn(image, box)) > 1


def _with_tick(image: Image.Image, cell: Cell) -> Cell:
    box = cell.box
    inside = [one for one in find_ticks(image, box) if one.box.height < _MOST_OF_CELL * box.height]
    return replace(cell, tick=likeliest(image, inside))


def _table(image: Image.Image, labels: Labels, columns: Sequence[Column]) -> _Table | None:
    """The table whose heads stand beside each other; None where there is none."""
    heads = _heads(labels, columns)
    if len(heads) < min(2, len(columns)):
        return None
    top = min(box.bottom for _, box in heads)  # a box may be too high for its letters, where a line was read as one
    if ruled := _ruled(image, heads, columns):
        return _Table(tuple(columns), ruled, top)
    if heads[0][0] is not columns[0] or len(heads) < min(3, len(columns)):
        return None
    edges = _edges(image, [box for _, box in heads])
    told = [column for column, _ in heads]
    if columns[-1] not in told and edges[-1] < image.width - _LOWEST:  # its head is short, and easily lost
        told.append(columns[-1])
        edges.append(_next_rule(image, heads[0][1], edges[-1]))
    return _Table(tuple(told), edges, top)


def _heads(labels: Labels, columns: Sequence[Column]) -> list[tuple[Column, Box]]:
    """The heads that stand beside each other, left to right, as many as do so anywhere."""
    places = {column.key: labels.places(column.heads) for column in columns}
    most: list[tuple[Column, Box]] = []
    for key, first in ((column.key, box) for column in columns for box in places[column.key]):
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
        most = max(most, heads, key=len)
    return most


def _ruled(image: Image.Image, heads: Sequence[tuple[Column, Box]], columns: Sequence[Column]) -> list[int] | None:
    """The edges of all columns, where there are as many upright lines, and each head is between its own two."""
    rules = _clusters(_upright_beside(image, heads[0][1]))[:_MOST_RULES]
    wanted = len(columns) + 1
    of = {column.key: at for at, column in enumerate(columns)}
    fitting = [
        chosen
        for chosen in combinations(rules, wanted)
        if all(
            chosen[of[column.key]][1] <= box.left + 2 and box.right - 2 <= chosen[of[column.key] + 1][0]
            for column, box in heads
        )
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda chosen: sum(right - left for left, right in chosen))  # a line of dirt is thin
    return [*(right + 2 for _, right in best[:-1]), best[-1][0]]


def _clusters(places: Sequence[int]) -> list[tuple[int, int]]:
    """Pixels that lie beside each other as one line: its first and its last."""
    lines: list[tuple[int, int]] = []
    for at in places:
        if lines and at - lines[-1][1] <= 2:
            lines[-1] = lines[-1][0], at
        else:
            lines.append((at, at))
    return lines


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
