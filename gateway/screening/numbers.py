"""Numbers: chains of digits, cut into those that their grouping allows.

One RE2 alternation finds chains (up to four signs between two digits): `12 345 6789, 987-65-4321` is one chain and
several numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from string import ascii_letters
from typing import Final, NamedTuple

import re2

from gateway.screening.spans import find_spans
from gateway.screening.view import View

_SIGNS: Final = r"[ \t\n.,:;/\\_'\"()*|~#=+\-\[\]<>]"
_LIKE_DIGITS: Final = "OoQIlSBZ"
_TO_DIGITS: Final = str.maketrans(_LIKE_DIGITS, "00011582")
_LONGEST: Final = 4_000  # characters of one chain; a longer one is cut there
_SMALLEST: Final = 9
_LARGEST: Final = 22

_MORE: Final = rf"(?:{_SIGNS}{{0,4}}[0-9{_LIKE_DIGITS}])"
_CHAIN: Final = "|".join(rf"[{_LIKE_DIGITS}]{{{ahead}}}[0-9]{_MORE}{{{8 - ahead},}}" for ahead in (2, 1, 0))


def _compile() -> re2._Regexp:
    options = re2.Options()
    options.never_capture = True
    options.max_mem = 32 << 20
    return re2.compile(_CHAIN.encode(), options)


CHAINS: Final = _compile()


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


def find_numbers(view: View) -> Iterator[Number]:
    """Numbers of 9 to 22 digits, left to right; those of one chain may overlap."""
    shaped = b"\n%b\n" % view.octets.translate(_TO_SHAPE)
    for start, end in find_spans(CHAINS, view.octets):
        if end - start <= _LONG:
            dated, cuts = _cuts(shaped[start + 1 : end + 1], shaped[start] in _GLUED, shaped[end + 1] in _GLUED)
            if cuts and not (dated and _DATE.match(view.text, start, end)):
                yield from _alike(view, start, cuts)
            continue
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
_MAY_BE_DATE: Final = re.compile(_DATE.pattern.replace("(?:19|20)", r"\d\d"))
_OTHER_LETTERS: Final = "".join(letter for letter in ascii_letters if letter not in _LIKE_DIGITS)
_TO_SHAPE: Final = bytes.maketrans(("123456789" + _OTHER_LETTERS).encode(), b"0" * 9 + b"x" * len(_OTHER_LETTERS))
_GLUED: Final = frozenset(f"0x{_LIKE_DIGITS}".encode())
_OCTETS_TO_DIGITS: Final = bytes.maketrans(_LIKE_DIGITS.encode(), b"00011582")
_SIGNS_OF_CHAINS: Final = bytes(set(range(128)) - set(f"0123456789{_LIKE_DIGITS}".encode()))
_Group = tuple[str, int, int, int]


_Cut = tuple[int, int, tuple[int, ...], tuple[str, ...], bool, bool]  # the last: whether it may be an address


def _cut(text: str, start: int, end: int) -> Iterator[Number]:
    if not _DATE.match(text, start, end):
        yield from _numbers_of(text, start, end)


def _alike(view: View, start: int, cuts: tuple[_Cut, ...]) -> Iterator[Number]:
    """The numbers of a chain, cut as all are that look like it."""
    for first, after, groups, signs, whole, dotted in cuts:
        first, after = start + first, start + after
        if not (dotted and _is_address(view.text[first:after])):
            digits = view.octets[first:after].translate(_OCTETS_TO_DIGITS, _SIGNS_OF_CHAINS).decode("ascii")
            yield Number(digits, first, after, groups, signs, whole)


@lru_cache(maxsize=4_096)
def _cuts(shaped: bytes, before: bool, behind: bool) -> tuple[bool, tuple[_Cut, ...]]:
    """Whether a chain may be a date, and where to cut it, which its digits have no part in: most of a text look alike.

    Given with its digits as zeros, and with whether letters or digits stand before it and behind.
    """
    text = ("x" if before else " ") + shaped.decode("ascii") + ("x" if behind else " ")
    last = len(text) - 1
    lettered = _LETTER.search(text, 1, last) is not None
    found = _numbers_of(text, 1, last)
    cuts = (
        (one.start - 1, one.end - 1, one.groups, one.signs, one.whole, one.signs == _DOTTED and not lettered)
        for one in found
    )
    return _MAY_BE_DATE.match(text, 1, last) is not None, tuple(cuts)


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
