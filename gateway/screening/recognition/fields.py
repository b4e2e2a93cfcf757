"""What stands in the fields of a form's page: text beside labels, digits in combs, ticks, and where it is signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from gateway.domain import recognition
from gateway.domain.layout import FieldLayout, Leaf, Look, Side, SignatureLayout
from gateway.domain.recognition import SCALE, SignatureField, Suggestion
from gateway.screening.extraction import combs
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition import kinds
from gateway.screening.recognition.digits import read_row
from gateway.screening.recognition.ink import is_drawn
from gateway.screening.recognition.kinds import Kind
from gateway.screening.recognition.places import Labels, region
from gateway.screening.recognition.spacing import find_row
from gateway.screening.recognition.tables import Cell, find_cells
from gateway.screening.recognition.ticks import alone, find_ticks
from gateway.screening.recognition.values import joined, shaped
from gateway.screening.recognition.words import Line, around, read_line

_GOOD: Final = 78.0  # confidence with which a reading need not be done again
_DOUBTED: Final = 45  # of what does not keep to its look
_UNBOXED: Final = 40  # of a tick whose box is not seen
_MOST: Final = 120  # suggestions of one page
_MOST_ROWS: Final = 12
_LONG_WORD, _SENTENCE = 4, 3
_LONG_COMB: Final = 7
_DIGITS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class _Page:
    """The page whose fields are read: its number, picture, labels, and which of its form's pages it is."""

    number: int
    image: Image.Image
    labels: Labels
    leaf: Leaf

    def has(self, leaf: Leaf) -> bool:
        """Tell whether a field of these pages is on this one."""
        return leaf in {Leaf.ANY, self.leaf}

    def suggestion(self, key: str, value: str, confidence: float, box: Box, row: int = 0) -> Suggestion:
        """Return a suggestion with its place as people are shown it."""
        return Suggestion(key, value, max(0, min(99, round(confidence))), self.number, self.scaled(box), row)

    def scaled(self, box: Box) -> recognition.Box:
        """Return a box in ten-thousandths of the page."""
        width, height = self.image.size
        left, top = max(box.left, 0) * SCALE // width, max(box.top, 0) * SCALE // height
        right, bottom = -(-min(box.right, width) * SCALE // width), -(-min(box.bottom, height) * SCALE // height)
        return recognition.Box(left, top, min(max(right, left + 1), SCALE), min(max(bottom, top + 1), SCALE))


def read_fields(
    image: Image.Image, lines: Sequence[Line], kind: Kind, number: int
) -> tuple[tuple[Suggestion, ...], tuple[SignatureField, ...]]:
    """Return what may stand in the fields of a page (mode L, level), and where it is signed."""
    form = kind.form
    page = _Page(
        number, image, Labels(lines, [*kinds.labels(form), *form.titles, *form.later, *form.blocks]), kind.leaf
    )
    suggestions = [one for field in form.fields if page.has(field.leaf) for one in _field(page, field)]
    suggestions += _lone_comb(page, form.fields, suggestions)
    if form.table and (kind.leaf is Leaf.LATER or not form.later):
        for cell in find_cells(image, page.labels, form):
            suggestions += _cell(page, cell)
    signatures = tuple(one for layout in form.signatures if page.has(layout.leaf) for one in _signed(page, layout))
    return tuple(suggestions[:_MOST]), signatures


def _field(page: _Page, field: FieldLayout) -> Iterator[Suggestion]:
    places = page.labels.places(field.labels)
    for row, label in enumerate(places[: _MOST_ROWS if field.repeated else 1], 1):
        read = _beside(page, field, label, row if field.repeated else 0)
        if read is not None:
            yield read


def _beside(page: _Page, field: FieldLayout, label: Box, row: int) -> Suggestion | None:
    sides = (Side.RIGHT, Side.BELOW) if field.side is Side.ANY else (field.side,)
    if field.look is Look.TICK:
        return _tick(page, field, label, row)
    if field.look is Look.NUMBER and (read := _comb(page, field, label, row)):
        return read
    for side in sides:
        place = region(page.image, label, side, page.labels.marks)
        if place is not None and (read := _text(page, field.key, field.look, place, row)):
            return read
    return None


def _text(page: _Page, key: str, look: Look, place: Box, row: int) -> Suggestion | None:
    """What is written in a part of the page; read once more, by itself, where it is doubtful."""
    words = page.labels.written(place)
    text, sure = joined(words)
    value, fits = shaped(text, look)
    if not words or not value:
        return None
    box = around(word.box for word in words)
    if not fits or sure < _GOOD:
        again, surer = _again(page.image, box)
        other, fits_now = shaped(again, look)
        if other and (fits_now, surer) > (fits, sure):
            value, fits, sure = other, fits_now, surer
    if not fits and len(value) < 2:
        return None
    return page.suggestion(key, value, sure if fits else min(sure, _DOUBTED), box, row)


def _again(image: Image.Image, box: Box) -> tuple[str, float]:
    """One line of writing, read by itself and a little larger, without the lines that it stands on."""
    part = image.crop((max(box.left - 14, 0), max(box.top - 10, 0), box.right + 14, box.bottom + 10))
    rules = combs.find_rules(part)
    cleaned = combs.erase(part, rules) if rules.is_any else part
    return read_line(cleaned.resize((cleaned.width * 3 // 2, cleaned.height * 3 // 2), Image.Resampling.BICUBIC))


def _comb(page: _Page, field: FieldLayout, label: Box, row: int) -> Suggestion | None:
    """Digits in boxes beside a label, or below it."""
    high = max(label.bottom - label.top, 14)
    left, top = max(label.left - 2 * high, 0), max(label.top - 3 * high, 0)
    near = page.image.crop((left, top, page.image.width, min(label.bottom + 7 * high, page.image.height)))
    read = _spaced(near, field.groups) or _ruled(near, label.left - left - high, label.top - top)
    if read is None:
        return None
    digits, sure, frame = read
    return page.suggestion(field.key, digits, sure, _moved(frame, left, top), row) if len(digits) >= 4 else None


def _spaced(near: Image.Image, groups: Sequence[Sequence[int]]) -> tuple[str, int, Box] | None:
    """Digits of a row of as many boxes as a field has; None where there is no such row, or it is empty."""
    found = find_row(near, groups) if groups else None
    if found is None:
        return None
    digits, sure = read_row(near, found)
    return (digits, sure, found.frame) if digits else None


def _ruled(near: Image.Image, left: int, top: int) -> tuple[str, int, Box] | None:
    """Digits of boxes as their lines tell them, right of one column of pixels and nearest to a row of these."""
    rules = combs.find_rules(near)
    found = [
        (abs(comb.frame.top - top), comb.frame, strip)
        for comb, strip in combs.strips(combs.erase(near, rules), rules)
        if comb.frame.left > left
    ]
    if not found:
        return None
    _, frame, strip = min(found, key=lambda one: one[0])
    return (*_digits(strip), frame)


def _moved(box: Box, left: int, top: int) -> Box:
    return Box(box.left + left, box.top + top, box.right + left, box.bottom + top)


def _lone_comb(page: _Page, fields: Sequence[FieldLayout], told: Sequence[Suggestion]) -> Iterator[Suggestion]:
    """The one comb of a page for the one field that asks for a number, where its label cannot be read; boxes that are
    as many as the field has tell which page it is better than words do.
    """
    numbers = [one for one in fields if one.look is Look.NUMBER and not one.repeated]
    if len(numbers) != 1 or any(one.field == numbers[0].key and one.value[:1].isdigit() for one in told):
        return
    (field,) = numbers
    read = _spaced(page.image, field.groups) or (_lone_ruled(page.image) if page.has(field.leaf) else None)
    if read is not None:
        digits, sure, frame = read
        yield page.suggestion(field.key, digits, min(sure, _DOUBTED), frame)


def _lone_ruled(image: Image.Image) -> tuple[str, int, Box] | None:
    """Digits of the one long comb of a page, as its lines tell it."""
    rules = combs.find_rules(image)
    found = [(comb, strip) for comb, strip in combs.strips(combs.erase(image, rules), rules) if _is_long(strip)]
    return (*_digits(found[0][1]), found[0][0].frame) if len(found) == 1 else None


def _is_long(strip: combs.Strip) -> bool:
    return sum(strip.groups) >= _LONG_COMB


def _digits(strip: combs.Strip) -> tuple[str, int]:
    """The digits of a comb, as many as it holds where one of two readings has so many."""
    wanted = sum(strip.groups)
    digits, sure = read_line(strip.image, _DIGITS)
    bare = "".join(filter(str.isdigit, digits))
    if len(bare) != wanted:
        plain, other = shaped(read_line(strip.image)[0], Look.NUMBER)
        if other and len("".join(filter(str.isdigit, plain))) == wanted:
            bare = "".join(filter(str.isdigit, plain))
        sure = min(sure, _DOUBTED)
    return bare, sure


def _tick(page: _Page, field: FieldLayout, label: Box, row: int) -> Suggestion | None:
    """The box nearest to its label; where none is seen, whether anything is drawn where it should be."""
    sides = (Side.RIGHT, Side.LEFT) if field.side is Side.ANY else (field.side,)
    places = [_reach(page.image, label, side) for side in sides]
    ticks = [tick for place in places for tick in alone(find_ticks(page.image, place), page.labels.words)]
    level = [one for one in ticks if one.box.top < label.bottom and one.box.bottom > label.top]
    if level:
        nearest = min(level, key=lambda one: _distance(one.box, label))
        return page.suggestion(field.key, "yes" if nearest.ticked else "no", nearest.confidence, nearest.box, row)
    drawn = next((one for one in places if is_drawn(page.image, one)), None)
    return page.suggestion(field.key, "yes" if drawn else "no", _UNBOXED, drawn or places[0], row)


def _reach(image: Image.Image, label: Box, side: Side) -> Box:
    """Where the box of a label is looked for, at one of its sides."""
    high = max(label.bottom - label.top, 14)
    left, right = (label.left - 8 * high, label.left) if side is Side.LEFT else (label.right, label.right + 8 * high)
    left = min(max(left, 0), image.width - 2)
    right = max(min(right, image.width), left + 1)
    return Box(left, max(label.top - int(1.5 * high), 0), right, min(label.bottom + int(1.5 * high), image.height))


def _distance(box: Box, label: Box) -> int:
    return max(box.left - label.right, label.left - box.right, 0)


def _cell(page: _Page, cell: Cell) -> Iterator[Suggestion]:
    if cell.column.look is Look.TICK:
        if tick := cell.tick:
            yield page.suggestion(cell.column.key, "yes" if tick.ticked else "no", tick.confidence, tick.box, cell.row)
        else:
            value = "yes" if is_drawn(page.image, cell.box) else "no"
            yield page.suggestion(cell.column.key, value, _UNBOXED, cell.box, cell.row)
    elif read := _text(page, cell.column.key, cell.column.look, cell.box, cell.row):
        yield read


def _signed(page: _Page, layout: SignatureLayout) -> Iterator[SignatureField]:
    """The field beside a label, whichever side of it has something drawn; where none has, the first one."""
    for label in page.labels.places(layout.labels)[:2]:
        sides = (Side.ABOVE, Side.RIGHT) if layout.side is Side.ANY else (layout.side,)
        near = [one for side in sides if (one := region(page.image, label, side, page.labels.marks))]
        places = [one for one in near if not _is_printed(page, one)]
        for place in places:
            if is_drawn(page.image, place):
                yield SignatureField(page.number, page.scaled(place), drawn=True)
                break
        else:
            if places:
                yield SignatureField(page.number, page.scaled(places[0]), drawn=False)


def _is_printed(page: _Page, place: Box) -> bool:
    """Whether there is a sentence, which no signature is."""
    words = page.labels.written(place)
    return sum(1 for word in words if len(word.text) >= _LONG_WORD and word.confidence >= _GOOD) >= _SENTENCE
