"""Candidates: number-like stretches of a view, with true spans.

One RE2 alternation finds chains of digits (up to four signs between two) and codes of letters and digits. A chain is
then cut into the numbers that its grouping allows: `12 345 6789, 987-65-4321` is one chain and several numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import re2

from gateway.screening.view import View

_SIGNS: Final = r"[ \t\n.,:;/\\_'\"()*|~#=+\-\[\]<>]"
_LIKE_DIGITS: Final = "OoQIlSBZ"
_TO_DIGITS: Final = str.maketrans(_LIKE_DIGITS, "00011582")
_LONGEST: Final = 4_000  # characters of one chain; a longer one is cut there
_SMALLEST: Final = 9
_LARGEST: Final = 22

_MORE: Final = rf"(?:{_SIGNS}{{0,4}}[0-9{_LIKE_DIGITS}])"
_CHAIN: Final = "|".join(rf"[{_LIKE_DIGITS}]{{{ahead}}}[0-9]{_MORE}{{{8 - ahead},}}" for ahead in (2, 1, 0))
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


_NUMBERS: Final = _compile(_CHAIN, longest=False)


def _any_of(names: str) -> re2._Regexp:
    return _compile("|".join(CODES[name] for name in names.split()), longest=True)


# One pattern of all would have a state for each way in which the shapes can overlap, and build some in every mail.
_CODES: Final = tuple(
    map(_any_of, ("dni pps caf nric", "ric", "giin mrz mrz_card mrz_name hetu", "curp rfc pan nino nie"))
)
_EVERY_CODE: Final = _any_of(" ".join(name for name in CODES if name != "iban"))
LONG: Final = (
    65_536  # octets of a text from which on one pass that builds states costs less than several that need none
)
_CODES_OF_LETTERS: Final = _any_of("cf ptin")  # with as little as one digit
_IBANS: Final = _any_of("iban")
_APART: Final = 1_000  # characters; to look at a few more costs less than to begin anew
_LINES: Final = _compile(r"(?:[^\n]*[0-9O<][^\n]*[0-9O<][^\n]*[0-9O<][^\n]*\n?)+", longest=True)


class Number(NamedTuple):
    """Digits that may be one number: span, sizes of its groups, the signs between them.

    `whole` is false when more digits follow or precede it by the same kind of sign. It is never printed.
    """

    digits: str
    start: int
    end: int
    groups: tuple[int, ...]
    signs: tuple[str, ...]
    whole: bool = True

    def __repr__(self) -> str:
        return f"<Number: {self.groups}>"


@dataclass(frozen=True, slots=True)
class Code:
    """Letters and digits of a known shape, upper case, signs between them dropped; `shapes` names the shapes it has."""

    value: str = field(repr=False)
    start: int
    end: int
    shapes: tuple[str, ...]


def find_codes(view: View, told: list[tuple[int, int]] | None = None) -> Iterator[Code]:
    """Codes of letters and digits: those that may be IBANs, then all others. `told`: where lines have digits."""
    if not view.has_digits and b"<<<" not in view.octets:
        return  # but for a line of fillers every shape has one
    for match in _IBANS.finditer(view.octets):
        start, end = match.span()
        raw = view.text[start:end]
        if _IBAN_CASE.match(raw) and not _UUID.match(raw):
            yield Code(re.sub(r"[^A-Z0-9]", "", raw.upper()), start, end, ("iban",))
    seen: set[tuple[int, int]] = set()
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


def lines_with_digits(octets: bytes) -> list[tuple[int, int]]:
    """Where lines stand that have three digits, or signs that stand for them: those not far apart are one stretch."""
    stretches: list[tuple[int, int]] = []
    for match in _LINES.finditer(octets):
        start, end = match.span()
        if stretches and start - stretches[-1][1] < _APART:
            start = stretches.pop()[0]
        stretches.append((start, end))
    return stretches


def _spans_of_codes(octets: bytes, told: list[tuple[int, int]] | None) -> Iterator[tuple[int, int]]:
    """No code goes on in the next line."""
    if len(octets) > LONG:
        yield from (match.span() for match in _EVERY_CODE.finditer(octets))
        return
    for start, end in lines_with_digits(octets) if told is None else told:
        for pattern in _CODES:
            for match in pattern.finditer(octets, start, end):
                yield match.span()
    for match in _CODES_OF_LETTERS.finditer(octets):
        yield match.span()


_IBAN_CASE: Final = re.compile(r"..(?:[A-Z0-9]+|[a-z0-9]+)(?![A-Za-z0-9])")  # else it is of base64
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-")
_LATER_WORD: Final = re.compile(r"(?<=[ ./_|-])[A-Za-z0-9]{6,}")  # "PPSN 1234567TA" has two readings


def _code(raw: str, start: int) -> Code:
    shapes = tuple(name for name, pattern in _GROUPED.items() if pattern.match(raw))
    return Code(re.sub(r"[^A-Z0-9<&]", "", raw.upper()), start, start + len(raw), shapes)


def find_numbers(view: View) -> Iterator[Number]:
    """Numbers of 9 to 22 digits, left to right; those of one chain may overlap."""
    for match in _NUMBERS.finditer(view.octets):
        start, end = match.span()
        while end - start > _LONGEST:
            yield from _cut(view.text, start, start + _LONGEST)
            start += _LONGEST - 40
        yield from _cut(view.text, start, end)


# Cutting a chain. A group is a run of digit-like characters: its text, start, end, and how many letters it had.
_GROUP: Final = re.compile(rf"[0-9{_LIKE_DIGITS}]+")
_DATE: Final = re.compile(
    r"(?:\d{1,2}[,./ -]{1,2}){1,2}(?:19|20)\d\d[ ,T]{1,4}\d{1,2}:\d\d(?::\d\d)?\Z|"
    r"\d{1,2}[./-]\d{1,2}[./-]\d{4}\Z|(?:19|20)\d\d[./-]\d\d[./-]\d\d[ T]{0,2}(?:\d{1,2}:\d\d(?::\d\d)?)?\Z"
)
_DOTTED: Final = (".", ".", ".")
_LONG: Final = 48  # characters of a chain; longer ones are seldom alike
_LETTER: Final = re.compile(rf"[{_LIKE_DIGITS}]")
_SIGN: Final = re.compile(r"[^0-9]+")
_TO_SHAPE: Final = str.maketrans("123456789", "000000000")
_Group = tuple[str, int, int, int]


def _cut(text: str, start: int, end: int) -> Iterator[Number]:
    chain = text[start:end]
    if _DATE.match(chain):
        return
    if len(chain) > _LONG:
        yield from _numbers_of(text, start, end)
        return
    glued = text[start - 1 : start].isalnum() * "x", text[end : end + 1].isalnum() * "x"
    for first, after, groups, signs, whole in _cuts(chain.translate(_TO_SHAPE), *glued):
        if signs != _DOTTED or _LETTER.search(chain) or not _is_address(chain[first:after]):
            digits = _SIGN.sub("", chain[first:after].translate(_TO_DIGITS))
            yield Number(digits, start + first, start + after, groups, signs, whole)


@lru_cache(maxsize=4_096)
def _cuts(shape: str, before: str, behind: str) -> tuple[tuple[int, int, tuple[int, ...], tuple[str, ...], bool], ...]:
    """Where to cut a chain of digits and signs, which its digits have no part in: most chains of a text look alike.

    `before` and `behind` stand for a letter or digit beside it, when there is one.
    """
    left = len(before)
    found = _numbers_of(before + shape + behind, left, left + len(shape))
    return tuple((one.start - left, one.end - left, one.groups, one.signs, one.whole) for one in found)


def _numbers_of(text: str, start: int, end: int) -> Iterator[Number]:
    groups = [(match.group(), match.start(), match.end(), 0) for match in _GROUP.finditer(text, start, end)]
    for run in _numeric_runs(text, groups):
        signs = [text[left[2] : right[1]] for left, right in pairwise(run)]
        seen: set[tuple[int, int]] = set()
        for number in _windows(run, signs):
            if (number.start, number.end) not in seen:
                seen.add((number.start, number.end))
                yield number


def _is_address(dotted: str) -> bool:
    """Four numbers up to 255 with dots between: an Internet address."""
    return all(len(part) < 4 and int(part) < 256 for part in dotted.split("."))


def _numeric_runs(text: str, groups: list[_Group]) -> Iterator[list[_Group]]:
    """Runs of groups that are digits, or mostly; a word made of digit-like letters parts them."""
    while groups and not any(map(str.isdigit, groups[-1][0])):
        groups.pop()
    run: list[_Group] = []
    for group in groups:
        read = _as_digits(text, *group[:3])
        if read is not None and (run or any(map(str.isdigit, group[0]))):
            run.append((read, group[1], group[2], 0 if read == group[0] else sum(map(str.isalpha, group[0]))))
            continue
        if run:
            yield run
        run = []
    if run:
        yield run


def _as_digits(text: str, group: str, start: int, end: int) -> str | None:
    if group.isdigit():
        return group
    glued = (start > 0 and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum())
    digits = sum(map(str.isdigit, group))
    letters = len(group) - digits
    if glued:
        return None
    if (
        digits == 0
        and 2 <= len(group) <= 4
        and start > 0
        and text[start - 1] in "-./"
        and text[end : end + 1] in {"-", ".", "/"}
    ):
        return group.translate(_TO_DIGITS)
    if digits == 0:
        return group.translate(_TO_DIGITS) if len(group) == 1 and group != "l" else None
    return group.translate(_TO_DIGITS) if letters <= digits + 2 else None


def _windows(run: list[_Group], signs: list[str]) -> Iterator[Number]:
    sizes = [len(group[0]) for group in run]
    if sum(sizes) < _SMALLEST:
        return
    if len(run) == 1:
        yield from _number(run, signs, 0, 1)
        return
    if _SMALLEST <= sum(sizes) <= _LARGEST:
        yield from _number(run, signs, 0, len(run))
    singles = sizes.count(1)
    if singles >= 6 and singles * 2 > len(sizes):
        merged, between = _merge_singles(run, signs)
        if len(merged) < len(run):
            yield from _windows(merged, between)
    if any(sign.strip(" ") == "\n" for sign in signs):
        yield from _windows(*_unbroken(run, signs))
    yield from _uniform(run, signs, sizes)
    yield from _classic(run, signs, sizes)
    yield from _lines(run, signs, sizes)


def _merge_singles(run: list[_Group], signs: list[str]) -> tuple[list[_Group], list[str]]:
    """Digits set apart one by one, put together wherever the most usual sign stands between them."""
    usual = max(set(signs), key=signs.count)
    merged, between = [run[0]], list[str]()
    for sign, group in zip(signs, run[1:], strict=True):
        last = merged[-1]
        if sign == usual:
            merged[-1] = (last[0] + group[0], last[1], group[2], last[3] + group[3])
        else:
            merged.append(group)
            between.append(sign)
    return merged, between


def _unbroken(run: list[_Group], signs: list[str]) -> tuple[list[_Group], list[str]]:
    """Groups that a line break alone parts, put together."""
    merged, between = [run[0]], list[str]()
    for sign, group in zip(signs, run[1:], strict=True):
        if sign.strip(" ") == "\n" and len(merged[-1][0]) + len(group[0]) <= _SMALLEST + 1:
            last = merged[-1]
            merged[-1] = (last[0] + group[0], last[1], group[2], last[3] + group[3])
        else:
            merged.append(group)
            between.append(sign.replace("\n", ""))
    return merged, between


def _uniform(run: list[_Group], signs: list[str], sizes: list[int]) -> Iterator[Number]:
    """Stretches that one and the same sign joins, and single groups."""
    first = 0
    for at in range(len(run)):
        if at < len(signs) and signs[at] == signs[first if first < len(signs) else -1]:
            continue
        if _SMALLEST <= sum(sizes[first : at + 1]) <= _LARGEST:
            yield from _number(run, signs, first, at + 1)
        first = at if at < len(signs) and at > first else at + 1
    for at, size in enumerate(sizes):
        if _SMALLEST <= size <= _LARGEST:
            yield from _number(run, signs, at, at + 1)


_SHAPES: Final = ((3, 2, 4), (2, 7), (3, 3, 3), (4, 4, 4, 4), (4, 4, 4), (3, 3, 3, 2), (5, 5), (6, 4), (8, 4), (4, 5))

_BY_FIRST: Final = {first: tuple(shape for shape in _SHAPES if shape[0] == first) for first, *_ in _SHAPES}


def _classic(run: list[_Group], signs: list[str], sizes: list[int]) -> Iterator[Number]:
    """Groupings that numbers of our kinds are written in, with signs that agree but for blanks and line breaks."""
    for at in range(len(run)):
        for shape in _BY_FIRST.get(sizes[at], ()):
            if tuple(sizes[at : at + len(shape)]) == shape:
                inner = signs[at : at + len(shape) - 1]
                broken = any("\n" in sign for sign in inner) and not all("\n" in sign for sign in inner)
                if broken and at and signs[at - 1] in {" ", "-", "."}:
                    continue  # the end of one line's number, and the next line's
                if len({sign.strip(" \n\t>") for sign in inner}) == 1:
                    yield from _number(run, signs, at, at + len(shape))


def _lines(run: list[_Group], signs: list[str], sizes: list[int]) -> Iterator[Number]:
    """Stretches between line breaks, tabs, bars, commas and semicolons."""
    first = 0
    for at in range(len(run)):
        if at == len(signs) or any(sign in signs[at] for sign in "\n\t|,;"):
            if (first or at < len(signs)) and _SMALLEST <= sum(sizes[first : at + 1]) <= _LARGEST:
                yield from _number(run, signs, first, at + 1)
            first = at + 1


def _number(run: list[_Group], signs: list[str], first: int, after: int) -> Iterator[Number]:
    digits = "".join(group[0] for group in run[first:after])
    if sum(group[3] for group in run[first:after]) * 2 > len(digits):
        return
    if not _SMALLEST <= len(digits) <= _LARGEST:
        return
    inner = signs[first : after - 1]
    border = [*(signs[first - 1 : first] if first else ()), *signs[after - 1 : after]]
    tight = "-./_" if not inner else "".join(inner)
    whole = not any(len(sign) == 1 and sign in tight for sign in border)
    yield Number(
        digits,
        run[first][1],
        run[after - 1][2],
        tuple(len(group[0]) for group in run[first:after]),
        tuple(inner),
        whole,
    )
