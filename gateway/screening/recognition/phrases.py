"""Printed phrases found again in what OCR read of a coarse page: letters that look alike count as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.screening.extraction.combs import Box
from gateway.screening.recognition.words import Line, around

_ALIKE: Final = str.maketrans("0qecd1i|!t5862z", "oooooLLLLLsbgzz".lower())
_SHARED: Final = 0.4  # of a phrase's triples, before it is looked at more closely
_SHORT: Final = 5
_ITEM = re.compile(r"\(?(?:[0-9]{1,2}[a-z]?[).]?|[a-z][).])\Z|[^A-Za-z0-9]*\Z", re.IGNORECASE)
_FAR: Final = 1.1  # heights of a letter between words that do not belong together


@dataclass(frozen=True, slots=True)
class Found:
    """Where a phrase stands: which words of a line, and how well they agree with it, 0 to 1."""

    line: Line
    first: int
    last: int
    score: float

    @property
    def box(self) -> Box:
        """What its words cover."""
        return around(word.box for word in self.line.words[self.first : self.last + 1])


@lru_cache(maxsize=4_096)
def folded(text: str) -> str:
    """Return letters and digits alone, those that look alike as one."""
    return "".join(sign for sign in text.lower() if sign.isalnum()).translate(_ALIKE)


@lru_cache(maxsize=4_096)
def triples(text: str) -> frozenset[str]:
    """Return what a folded text has of three signs beside each other."""
    return frozenset(text[at : at + 3] for at in range(max(len(text) - 2, 1)))


def share(phrase: str, text: str) -> float:
    """Return how much of a phrase stands in a folded text, 0 to 1, wherever its pieces are."""
    wanted = triples(folded(phrase))
    return len(wanted & triples(text)) / len(wanted)


def likeness(wanted: str, text: str) -> tuple[float, int, int]:
    """Return how well the stretch of a folded text agrees that is nearest to another one, 0 to 1, and where it begins
    and ends.
    """
    place = _best(wanted, text)
    return (1 - place[2] / len(wanted), place[0], place[1]) if place else (0.0, 0, 0)


def find(phrase: str, lines: Iterable[Line], least: float = 0.75) -> list[Found]:
    """Return where a phrase stands in these lines, the places that agree with it at `least`, one a line and gap."""
    wanted = folded(phrase)
    found: list[Found] = []
    for line in lines:
        text, owners = _run(line)
        if len(wanted) > _SHORT and len(triples(wanted) & triples(text)) < _SHARED * len(triples(wanted)):
            continue
        found += _all_in(wanted, line, text, owners, least)
    return found


def stands_alone(found: Found) -> bool:
    """Tell whether a phrase begins something: no sentence leads up to it, only a gap, or the number of an item."""
    if found.first == 0:
        return True
    before = found.line.words[found.first - 1]
    gap = found.box.left - before.box.right
    return gap > _FAR * found.box.height or _ITEM.match(before.text) is not None


def _all_in(wanted: str, line: Line, text: str, owners: Sequence[int], least: float) -> list[Found]:
    """Every place of a line, from left to right, where a folded phrase stands in whole words."""
    found: list[Found] = []
    start = 0
    while True:
        place = _best(wanted, text[start:])
        if place is None or 1 - place[2] / len(wanted) < least:
            return found
        begin, end, wrong = start + place[0], start + place[1], place[2]
        if _is_whole(begin, end, owners):
            found.append(Found(line, owners[begin], owners[end - 1], 1 - wrong / len(wanted)))
        start = end


def _is_whole(begin: int, end: int, owners: Sequence[int]) -> bool:
    """Whether a stretch begins and ends near the edges of words: a short label is no piece of a long word."""
    before = sum(1 for owner in owners[max(begin - 3, 0) : begin] if owner == owners[begin])
    after = sum(1 for owner in owners[end : end + 3] if owner == owners[end - 1])
    return before < 2 and after < 2


@lru_cache(maxsize=1_024)
def _run(line: Line) -> tuple[str, tuple[int, ...]]:
    """A line folded to one run of signs, with the word that each sign is of."""
    pieces = [folded(word.text) for word in line.words]
    owners = [number for number, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), tuple(owners)


def _best(wanted: str, text: str) -> tuple[int, int, int] | None:
    """The stretch of a text that is nearest to what is wanted: begin, end, signs that differ. Of several the first
    that ends, and of those that end there the longest.
    """
    costs = _costs(wanted, text, is_anchored=False)
    wrong = min(costs, default=len(wanted))
    if wrong >= len(wanted):
        return None
    end = costs.index(wrong) + 1
    back = _costs(wanted[::-1], text[max(end - 2 * len(wanted), 0) : end][::-1], is_anchored=True)
    return end - max(at for at, cost in enumerate(back, 1) if cost == wrong), end, wrong


def _costs(wanted: str, text: str, *, is_anchored: bool) -> list[int]:
    """How many signs differ between what is wanted and the best stretch of a text that ends at each sign, and begins
    anywhere, or where the text does (Hyyrö 2003, after Myers 1999: a column of the table is one number's bits).
    """
    every, high = (1 << len(wanted)) - 1, 1 << (len(wanted) - 1)
    places: dict[str, int] = {}
    for at, sign in enumerate(wanted):
        places[sign] = places.get(sign, 0) | 1 << at
    more, less, cost = every, 0, len(wanted)
    costs = []
    for sign in text:
        same = places.get(sign, 0)
        down = same | less
        across = (((same & more) + more) ^ more) | same
        up = less | ~(across | more) & every
        lower = more & across
        cost += bool(up & high) - bool(lower & high)
        costs.append(cost)
        up = up << 1 | is_anchored
        more = (lower << 1 | ~(down | up)) & every
        less = up & down & every
    return costs
