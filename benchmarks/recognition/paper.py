"""Blank paper, and what a form has on it: labels, lines, boxes a digit, boxes to tick, tables, signatures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from PIL import Image, ImageDraw, ImageFont

from benchmarks.screening.pages import font

WIDTH, HEIGHT = 1728, 2244  # US letter at 204 dots an inch
MARGIN = 90
_PRINTS = (
    "DejaVuSans", "DejaVuSansCondensed", "DejaVuSerif", "DejaVuSerifCondensed", "LiberationSans-Regular", "carried",
)  # fmt: skip
_PENS = ("DejaVuSans", "DejaVuSansMono", "DejaVuSerif", "DejaVuSansCondensed", "carried", "DejaVuSans-Oblique")

Face = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Style:
    """How one edition of a form is printed, and how one sheet of it is filled in."""

    print_face: str
    pen_face: str
    label: int  # pixels of letters
    value: int
    is_celled: bool  # a frame round each field, or a line to write on
    left: int
    top: int
    scale: float
    rule: int

    @classmethod
    def any(cls, rng: Random) -> Style:
        """Draw one by lot."""
        return cls(
            rng.choice(_PRINTS), rng.choice(_PENS), rng.randint(20, 25), rng.randint(27, 36), rng.random() < 0.6,
            rng.randint(-35, 35), rng.randint(-40, 50), rng.uniform(0.94, 1.03), rng.randint(2, 4),
        )  # fmt: skip


@dataclass(slots=True)
class Truth:
    """What a page is, and what was written where: `ticks` and `numbers` are those that are scored."""

    kind: str  # a form's number, "cover-sheet", or "" for what is none
    is_first: bool = True
    ticks: list[tuple[str, int, bool]] = field(default_factory=list)  # key, row, ticked
    combs: list[tuple[str, int, str]] = field(default_factory=list)  # key, row, digits
    values: list[tuple[str, int, str]] = field(default_factory=list)
    signed: bool | None = None
    reference: str = ""


class Paper:
    """A sheet that is drawn on from top to bottom."""

    def __init__(self, rng: Random, style: Style, truth: Truth) -> None:
        self.rng, self.style, self.truth = rng, style, truth
        self.image = Image.new("L", (WIDTH, HEIGHT), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.down = 70 + style.top
        self.left = MARGIN + style.left
        self.right = int(self.left + (WIDTH - 2 * MARGIN) * style.scale)

    @property
    def width(self) -> int:
        return self.right - self.left

    def face(self, size: int, *, bold: bool = False, pen: bool = False) -> Face:
        name = self.style.pen_face if pen else self.style.print_face
        if name == "carried":
            return ImageFont.load_default(size)
        return font(f"{name}-Bold" if bold and not name.startswith("Liberation") else name, size)

    def text(self, left: int, top: int, words: str, size: int = 0, *, bold: bool = False, pen: bool = False) -> int:
        """Write words and return where they end."""
        size = size or (self.style.value if pen else self.style.label)
        face = self.face(size, bold=bold, pen=pen)
        self.draw.text((left, top), words, fill=self.rng.choice([0, 0, 30]) if pen else 0, font=face)
        return left + int(self.draw.textlength(words, font=face))

    def length(self, words: str, size: int = 0, *, bold: bool = False, pen: bool = False) -> int:
        size = size or (self.style.value if pen else self.style.label)
        return int(self.draw.textlength(words, font=self.face(size, bold=bold, pen=pen)))

    def paragraph(self, words: str, size: int = 0) -> None:
        """Print words over the whole width, and go on below them."""
        size = size or self.style.label
        for line in self.wrapped(words, self.width, size):
            self.text(self.left, self.down, line, size)
            self.down += int(size * 1.35)
        self.down += size // 2

    def wrapped(self, words: str, room: int, size: int, *, pen: bool = False, bold: bool = False) -> list[str]:
        made = [""]
        for word in words.split():
            longer = f"{made[-1]} {word}".strip()
            if made[-1] and self.length(longer, size, pen=pen, bold=bold) > room:
                made.append(word)
            else:
                made[-1] = longer
        return made

    def line(self, *place: int) -> None:
        self.draw.line(place, fill=0, width=self.style.rule)

    def frame(self, left: int, top: int, right: int, bottom: int) -> None:
        self.draw.rectangle((left, top, right, bottom), outline=0, width=self.style.rule)

    def heading(self, words: str) -> None:
        """A bar across the form that names a part of it."""
        size = self.style.label + 2
        self.text(self.left, self.down + 4, words, size, bold=True)
        self.line(self.left, self.down, self.right, self.down)
        self.down += int(size * 1.6)

    def row(self, *fields: tuple[str, str, str], shares: Sequence[float] = ()) -> None:
        """Fields beside each other, each a label, what is written in it, and its key ("" where nobody asks for it)."""
        shares = shares or [1 / len(fields)] * len(fields)
        across = self.left
        high = int(self.style.label * 1.4 + self.style.value * 1.75) if self.style.is_celled else self.style.value * 2
        for (label, value, key), part in zip(fields, shares, strict=True):
            right = min(across + int(self.width * part), self.right)
            if self.style.is_celled:
                self._cell(across, right, high, label, value)
            else:
                self._on_line(across, right, high, label, value)
            if key and value:
                self.truth.values.append((key, 0, value))
            across = right
        self.down += high

    def _cell(self, left: int, right: int, high: int, label: str, value: str) -> None:
        self.frame(left, self.down, right, self.down + high)
        self.text(left + 8, self.down + 5, label)
        top = self.down + high - int(self.style.value * 1.45) + self.rng.randint(-2, 3)
        self.text(left + self.rng.randint(10, 40), top, self.fitting(value, right - left - 50), pen=True)

    def _on_line(self, left: int, right: int, high: int, label: str, value: str) -> None:
        foot = self.down + high - 12
        end = self.text(left + 6, foot - int(self.style.label * 1.25), label)
        self.line(end + 10, foot, right - 14, foot)
        top = foot - int(self.style.value * 1.2) - self.rng.randint(0, 4)
        self.text(end + self.rng.randint(14, 40), top, self.fitting(value, right - end - 60), pen=True)

    def fitting(self, value: str, room: int) -> str:
        while value and self.length(value, pen=True) > room:
            value = value[:-1]
        return value

    def combed(self, label: str, digits: str, key: str, groups: Sequence[int], row: int = 0) -> None:
        """A label and boxes, one a digit."""
        side = self.rng.randint(44, 54)
        is_beside = self.rng.random() < 0.5
        end = self.text(self.left + 8, self.down + (side // 3 if is_beside else 4), label)
        across = end + 30 if is_beside else self.left + 40
        top = self.down + (6 if is_beside else int(self.style.label * 1.6))
        at = 0
        for number, size in enumerate(groups):
            if number:
                self.line(across + 5, top + side // 2, across + 19, top + side // 2)
                across += 24
            for _ in range(size):
                self.frame(across, top, across + side, top + side)
                if at < len(digits):
                    left = across + side // 2 - self.length(digits[at], 36, pen=True) // 2
                    self.text(left, top + side // 2 - 22, digits[at], 36, pen=True)
                at += 1
                across += side
        if digits:
            self.truth.combs.append((key, row, digits))
        self.down = top + side + 14

    def box(self, left: int, top: int, side: int, *, ticked: bool) -> None:
        """A box to tick."""
        self.frame(left, top, left + side, top + side)
        if not ticked:
            return
        way = self.rng.choice(("cross", "cross", "check", "check", "fill", "scrawl"))
        over = self.rng.randint(-side // 5, side // 4)
        a, b, c, d = left - over, top - over, left + side + over, top + side + over
        width = self.rng.randint(3, 5)
        if way == "cross":
            self.draw.line((a, b, c, d), fill=0, width=width)
            self.draw.line((a, d, c, b), fill=0, width=width)
        elif way == "check":
            self.draw.line((a + 4, top + side // 2, left + side // 3, d - 4), fill=0, width=width)
            self.draw.line((left + side // 3, d - 4, c + side // 3, b - side // 4), fill=0, width=width)
        elif way == "fill":
            self.draw.rectangle((left + 5, top + 5, left + side - 5, top + side - 5), fill=0)
        else:
            points = [(left + self.rng.randint(3, side - 3), top + self.rng.randint(3, side - 3)) for _ in range(8)]
            self.draw.line(points, fill=0, width=width)

    def tick(self, label: str, key: str, *, ticked: bool, after: bool, left: int | None = None, row: int = 0) -> None:
        """A line of print with a box before or behind it."""
        side = self.rng.randint(26, 36)
        across = self.left + 10 if left is None else left
        middle = self.down + side // 2
        text_top = middle - int(self.style.label * 0.65)
        if after:
            end = self.text(across, text_top, label)
            self.box(end + self.rng.randint(14, 40), self.down, side, ticked=ticked)
        else:
            self.box(across, self.down, side, ticked=ticked)
            self.text(across + side + self.rng.randint(10, 22), text_top, label)
        self.truth.ticks.append((key, row, ticked))
        self.down += side + 14

    def signature(self, left: int, right: int, foot: int) -> None:
        """Something like a name, drawn by hand."""
        size = self.rng.randint(40, 70)
        across, points = left + self.rng.randint(20, 60), []
        reach = min(right - across - 20, self.rng.randint(220, 420))
        phase, waves = self.rng.uniform(0, 6), self.rng.uniform(4, 8)
        for step in range(120):
            share = step / 119
            lift = size * (0.35 + 0.35 * math.sin(phase + waves * 6.283 * share) * (1 - share * 0.6))
            wobble = 12 * math.sin(3 * waves * share * 6.283)
            points.append((across + reach * share + wobble, foot - lift - self.rng.uniform(0, 2)))
        self.draw.line(points, fill=0, width=self.rng.randint(3, 5), joint="curve")
