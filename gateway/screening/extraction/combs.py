"""Ruled lines on a page, and combs: the rows of boxes, one a character, in which forms ask for numbers.

Measures are pixels of a page drawn at about 200 dots an inch. All by whole-image operations of Pillow, on mode L.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageFilter

_ACROSS: Final = 34  # a ruled line is at least so long; no stroke of a digit is
_DOWN: Final = 40
_LONG: Final = 160  # so long is no stroke of a letter, however large
_THICK: Final = 14
_TICK: Final = 18
_THIN: Final = 9
_INK: Final = 150
_LOWEST: Final = 26  # heights of a box
_HIGHEST: Final = 140
_MOST_LINES: Final = 6_000
_FEWEST_CELLS: Final = 4
_NUMERIC = re.compile(r"[0-9OoQDIl|SsBZzGgqTAi!]")


@dataclass(frozen=True, slots=True)
class Box:
    """Left, top, right, bottom; right and bottom are just outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Comb:
    """One row of boxes, left to right."""

    cells: tuple[Box, ...]

    @property
    def frame(self) -> Box:
        """What the boxes cover together."""
        return Box(self.cells[0].left, self.cells[0].top, self.cells[-1].right, self.cells[0].bottom)


@dataclass(frozen=True, slots=True)
class Rules:
    """The ruled lines of a page: where their ink is (255 in `mask`), and the combs that they make."""

    mask: Image.Image
    combs: tuple[Comb, ...]
    is_any: bool  # whether the page has any: a long one, or a comb; strokes of large letters are none


def find_rules(image: Image.Image) -> Rules:
    """The ruled lines of a page in gray, dark on light, level."""
    ink = image.point(lambda value: 255 if value < _INK else 0).filter(ImageFilter.MaxFilter(3))
    across, down = _opened(ink, _ACROSS, 0), _opened(ink, 0, _DOWN)
    verticals, horizontals = _upright_lines(down, _DOWN), _lines(across, _ACROSS)
    found = _combs(list(_pieces(verticals, horizontals))) if len(verticals) < _MOST_LINES else ()
    combs = tuple(comb for comb in found if _stands(comb, horizontals))
    mask = ImageChops.lighter(across, down)
    is_long = any(box.right - box.left >= _LONG and box.height <= _THICK for box in horizontals)
    if is_long:
        ticks = _ticks(ink, horizontals)
        opened = tuple(_combs(ticks))
        combs += opened
        for tick in ticks if opened else ():
            mask.paste(255, (tick.left, tick.top, tick.right, tick.bottom))
    return Rules(mask, combs, is_long or bool(combs))


def erase(image: Image.Image, rules: Rules) -> Image.Image:
    """The page without its ruled lines."""
    cleaned = image.copy()
    cleaned.paste(255, mask=rules.mask.filter(ImageFilter.MaxFilter(3)))
    return cleaned


@dataclass(frozen=True, slots=True)
class Strip:
    """The characters of one comb set close, as a line of print; `groups` counts them between wider gaps."""

    image: Image.Image
    groups: tuple[int, ...]

    def text(self, read: str) -> str:
        """What was read of it, with dashes where the boxes have gaps; "" when the count does not fit."""
        marks = [mark for mark in read if not mark.isspace() and mark not in "-.,'’"]
        if len(marks) != sum(self.groups):
            return ""
        parts, place = [], 0
        for size in self.groups:
            parts.append("".join(marks[place : place + size]))
            place += size
        return "-".join(parts)


def strips(cleaned: Image.Image, rules: Rules) -> Iterator[tuple[Comb, Strip]]:
    """Each comb's characters drawn together, of those that hold enough to be a number."""
    for comb in rules.combs:
        strip = _strip(cleaned, comb)
        if strip is not None and sum(strip.groups) >= _FEWEST_CELLS:
            yield comb, strip


