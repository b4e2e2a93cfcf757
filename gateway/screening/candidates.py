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


_BEHIND_DAY: Final = rf"{_DATED}(?:[A-Da-d]\b|[HMhm][A-Za-z]|[A-Za-z0-9]{_GAP}[A-Za-z0-9]{_GAP}[0-9Aa]\b)"
# Shapes that begin with any word have a state for each way in which digits may be counted from one word or another, and
# build some in every mail. What each of them has somewhere is told by a gate, which begins anywhere and has few states.
_CODES: Final = tuple(
    (_compile(gate, longest=False), _any_of(names))
    for names, gate in (
        ("dni pps caf nric", rf"{_digits(7)}{_GAP}[A-Za-z]{{1,2}}\b"),
        ("ric", rf"{_digits(17)}{_GAP}[0-9Xx]"),
        (
            "giin mrz mrz_card mrz_name hetu",
            r"(?i:LE|SL|ME|BR|S[PFDSB])[._ /-]{0,3}[0-9]{3}\b|[0-9]{6}[-+A-F][0-9]{3}|[0-9O]{7}[MFX<][0-9O]{7}|<<<",
        ),
        (
            "curp rfc pan nino nie",
            rf"[A-Za-z&][ ./_|-]?{_GAP}(?:(?:{_digits(4)}|{_digits(7)}){_GAP}[A-Za-z]\b|{_BEHIND_DAY})",
        ),
    )
)
GATES: Final = tuple(gate for gate, _ in _CODES)
_EVERY_CODE: Final = _any_of(" ".join(name for name in CODES if name != "iban"))
_CODES_OF_LETTERS: Final = _any_of("cf ptin")  # with as little as one digit
_IBANS: Final = _any_of("iban")


@dataclass(frozen=True, slots=True)
class Code:
    """Letters and digits of a known shape, upper case, signs between them dropped; `shapes` names the shapes it has."""

    value: str = field(repr=False)
    start: int
    end: int
    shapes: tuple[str, ...]


def find_codes(view: View) -> Iterator[Code]:
    """Codes of letters and digits: those that may be IBANs, then all others."""
    if not view.has_digits and b"<<<" not in view.octets:
        return  # but for a line of fillers every shape has one
    for start, end in find_spans(_IBANS, view.octets):
        raw = view.text[start:end]
        if _IBAN_CASE.match(raw) and not _UUID.match(raw):
            yield Code(re.sub(r"[^A-Z0-9]", "", raw.upper()), start, end, ("iban",))
    seen: set[Span] = set()
    for start, end in _spans_of_codes(view.octets):
        if (start, end) in seen:
            continue
        seen.add((start, end))
        raw = view.text[start:end]
        yield _code(raw, start)
        for word in _LATER_WORD.finditer(raw):
            inner = _code(raw[word.start() :], start + word.start())
            if inner.shapes:
                yield inner


def _spans_of_codes(octets: bytes) -> Iterator[Span]:
    if len(octets) > LONG:
        yield from find_spans(_EVERY_CODE, octets)
        return
    for gate, pattern in _CODES:
        for start, end in _lines(gate, octets):
            yield from find_spans(pattern, octets, start, end)
    yield from find_spans(_CODES_OF_LETTERS, octets)


def _lines(gate: re2._Regexp, octets: bytes) -> Iterator[Span]:
    """Lines that a gate matches in: no code goes on in the next line."""
    end = 0
    while (span := next(find_spans(gate, octets, end), None)) is not None:
        start = octets.rfind(b"\n", end, span[0]) + 1 or end
        end = octets.find(b"\n", span[1])
        end = len(octets) if end < 0 else end
        yield start, end


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
