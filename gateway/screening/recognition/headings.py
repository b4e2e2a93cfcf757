"""What stands by itself on a page: titles in lines of their own, and the name of a form that runs at its head or foot.

A letter may tell a form's name and its title, too, but in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Final

from gateway.screening.recognition.phrases import folded, likeness, share, triples
from gateway.screening.recognition.words import Line, parted

_MOST: Final = 3  # lines that a title may take
_ANY: Final = 0.3  # of a phrase's triples: with less it is not compared sign by sign
_LARGE: Final = 1.22  # times as high as most words of the page
_CLOSE: Final = 1.3  # heights of a letter between lines of one title
_LED: Final = 9  # signs before a title in a line of usual size: the number of a part; more are a sentence
_GAP: Final = 0.9  # heights of a letter between what stands beside each other; a blank is a third
_ALIKE: Final = 1.6  # times that one line of a title may be as high as another
_CHANCE, _SURE = 0.5, 0.85  # likeness of a phrase to what is not it at all, and to what is it without doubt
_REST: Final = (0.6, 0.85)  # likeness of the rest of a title
_NAMED: Final = (0.6, 1.0)  # likeness of a form's name where it stands by itself
_HALF, _ALL = 0.45, 0.8  # of the signs of large lines that a title takes: as good as none, and as good as all
_MUCH, _WHOLE = 0.65, 0.95  # the same of lines of usual size
_EDITION: Final = re.compile(r"(?i)[^a-z]*(?:r[a-z][a-z][.,:]?(?![a-z])|page\b|$)")
_PAGE: Final = re.compile(r"(?i)\b[pf][a-z][gqy][eco]\s*([2-9])\W*$")


@dataclass(frozen=True, slots=True)
class Headed:
    """How well a phrase stands as a title, in lines of its own, and how well anywhere, each 0 to 1; whether as a title
    its letters are larger than most.
    """

    alone: float = 0.0
    anywhere: float = 0.0
    is_large: bool = False

    def lessened(self, by: float) -> Headed:
        """Return the same, where it is only so likely."""
        return Headed(self.alone * by, self.anywhere * by, self.is_large)


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    height: float


class Headings:
    """The lines of a page, taken for titles."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def headed(self, phrases: Iterable[str]) -> Headed:
        """Return how the one of these phrases stands there that stands there best."""
        every = [self._stands(phrase) for phrase in phrases]
        return max(every, key=lambda one: one.alone * (1 + one.is_large) + one.anywhere, default=Headed())

    def continued(self, title: str, longer: str) -> float:
        """Return how well the rest of a longer title is read, in letters as large as the title that it begins with,
        0 to 1.
        """
        own, rest = folded(title), folded(longer)[len(folded(title)) :]
        near = [block for block in self._blocks if share(title, block.text) >= _ANY]
        if not near:
            return 0.0
        best = max(near, key=lambda block: likeness(own, block.text)[0])
        every = [likeness(rest, block.text)[0] for block in self._blocks if block.height > best.height / _ALIKE]
        return _within(max(every), *_REST)

    def imprint(self, names: Iterable[str]) -> float:
        """Return how well a form's name is read where it stands without a sentence, but for its edition and page."""
        return max((_imprint(name, piece) for name in names for piece in self._pieces), default=0.0)

    @cached_property
    def page(self) -> int:
        """Return the number of the page, as far as it says that it is a later one; else 0."""
        numbers = [_PAGE.search(line.text) for line in self._lines]
        return max((int(told[1]) for told in numbers if told), default=0)

    def _stands(self, phrase: str) -> Headed:
        wanted = folded(phrase)
        best = Headed()
        for block in self._blocks:
            if share(phrase, block.text) < _ANY:
                continue
            like, begin, end = likeness(wanted, block.text)
            said = _within(like, _CHANCE, _SURE)
            is_large = block.height > _LARGE * self._usual
            covered = _within((end - begin) / len(block.text), *((_HALF, _ALL) if is_large else (_MUCH, _WHOLE)))
            alone = said * covered if is_large or begin <= _LED else 0.0
            if alone * (1 + is_large) + said > best.alone * (1 + best.is_large) + best.anywhere:
                best = Headed(alone, said, is_large)
        return best

    @cached_property
    def _pieces(self) -> list[Line]:
        return [piece for line in self._lines for piece in parted(line, _GAP, int(self._usual))]

    @cached_property
    def _usual(self) -> float:
        return median([word.box.height for line in self._lines for word in line.words] or [1])

    @cached_property
    def _blocks(self) -> list[_Block]:
        """Every line, and every two and three that stand closely below each other in letters of one size."""
        made: list[_Block] = []
        for at, first in enumerate(self._pieces):
            chain = [first]
            made.append(_block(chain))
            for piece in self._pieces[at + 1 :]:
                if len(chain) == _MOST or piece.box.top > chain[-1].box.bottom + _CLOSE * _high(chain[-1]):
                    break
                if _follows(piece, chain[-1]):
                    chain.append(piece)
                    made.append(_block(chain))
        return [block for block in made if block.text]


def _block(lines: Sequence[Line]) -> _Block:
    return _Block("".join(folded(line.text) for line in lines), min(map(_high, lines)))


def _high(line: Line) -> float:
    return median(word.box.height for word in line.words)


def _follows(piece: Line, last: Line) -> bool:
    """Whether a line may be the next one of a title."""
    here, above = piece.box, last.box
    over = min(here.right, above.right) - max(here.left, above.left)
    is_beneath = over > min(here.right - here.left, above.right - above.left) / 2
    high, low = max(_high(piece), _high(last)), min(_high(piece), _high(last))
    return here.top > above.bottom - low / 2 and is_beneath and high < _ALIKE * low


def _imprint(name: str, piece: Line) -> float:
    wanted = folded(name)
    for end in range(1, len(piece.words) + 1):
        for begin in range(max(end - 3, 0), end):
            text = folded(" ".join(word.text for word in piece.words[begin:end]))
            if not text or abs(len(text) - len(wanted)) > 1 or not triples(text) & triples(wanted):
                continue
            rest = " ".join(word.text for word in piece.words[end:])
            like, *whole = likeness(wanted, text)
            is_first = begin == 0 or any(sign.isdigit() for sign in piece.words[begin - 1].text)
            is_last = _EDITION.match(rest) or _PAGE.search(rest)
            if is_first and is_last and whole == [0, len(text)] and like > _NAMED[0]:
                return _within(like, *_NAMED)
    return 0.0


def _within(value: float, least: float, most: float) -> float:
    return min(max((value - least) / (most - least), 0.0), 1.0)