def drawn_together(cleaned: Image.Image, rules: Rules) -> Image.Image:
    """The page with each comb's characters set close where the comb began: a reader then sees a word, not a row."""
    page = cleaned.copy()
    for comb, strip in strips(cleaned, rules):
        frame = comb.frame
        page.paste(255, (frame.left, frame.top, frame.right, frame.bottom))
        inner = strip.image.crop((10, 10, strip.image.width - 10, strip.image.height - 10))
        page.paste(inner, (frame.left, max(frame.top + (frame.height - inner.height) // 2, 0)))
    return page


def is_filled(cleaned: Image.Image, cell: Box) -> bool:
    """Whether something is written in a box of a page without its ruled lines."""
    return _glyph(cleaned, cell) is not None


def is_numeric(read: str) -> bool:
    """Whether most of what was read in a comb are digits, or letters that digits are mistaken for."""
    marks = [mark for mark in read if mark.isalnum()]
    alike = sum(1 for mark in marks if _NUMERIC.match(mark))
    return len(marks) >= 3 and alike * 3 >= len(marks) * 2


def _opened(ink: Image.Image, across: int, down: int) -> Image.Image:
    """Only what reaches so far in one direction: erosion and dilation by a line, each by doubling steps."""
    length = across or down
    step_x, step_y = (1, 0) if across else (0, 1)
    for choose, sign in ((ImageChops.darker, 1), (ImageChops.lighter, -1)):
        reach = 1
        while reach < length:
            step = min(reach, length - reach) * sign
            ink = choose(ink, ImageChops.offset(ink, step_x * step, step_y * step))
            reach += abs(step)
    return ink


def _lines(mask: Image.Image, shortest: int) -> list[Box]:
    """Boxes round the horizontal lines of a mask."""
    run = re.compile(rb"\xff{%d,}" % (shortest - 2))
    octets, width = mask.tobytes(), mask.width
    is_inked = mask.resize((1, mask.height), Image.Resampling.BOX).point(lambda value: 255 if value else 0).tobytes()
    done: list[Box] = []
    live: list[Box] = []
    for row, inked in enumerate(is_inked):
        spans = [match.span() for match in run.finditer(octets, row * width, (row + 1) * width)] if inked else []
        fresh = [Box(start - row * width, row, end - row * width, row + 1) for start, end in spans]
        live, ended = _joined(live, fresh)
        done += ended
        if len(done) > _MOST_LINES:
            break
    return done + live


def _stands(comb: Comb, horizontals: list[Box]) -> bool:
    """Whether most boxes have a level line at their foot: strokes of large letters stand in a row as well."""
    frame = comb.frame
    feet = [line for line in horizontals if line.top - 9 <= frame.bottom <= line.bottom + 9]
    middles = [(cell.left + cell.right) // 2 for cell in comb.cells]
    footed = sum(1 for middle in middles if any(line.left <= middle <= line.right for line in feet))
    return footed * 2 > len(middles)


def _upright_lines(mask: Image.Image, shortest: int) -> list[Box]:
    return [_turned(box) for box in _lines(mask.transpose(Image.Transpose.TRANSPOSE), shortest)]


def _ticks(ink: Image.Image, horizontals: list[Box]) -> list[Box]:
    """Short upright lines that stand on a level one, as they part the places of an open comb."""
    short = [box for box in _upright_lines(_opened(ink, 0, _TICK), _TICK) if box.right - box.left <= _THIN]
    feet: dict[int, list[Box]] = {}
    for line in horizontals:
        for row in range(line.top - 3, line.bottom + 4):
            feet.setdefault(row, []).append(line)
    return [
        box
        for box in short
        if box.height < _DOWN
        and any(line.left - 6 <= box.left and box.right <= line.right + 6 for line in feet.get(box.bottom - 1, ()))
    ]


def _joined(live: list[Box], fresh: list[Box]) -> tuple[list[Box], list[Box]]:
    """Lines of the row before continued by those of this one; and those that ended."""
    grown: list[Box] = []
    used: set[int] = set()
    for box in fresh:
        above = [index for index, one in enumerate(live) if one.left < box.right and box.left < one.right]
        used.update(above)
        olds = [live[index] for index in above]
        grown.append(
            Box(
                min([box.left, *(one.left for one in olds)]),
                min([box.top, *(one.top for one in olds)]),
                max([box.right, *(one.right for one in olds)]),
                box.bottom,
            )
        )
    return grown, [one for index, one in enumerate(live) if index not in used]


def _turned(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)


def _combs(verticals: list[Box]) -> Iterator[Comb]:
    """Rows of upright lines of one height, as far as their distances are those of boxes."""
    rows: dict[int, list[Box]] = {}
    for line in sorted(verticals, key=lambda box: box.top):
        key = next(
            (top for top in rows if abs(top - line.top) <= 7 and abs(rows[top][0].bottom - line.bottom) <= 9), None
        )
        rows.setdefault(line.top if key is None else key, []).append(line)
    for lines in rows.values():
        cells: list[Box] = []
        lines.sort(key=lambda box: box.left)
        for before, after in pairwise(lines):
            gap = after.left - before.right
            if gap < before.height * 0.25:
                continue
            if gap > before.height * 2.2:
                yield from _whole(cells)
                cells = []
                continue
            bottom = min(before.bottom, after.bottom)
            top = min(max(before.top, after.top), bottom - int(gap * 1.2) if before.height < _DOWN else bottom)
            cells.append(Box(before.right, max(top, 0), after.left, bottom))
        yield from _whole(cells)


def _whole(cells: list[Box]) -> Iterator[Comb]:
    if len(cells) >= _FEWEST_CELLS:
        yield Comb(tuple(cells))


def _pieces(verticals: list[Box], horizontals: list[Box]) -> Iterator[Box]:
    """Upright lines of a box's height; a long one that crosses several rows is cut at the level lines it crosses."""
    for line in verticals:
        if line.right - line.left > _THICK or line.height < _LOWEST:
            continue
        if line.height <= _HIGHEST:
            yield line
            continue
        crossed = [one for one in horizontals if one.left <= line.right + 4 and line.left - 4 <= one.right]
        edges = sorted({line.top, line.bottom, *(y for one in crossed for y in (one.top, one.bottom))})
        for top, bottom in pairwise(edges):
            if line.top <= top and bottom <= line.bottom and _LOWEST <= bottom - top <= _HIGHEST:
                yield Box(line.left, top, line.right, bottom)


def _strip(cleaned: Image.Image, comb: Comb) -> Strip | None:
    glyphs: list[tuple[Image.Image, int]] = []  # with how far below the top
    groups: list[int] = [0]
    width = sorted(cell.right - cell.left for cell in comb.cells)[len(comb.cells) // 2]
    last = comb.cells[0].left
    for cell in comb.cells:
        glyph = _glyph(cleaned, cell)
        if (glyph is None or cell.left - last > width * 0.35) and groups[-1]:
            groups.append(0)
        last = cell.right
        if glyph is not None:
            glyphs.append(glyph)
            groups[-1] += 1
    if not glyphs:
        return None
    groups = [size for size in groups if size]
    return Strip(_set_close(glyphs, groups, comb.frame.height), tuple(groups))


def _glyph(cleaned: Image.Image, cell: Box) -> tuple[Image.Image, int] | None:
    """The ink in one box, without what is left of its frame."""
    inside = cleaned.crop((cell.left + 2, cell.top + 2, cell.right - 2, cell.bottom - 2))
    found = inside.point(lambda value: 255 if value < _INK else 0).filter(ImageFilter.MedianFilter(3)).getbbox()
    if found is None or found[3] - found[1] < max(cell.height * 0.22, 8):
        return None
    box = (
        max(found[0] - 1, 0),
        max(found[1] - 1, 0),
        min(found[2] + 1, inside.width),
        min(found[3] + 1, inside.height),
    )
    return inside.crop(box), box[1]


def _set_close(glyphs: list[tuple[Image.Image, int]], groups: list[int], height: int) -> Image.Image:
    widths = sorted(glyph.width for glyph, _ in glyphs)
    space = max(widths[len(widths) // 2] // 4, 3)
    length = sum(widths) + space * (len(glyphs) + 5 * len(groups)) + 40
    line = Image.new("L", (length, height + 40), 255)
    place, ends = 20, set()
    total = 0
    for size in groups:
        total += size
        ends.add(total)
    for count, (glyph, down) in enumerate(glyphs, 1):
        line.paste(glyph, (place, 20 + down))
        place += glyph.width + space + (4 * space if count in ends else 0)
    return line.crop((0, 0, place + 20, line.height))
