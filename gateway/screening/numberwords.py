"""Number words as digits: "one two three, forty-five, six thousand seven hundred eighty-nine" in several languages.

A run of number words is found by one RE2 pattern, cut into pieces, and read by one small grammar that holds for all
languages at once; the words themselves stand in `numberwords.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, NamedTuple

import re2

from gateway.screening.sieve import sifted
from gateway.screening.spans import find_spans, finds
from gateway.screening.view import View

_GAP: Final = r"[\s,.;:/_'\"()*|\-]{0,4}"
_LEAST: Final = 4  # words in a row that count as a run
_LONGEST: Final = 4_000  # characters of one run that are read


class _Piece(NamedTuple):
    """One word: what it does in a number, its value, and what stood before it."""

    does: str  # small, tens, hundred, hundreds, thousand, times, unit-joins, joins, dash, fills, digits
    value: int
    word: str
    before: str


@dataclass(frozen=True, slots=True)
class Spelled:
    """A run of number words: its place in the text, and the digits it says."""

    start: int
    end: int
    digits: str


def find_spelled(view: View) -> Iterator[Spelled]:
    """Runs of number words that say six digits or more, and digits whose signs are written in words ("512 dash 34")."""
    octets, text = view.octets, view.text
    runs = [*find_spans(RUN, octets)] if view.may_match(RUN) else []
    if view.may_match(GATE) and finds(GATE, octets):
        runs += find_spans(PARTED, octets)
    for start, end in runs:
        end = min(end, start + _LONGEST)
        digits = _say(_pieces(text[start:end].lower()))
        if sum(map(str.isdigit, digits)) >= 6:
            yield Spelled(start, end, digits)


def _pieces(run: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    last = 0
    for match in _PIECE.finditer(run):
        word = match.group()
        does, value = ("digits", 0) if word.isdigit() else WORDS[word]
        pieces.append(_Piece(does, value, word, run[last : match.start()]))
        last = match.end()
    return pieces


def _say(pieces: list[_Piece]) -> str:
    """The digits of a run, with a blank where a comma stood, line breaks, and a dash where one was said."""
    told: list[str] = []
    at, times = 0, 1
    while at < len(pieces):
        piece = pieces[at]
        if told and not told[-1].endswith(("-", " ", "\n")) and set(piece.before) & set(",;\n|"):
            told.append("\n" if "\n" in piece.before else " ")
        if piece.does in {"digits", "dash", "fills", "times", "joins", "unit-joins"}:
            told.append({"digits": piece.word, "dash": "-"}.get(piece.does, ""))
            times = piece.value if piece.does == "times" else 1
            at += 1
            continue
        value, at = _number(pieces, at)
        told.append(str(value) * times)
        times = 1
    return "".join(told)


def _number(pieces: list[_Piece], at: int) -> tuple[int, int]:
    """One number up to 999,999 from `at` on, and where it ends."""
    value, after = (1, at) if pieces[at].does == "thousand" else _below_thousand(pieces, at)
    if value and _does(pieces, after) == "thousand":
        value, after = value * 1000, after + 1
        rest = after + (_does(pieces, after) == "joins")
        if _does(pieces, rest) in {"small", "tens", "hundred", "hundreds"} and pieces[rest].value != 0:
            more, after = _below_thousand(pieces, rest)
            value += more
    return value, after


def _below_thousand(pieces: list[_Piece], at: int) -> tuple[int, int]:
    does = pieces[at].does
    if does in {"hundred", "hundreds"}:
        value, after = pieces[at].value, at + 1
    else:
        value, after = _below_hundred(pieces, at)
        if not (0 < value < 10 and _does(pieces, after) == "hundred"):
            return value, after
        value, after = value * 100, after + 1
    rest = after + (_does(pieces, after) in {"joins", "unit-joins"})
    if _does(pieces, rest) in {"small", "tens"} and pieces[rest].value != 0:
        more, after = _below_hundred(pieces, rest)
        value += more
    return value, after


def _below_hundred(pieces: list[_Piece], at: int) -> tuple[int, int]:
    value, after = pieces[at].value, at + 1
    if pieces[at].word == "quatre" and after < len(pieces) and pieces[after].word in {"vingt", "vingts"}:
        value, after = 80, after + 1
    elif pieces[at].does == "small":
        return _unit_first(pieces, at)
    rest = after + (_does(pieces, after) == "joins")
    if _does(pieces, rest) != "small" or "," in pieces[after].before:
        return value, after
    unit = pieces[rest].value
    if 0 < unit < 10:
        return value + unit, rest + 1
    if unit >= 10 and pieces[rest].word in _FRENCH_TEENS and value in {60, 80}:
        teen, after = _unit_first(pieces, rest)
        return value + teen, after
    return value, after


def _unit_first(pieces: list[_Piece], at: int) -> tuple[int, int]:
    """A unit or a teen; "fünf und vierzig" and "dix-sept" take more words."""
    value, after = pieces[at].value, at + 1
    if pieces[at].word == "dix" and _does(pieces, after) == "small" and pieces[after].value in {7, 8, 9}:
        return value + pieces[after].value, after + 1
    if 0 < value < 10 and _does(pieces, after) == "unit-joins" and _does(pieces, after + 1) == "tens":
        return value + pieces[after + 1].value, after + 2
    return value, after


def _does(pieces: list[_Piece], at: int) -> str:
    return pieces[at].does if at < len(pieces) else ""


_FRENCH_TEENS: Final = frozenset("dix onze douze treize quatorze quinze seize".split())


def _vocabulary(table: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    words: dict[str, tuple[str, int]] = {}
    for name, language in table.items():
        if name == "signs":
            continue
        for value, forms in enumerate([*language["units"], *language["teens"]]):
            words |= dict.fromkeys(forms.split(), ("small", value))
        for ten, forms in enumerate(language["tens"], 2):
            words |= dict.fromkeys(forms.split(), ("tens", 10 * ten))
        words |= {word: ("tens" if value == 80 else "small", value) for word, value in language.get("more", {}).items()}
        words |= {word: ("hundreds", value) for word, value in language.get("hundreds", {}).items()}
        words |= dict.fromkeys(language.get("hundred", "").split(), ("hundred", 100))
        words |= dict.fromkeys(language["thousand"].split(), ("thousand", 1000))
        for times, key in ((2, "double"), (3, "triple")):
            words |= dict.fromkeys(language.get(key, "").split(), ("times", times))
        words |= dict(_compounds(language))
    signs = table["signs"]
    for does, key in (("joins", "joiners"), ("dash", "dashes"), ("fills", "fillers")):
        words |= dict.fromkeys(signs[key].split(), (does, 0))
    return words | {"und": ("unit-joins", 0), "en": ("unit-joins", 0)}


def _compounds(language: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, int]]]:
    """One-word numbers from 21 to 99 of languages that write them so."""
    for ten, tens in enumerate(language["tens"], 2):
        for unit, units in enumerate(language["units"][1:], 1):
            for first in tens.split():
                for second in units.split():
                    if "unit_first" in language:
                        yield second + language["unit_first"] + first, ("small", 10 * ten + unit)
                    elif language.get("elided"):
                        stem = first[:-1] if second[0] in "uo" else first
                        yield stem + second, ("small", 10 * ten + unit)


WORDS: Final = _vocabulary(tomllib.loads(files("gateway.screening").joinpath("numberwords.toml").read_text("utf-8")))
_PIECE: Final = re.compile("|".join(sorted(set(WORDS) - {"o"}, key=len, reverse=True)) + r"|\bo\b|[0-9]+")


_NOT_FIRST: Final = frozenset(
    {"o", "ein", "un", "una", "um", "uma", "een", "mil", "mille", "cent"}
)  # words of other meanings


def _compile_run() -> Any:
    saying = sorted(word for word, (does, _) in WORDS.items() if does not in {"joins", "unit-joins", "dash", "fills"})
    says = "|".join(word for word in saying if word not in _NOT_FIRST)
    every = "|".join(sorted(set(WORDS) - {"o"})) + r"|\bo\b"
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = 64 << 20
    more = rf"{_GAP}(?:{every}|[0-9]{{1,4}})"
    begun = rf"[0-9]{{1,16}}{_GAP}(?:{says})(?:{more}){{{_LEAST - 2},}}"
    return re2.compile(rf"\b(?:(?:{says})(?:{more}){{{_LEAST - 1},}}|{begun})(?:\b|_)".encode(), options)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    return re2.compile(pattern.encode(), options)


RUN: Final = sifted(_compile_run())
_BETWEEN: Final = "|".join(
    sorted(
        (word for word, (does, _) in WORDS.items() if does in {"dash", "fills", "joins"} and word != "by"),
        key=len,
        reverse=True,
    )
)
_PARTS: Final = rf"[0-9]{{1,5}}[ ,]{{0,2}}(?:(?:{_BETWEEN})[ ,]{{1,2}}){{1,2}}(?:by )?"
GATE: Final = sifted(_compile(rf"[0-9][ ,]{{0,2}}(?:{_BETWEEN})[ ,]"))
# Three parts, or two of nine digits.
PARTED: Final = _compile(rf"\b(?:(?:{_PARTS}){{2,8}}[0-9]{{1,5}}|(?:{_PARTS})[0-9]{{4,7}})\b")
