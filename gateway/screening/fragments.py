"""Numbers told piece by piece: "starts with 123, then 45, the last four are 6789", in one text or over a mail."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import re2

from gateway.screening.lexicon import LEXICON
from gateway.screening.sieve import sifted
from gateway.screening.spans import find_spans
from gateway.screening.view import View

ORDER: Final = {word: order for order, name in enumerate(("start", "middle", "end")) for word in LEXICON.pieces[name]}
_ANY: Final = "|".join(re.escape(word).replace("\\ ", r"[\s_-]{1,3}") for word in sorted(ORDER, key=len, reverse=True))
GATE: Final = sifted(re2.compile(rf"(?i)\b(?:{_ANY})\b".encode()))
_COUNT: Final = re.compile(
    r"^\W{0,3}(?:(?:of|the)\s)?(?:half|part|bit|group|[1-6]|two|three|four|five|six|dos|tres|cuatro|cinco|zwei|drei|vier|deux|trois|quatre|cinq|due|tre|quattro|quatro|twee|drie)?"
    r"(?:\s*(?:digits?|numbers?|nos?\.?|ones|cifras|digitos|ziffern|stellen|chiffres|cifre|numeri|cijfers))?(?=\D|$)",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"(?<![\d$.,/:-])\d(?:[ -]?\d){0,5}(?![\d%/:-])")
_DAY: Final = re.compile(r"\d{1,2} (?:19|20)\d\d\Z")  # of "May 22 2026"
_STOP: Final = re.compile(r"[.!?]\s+[A-Z>]|\n\s*\n")
_DIGIT: Final = re.compile(r"\d")
_AHEAD: Final = 110  # characters after a word of order in which its piece is looked for
_BEHIND: Final = 25
_SPLITS: Final = frozenset({(3, 2, 4), (5, 4), (4, 5), (3, 6), (6, 3), (3, 3, 3), (2, 7), (2, 3, 4), (4, 2, 3)})
_NEAR: Final = 150  # characters between pieces that nothing names
_APART: Final = 400  # and between pieces of a number that is named
_NAMED: Final = sifted(
    re2.compile(
        rb"(?i)\b(?:"
        + b"|".join(
            re.escape(phrase).replace("\\ ", r"[\s'._/-]{1,3}").encode()
            for name in ("ssn", "itin", "atin", "ein", "tin")
            for phrase in sorted(LEXICON.phrases[name])
            if "#" not in phrase
        )
        + rb")\b"
    )
)
_MOST: Final = 200  # words of order that are looked at in one text


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a number: 0 first, 1 middle, 2 last, its digits, and where in which text it stands."""

    order: int
    digits: str = field(repr=False)
    at: int = 0
    source: int = 0  # which text
    named: bool = False  # whether a taxpayer's number is spoken of near it


def find_pieces(view: View) -> list[Piece]:
    """Pieces that words of order name, in the order of the text."""
    if not view.may_match(GATE):
        return []
    octets, text = view.octets, view.text
    words: list[tuple[int, int, int]] = []
    for start, end in find_spans(GATE, octets):
        words.append((start, end, ORDER[re.sub(r"[\s_-]+", " ", text[start:end].lower())]))
        if len(words) == _MOST:
            break
    if not words:
        return []
    pieces: list[Piece] = []
    source = hash(text)
    spoken = [start for start, _ in find_spans(_NAMED, octets)] if view.may_match(_NAMED) else []
    last = 0
    for (start, end, order), (following, _, _) in pairwise([*words, (len(text), 0, 0)]):
        found = _ahead(text, end, _until(text, end, min(following, end + _AHEAD))) or _behind(
            text, max(last, start - _BEHIND), start
        )
        if found and not _DAY.match(found[0]):
            last = found[1]
            close = bisect_right(spoken, end + _NEAR) > bisect_left(spoken, start - 2 * _NEAR)
            pieces.append(Piece(order, re.sub(r"\D", "", found[0]), start, source, close))
    return pieces


def _until(text: str, start: int, end: int) -> int:
    """Where the sentence ends in which a word of order stands."""
    stop = _STOP.search(text, start + 1, end)
    return stop.start() if stop else end


def _ahead(text: str, start: int, end: int) -> tuple[str, int] | None:
    if not _DIGIT.search(text, start, end):
        return None
    counted = _COUNT.match(text[start:end])
    skipped = start + (counted.end() if counted else 0)
    match = _DIGITS.search(text, skipped, min(len(text), end + 8))
    return (match.group(), match.end()) if match and match.start() < end else None


def _behind(text: str, start: int, end: int) -> tuple[str, int] | None:
    if not _DIGIT.search(text, start, end):
        return None
    matches = list(_DIGITS.finditer(text, start, end))
    return (matches[-1].group(), matches[-1].end()) if matches else None


def join(pieces: list[Piece]) -> set[str]:
    """Every nine-digit number that two to four pieces make, in the order they claim and in the order they came."""
    made: set[str] = set()
    for row in (pieces, sorted(pieces, key=lambda piece: piece.order)):
        sizes = tuple(len(piece.digits) for piece in row)
        for at in range(min(len(row), _MOST)):
            for number in (2, 3, 4):
                if sizes[at : at + number] in _SPLITS and _belong(row[at : at + number]):
                    made.add("".join(piece.digits for piece in row[at : at + number]))
    return made


def _belong(told: list[Piece]) -> bool:
    """Whether pieces run from a first to a last one, close together, or beside words that name such a number."""
    orders = [piece.order for piece in told]
    if orders != sorted(orders) or orders[0] != 0 or orders[-1] == 0:
        return False
    if len({piece.source for piece in told}) > 1:
        return any(piece.named for piece in told)
    if orders[-1] != 2 and told[-1].at - told[0].at > _NEAR:
        return False
    apart = max(abs(left.at - right.at) for left, right in pairwise(told))
    return apart <= (_APART if any(piece.named for piece in told) else _NEAR)
