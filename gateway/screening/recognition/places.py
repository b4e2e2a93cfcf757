"""Where the labels of a form stand on a page, and the parts of the page where the fields beside them are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from PIL import Image, ImageFilter

from gateway.domain.layout import Side
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.phrases import Found, find, folded, stands_alone
from gateway.screening.recognition.words import Line, Word, parted

_SHORT: Final = 14  # letters of a label that may be a piece of a sentence
_STRETCH: Final = 400  # pixels that a level line is followed for
_DARK: Final = 105  # mean of a column of pixels that is a ruled line
_LEVEL: Final = 60  # mean of a row of pixels that is one; a line of close print is lighter


class Labels:
    """The labels of one page. What agrees with most signs has its words to itself: `Name` is no part of
    `Name and address`, nor is `E-mail address` a misread `Mailing address`.
    """

    def __init__(self, lines: Sequence[Line], labels: Iterable[str]) -> None:
        self.lines = lines
        pieces = [piece for line in lines for piece in parted(line)]
        self._found: dict[str, list[Found]] = {}
        self._claimed: set[int] = set()
        seen = [(label, one) for label in sorted(set(labels)) for one in find(label, pieces, _least(label))]
        for label, one in sorted(seen, key=lambda each: -_agreed(*each)):
            if self._claim(label, one):
                self._found.setdefault(label, []).append(one)

    def places(self, labels: Iterable[str]) -> list[Box]:
        """Return where one of these labels stands, topmost first."""
        boxes = [one.box for label in labels for one in self._found.get(label, ())]
        return sorted(boxes, key=lambda box: (box.top, box.left))

    @property
    def marks(self) -> list[Box]:
        """Where any label stands."""
        return [one.box for each in self._found.values() for one in each]

    @property
    def words(self) -> list[Word]:
        """Every word of the page."""
        return [word for line in self.lines for word in line.words]

    def written(self, region: Box) -> list[Word]:
        """Return the words in a part of the page that are of no label."""
        return [
            word
            for line in self.lines
            for word in line.words
            if id(word) not in self._claimed and _is_within(word.box, region)
        ]

    def _claim(self, label: str, found: Found) -> bool:
        words = found.line.words[found.first : found.last + 1]
        if any(id(word) in self._claimed for word in words):
            return False
        if len(folded(label)) <= _SHORT and not self._stands_alone(found):
            return False
        self._claimed.update(map(id, words))
        return True

    def _stands_alone(self, found: Found) -> bool:
        before = found.line.words[found.first - 1] if found.first else None
        return stands_alone(found) or id(before) in self._claimed


def region(image: Image.Image, label: Box, side: Side, marks: Iterable[Box]) -> Box | None:
    """Return the part of a page where the field of a label is, as far as other labels and ruled lines leave it."""
    high = max(label.bottom - label.top, 14)
    others = [one for one in marks if one != label]
    beside = [
        one.left for one in others if one.left >= label.right and one.top < label.bottom and one.bottom > label.top
    ]
    right = min([*beside, image.width])
    match side:
        case Side.LEFT:
            box = (
                label.left - int(3.4 * high),
                label.top - int(1.1 * high),
                label.left,
                label.bottom + int(1.1 * high),
            )
        case Side.ABOVE:
            box = (label.left - high, label.top - int(4.4 * high), right, label.top - high // 4)
        case Side.BELOW:
            beneath = [
                one.top
                for one in others
                if one.top > label.bottom + high // 2 and one.left < right and one.right > label.left
            ]
            bottom = min([*beneath, label.bottom + int(4.2 * high)])
            box = (label.left - high, label.bottom, right, bottom)
        case _:
            box = (label.right + high // 4, label.top - int(1.2 * high), right, label.bottom + int(0.7 * high))
    return _within_rules(image, _fitted(image, box), label, side)


def _within_rules(image: Image.Image, box: Box | None, label: Box, side: Side) -> Box | None:
    """The same part up to the first upright line at its right."""
    if box is None or side is Side.LEFT or box.right <= box.left + 8:
        return box
    columns = upright_rules(image, box)
    right = next(
        (at for at in columns if at > max(label.right if side is not Side.RIGHT else 0, box.left) + 8), box.right
    )
    left = max((at for at in columns if at < label.left), default=box.left) if side is not Side.RIGHT else box.left
    bottom = _foot(image, Box(box.left, box.top, right, box.bottom), label) if side is Side.BELOW else box.bottom
    return _fitted(image, (left, box.top, right, bottom))


def _foot(image: Image.Image, box: Box, label: Box) -> int:
    """Where the first level ruled line below a label is, or the box's own foot."""
    part = image.crop((box.left, box.top, min(box.right, box.left + _STRETCH), box.bottom))
    flat = part.filter(ImageFilter.MinFilter(3)).resize((1, part.height), Image.Resampling.BOX).tobytes()
    least = (label.bottom - label.top) // 2
    return next((box.top + at for at, value in enumerate(flat) if at > least and value < _LEVEL), box.bottom)


def upright_rules(image: Image.Image, box: Box) -> list[int]:
    """Return where upright ruled lines cross a part of a page, as pixels from the page's left."""
    part = image.crop((box.left, box.top, box.right, box.bottom))
    flat = part.resize((part.width, 1), Image.Resampling.BOX).tobytes()
    return [box.left + at for at, value in enumerate(flat) if value < _DARK]


def _fitted(image: Image.Image, box: tuple[int, int, int, int]) -> Box | None:
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[2], image.width), min(box[3], image.height)
    return Box(left, top, right, bottom) if right - left > 8 and bottom - top > 8 else None


def _agreed(label: str, found: Found) -> float:
    """How many signs of a label were seen, less those that were not."""
    return len(folded(label)) * (2 * found.score - 1)


def _least(label: str) -> float:
    return 0.9 if len(folded(label)) <= 5 else 0.78


def _is_within(box: Box, region: Box) -> bool:
    across, down = (box.left + box.right) // 2, (box.top + box.bottom) // 2
    return region.left <= across < region.right and region.top <= down < region.bottom
