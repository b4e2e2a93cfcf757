"""Candidates: codes of letters and digits in a view, by their shapes, with true spans. Plain numbers: see `numbers`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import re2

from gateway.screening.sieve import LONG
from gateway.screening.spans import Span, find_spans
from gateway.screening.view import View

_GAP: Final = r"[ .,/_|'\"*-]{0,3}"


def _digits(number: int) -> str:
    """So many digits, signs between them."""
    return f"[0-9](?:{_GAP}[0-9]){{{number - 1}}}"


_DATED: Final = rf"{_digits(6)}{_GAP}"
CODES: Final = {
    "giin": (
        r"\b[A-Za-z0-9]{6}[._ /-]{0,3}[A-Za-z0-9]{5}[._ /-]{0,3}(?:LE|SL|ME|BR|SP|SF|SD|SS|SB|le|sl|me|br|sp|sf|sd|"
        r"ss|sb)[._ /-]{0,3}[0-9]{3}\b"
    ),
    "mrz": r"[A-Z0-9<]{9}[0-9O<][A-Z<]{3}[0-9O]{7}[MFX<][0-9O]{7}[A-Z0-9<]{2,16}",
    "mrz_card": r"\b[0-9]{7}[MFX<][0-9]{7}[A-Z<]{3}[A-Z0-9<]{0,12}",
    "mrz_name": r"\b[PVIAC][A-Z<][A-Z]{3}[A-Z][A-Z<]{1,36}<{3,}",
    "iban": r"\b[A-Za-z]{2}[ .-]?[0-9]{2}(?:[ ./|_\n-]{0,3}[A-Za-z0-9]{4}){2,7}(?:[ ./|_\n-]{0,3}[A-Za-z0-9]{1,4})?\b",
    "curp": rf"\b[A-Za-z]{{4}}{_GAP}{_DATED}[HMhm][A-Za-z]{{5}}{_GAP}[A-Za-z0-9]{_GAP}[0-9]\b",
    "cf": (
        rf"\b[A-Za-z]{{3}}{_GAP}[A-Za-z]{{3}}{_GAP}[0-9L-Vl-v]{{2}}{_GAP}[A-Za-z]{_GAP}[0-9L-Vl-v"
        rf"]{{2}}{_GAP}[A-Za-z]{_GAP}[0-9L-Vl-v]{{3}}{_GAP}[A-Za-z]\b"
    ),
    "rfc": rf"\b(?:[A-Za-z&][ ./_|-]?){{3,4}}{_GAP}{_DATED}[A-Za-z0-9]{_GAP}[A-Za-z0-9]{_GAP}[0-9Aa]\b",
    "pan": rf"\b(?:[A-Za-z][ ./_|-]?){{3}}[ABCFGHLJPTabcfghljpt][ ./_|-]?[A-Za-z]{_GAP}{_digits(4)}{_GAP}[A-Za-z]\b",
    "nino": rf"\b[A-Za-z]{{2}}{_GAP}{_DATED}[A-Da-d]\b",
    "dni": rf"\b{_digits(8)}{_GAP}[A-Za-z]\b",
    "nie": rf"\b[XYZxyz]{_GAP}{_digits(7)}{_GAP}[A-Za-z]\b",
    "pps": rf"\b{_digits(7)}{_GAP}[A-Wa-w][A-IWa-iw]?\b",
    "nric": r"\b[STFGMstfgm][0-9]{7}[A-Za-z]\b",
    "hetu": r"\b[0-9]{6}[-+A-F][0-9]{3}[0-9A-Y]\b",
    "ric": rf"\b[1-9]{_GAP}{_digits(16)}{_GAP}[0-9Xx]\b",
    "ptin": rf"\b[Pp][ .#'\"|_-]{{0,2}}[0-9](?:{_GAP}[0-9OoIl]){{7}}\b",
    "caf": rf"\b{_digits(9)}{_GAP}[A-Za-z]\b",
}
_GROUPED: Final = {name: re.compile(pattern + r"\Z") for name, pattern in CODES.items()}


def _compile(pattern: str, *, longest: bool) -> re2._Regexp:
    options = re2.Options()
    options.never_capture = True
    options.longest_match = longest
    options.max_mem = 32 << 20
    return re2.compile(pattern.encode(), options)


def _any_of(names: str) -> re2._Regexp:
    return _compile("|".join(CODES[name] for name in names.split()), longest=True)


# One pattern of all would have a state for each way in which the shapes can overlap, and build some in every mail.
_CODES: Final = tuple(
    map(_any_of, ("dni pps caf nric", "ric", "giin mrz mrz_card mrz_name hetu", "curp rfc pan nino nie"))
)
_EVERY_CODE: Final = _any_of(" ".join(name for name in CODES if name != "iban"))
_CODES_OF_LETTERS: Final = _any_of("cf ptin")  # with as little as one digit
_IBANS: Final = _any_of("iban")
_APART: Final = 1_000  # characters; to look at a few more costs less than to begin anew
_LINES: Final = _compile(r"(?:[^\n]*[0-9O<][^\n]*[0-9O<][^\n]*[0-9O<][^\n]*\n?)+", longest=True)


@dataclass(frozen=True, slots=True)
class Code:
    """Letters and digits of a known shape, upper case, signs between them dropped; `shapes` names the shapes it has."""

    value: str = field(repr=False)
    start: int
    end: int
    shapes: tuple[str, ...]


def find_codes(view: View, told: list[Span] | None = None) -> Iterator[Code]:
    """Codes of letters and digits: those that may be IBANs, then all others. `told`: where lines have digits."""
    if not view.has_digits and b"<<<" not in view.octets:
        return  # but for a line of fillers every shape has one
    for start, end in find_spans(_IBANS, view.octets):
        raw = view.text[start:end]
        if _IBAN_CASE.match(raw) and not _UUID.match(raw):
            yield Code(re.sub(r"[^A-Z0-9]", "", raw.upper()), start, end, ("iban",))
    seen: set[Span] = set()
    for start, end in _spans_of_codes(view.octets, told):
        if (start, end) in seen:
            continue
        seen.add((start, end))
        raw = view.text[start:end]
        yield _code(raw, start)
        for word in _LATER_WORD.finditer(raw):
            inner = _code(raw[word.start() :], start + word.start())
            if inner.shapes:
                yield inner


def lines_with_digits(octets: bytes) -> list[Span]:
    """Where lines stand that have three digits, or signs that stand for them: those not far apart are one stretch."""
    stretches: list[Span] = []
    for start, end in find_spans(_LINES, octets):
        if stretches and start - stretches[-1][1] < _APART:
            start = stretches.pop()[0]
        stretches.append((start, end))
    return stretches


def _spans_of_codes(octets: bytes, told: list[Span] | None) -> Iterator[Span]:
    """No code goes on in the next line."""
    if len(octets) > LONG:
        yield from find_spans(_EVERY_CODE, octets)
        return
    for start, end in lines_with_digits(octets) if told is None else told:
        for pattern in _CODES:
            yield from find_spans(pattern, octets, start, end)
    yield from find_spans(_CODES_OF_LETTERS, octets)


_IBAN_CASE: Final = re.compile(r"..(?:[A-Z0-9]+|[a-z0-9]+)(?![A-Za-z0-9])")  # else it is of base64
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-")
_LATER_WORD: Final = re.compile(r"(?<=[ ./_|-])[A-Za-z0-9]{6,}")  # "PPSN 1234567TA" has two readings


def _code(raw: str, start: int) -> Code:
    shapes = _shapes(raw.translate(_TO_ONES)) if len(raw) <= _ALIKE else _shapes.__wrapped__(raw)
    return Code(_NO_CODE.sub("", raw.upper()), start, start + len(raw), shapes)


_ALIKE: Final = 48  # characters of a code; longer ones are seldom alike
_NO_CODE: Final = re.compile(r"[^A-Z0-9<&]+")
_TO_ONES: Final = str.maketrans("23456789", "11111111")  # which of them it is no shape asks


@lru_cache(maxsize=4_096)
def _shapes(raw: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _GROUPED.items() if pattern.match(raw))
