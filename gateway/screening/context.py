"""Context: what the words, signs and columns around a number say of it.

Closeness of a label runs from 0 to 1: beside the number or at the head of its column is 1, and it falls with words,
sentence ends, line breaks and other numbers in between. Where labels disagree, the nearer one speaks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import re2

from gateway.screening.candidates import Code, find_codes
from gateway.screening.chunk import Form
from gateway.screening.closeness import closeness_after, closeness_before
from gateway.screening.folding import BEGIN, END
from gateway.screening.lexicon import LEXICON, OF_KINDS, Label, Role
from gateway.screening.marks import find_heads, may_say
from gateway.screening.numbers import Number, find_numbers
from gateway.screening.spans import find_spans
from gateway.screening.tables import Tables
from gateway.screening.view import Reading, View

_Found = TypeVar("_Found", Number, Code)
_BEFORE: Final = 140  # characters looked at before a number
_AFTER: Final = 60
_ADDRESS: Final = re.compile(
    r"://|www\.|@[\w.-]+\.[a-z]{2,}|\.(?:com|net|org|gov|io|edu|html?|php|aspx?|jpe?g|png|gif|css|js)\b|[?&][\w.-]+=|^/[\w./-]{6,}|^cid:|^mid:|^urn:|"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-|\{[0-9A-Fa-f-]{8,}|0x[0-9a-fA-F]+|^sha\d*[:-]|\bv\d+\.\d",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(r"(?:[$]|\b(?:usd|eur|gbp|chf|cad|aud)\s?)\Z", re.IGNORECASE)
_DIALLED: Final = re.compile(
    r"\+\d{0,3}[ .(-]{0,3}(?:\d{1,5}[ ).-]{1,2}){0,3}\Z|\(\d{1,5}\) ?\Z|"
    r"\b(?:call|ring|reach|phone|text|fax)\b[^.\n\d]{0,30} (?:at|on|under) \Z",
    re.IGNORECASE,
)
_DIGIT: Final = re.compile("[0-9]")
_DECIMAL: Final = re.compile(r"\d{1,3}\.\d{5,}\Z")
_NUMBERED: Final = frozenset("no n num number numbers nr nos id ids # nummer numero numer code ref reference".split())


@dataclass(frozen=True, slots=True)
class Around:
    """Closeness by class of labels that name a kind; of other labels the closest; flags of what a number stands in."""

    named: dict[str, float] = field(default_factory=dict)
    other: float = 0.0
    telephone: float = 0.0
    raising: dict[str, float] = field(default_factory=dict)
    charity: float = 0.0
    flags: frozenset[str] = frozenset()

    def closest(self, names: Container[str]) -> float:
        """Closeness of the closest label of some classes."""
        return max([close for name, close in self.named.items() if name in names], default=0.0)


class Scan:
    """One view, and what is found in it on demand: numbers, codes, labels that may come before any value, tables."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.text = view.text
        self.tables = Tables(view.text)
        self._numbers: list[Number] | None = None
        self._heads: list[Label] | None = None
        self._named: frozenset[str] | None = None
        self._codes: list[Code] | None = None
        self._told: dict[tuple[int, int], frozenset[str]] = {}  # what may be said around spans
        self._headed: dict[tuple[int, int], frozenset[str]] = {}  # what heads of columns may say
        self._labels_of_heads: dict[tuple[int, int], list[Label]] = {}
        self._around: dict[tuple[int, int], Around] = {}
        self._marked: list[int] | None = None  # offsets of the marks round what was read otherwise

    @property
    def numbers(self) -> list[Number]:
        """Numbers of 9 to 22 digits."""
        if self._numbers is None:
            found = find_numbers(self.view) if self.view.has_digits else ()
            self._numbers = self._concerned(found)
        return self._numbers

    def codes(self) -> list[Code]:
        """Codes of letters and digits."""
        if self._codes is None:
            self._codes = self._concerned(find_codes(self.view))
        return self._codes

    @property
    def heads(self) -> list[Label]:
        """Labels of kinds, wherever they stand."""
        if self._heads is None:
            self._heads = find_heads(self.view)
        return self._heads

    @property
    def named(self) -> frozenset[str]:
        """Classes of the labels of kinds in the view."""
        if self._named is None:
            self._named = frozenset(label.name for label in self.heads)
        return self._named

    def may_say(self, start: int, end: int) -> frozenset[str]:
        """Classes of labels among MARKED which may be said around a span: no others are."""
        if (start, end) not in self._told:
            self._told[start, end] = self._may_say(start, end)
        return self._told[start, end]

    def _may_say(self, start: int, end: int) -> frozenset[str]:
        octets = self.view.octets
        told = may_say(octets[max(0, start - _BEFORE) : start], octets[end : end + _AFTER])
        head = self._head_of(start, end)
        if head is None:
            return told
        if head not in self._headed:  # of a column, once
            self._headed[head] = may_say(octets[slice(*head)])
        return told | self._headed[head]

    def labels_of_head(self, head: tuple[int, int]) -> list[Label]:
        """Labels in the head of a column; read once, however many rows it has."""
        if head not in self._labels_of_heads:
            self._labels_of_heads[head] = LEXICON.labels(self.text, *head)
        return self._labels_of_heads[head]

    def _head_of(self, start: int, end: int) -> tuple[int, int] | None:
        if self.view.form is Form.FIELDS:
            return None
        return self.tables.head_of(start) or self.tables.loose_head_of(start, end)

    def around(self, start: int, end: int) -> Around:
        """What is said around a span; worked out once each."""
        if (start, end) not in self._around:
            self._around[start, end] = _look_around(self, start, end)
        return self._around[start, end]

    def beside(self, label: Label, pattern: re.Pattern[str], reach: int = 70) -> list[tuple[re.Match[str], float]]:
        """Matches of a pattern after a label, before it, or in the column under it, each with its closeness. What it
        finds has digits in it, or counts nothing.
        """
        found: list[tuple[re.Match[str], float]] = []
        until = min(len(self.text), label.end + reach + 40)
        after = pattern.search(self.text, label.end, until) if _DIGIT.search(self.text, label.end, until) else None
        if after and after.start() - label.end <= reach:
            found.append(
                (
                    after,
                    closeness_before(self.text, label, after.start(), fields=self.view.form is Form.FIELDS),
                )
            )
        since = max(0, label.start - 40)
        numbered = _DIGIT.search(self.text, since, label.start) is not None
        before = list(pattern.finditer(self.text, since, label.start)) if numbered else ()
        if before:
            found.append((before[-1], closeness_after(self.text, before[-1].end(), label)))
        for start, end, close in self.tables.below(label.start, label.end):
            cell = pattern.search(self.text, start, end)
            if cell:
                found.append((cell, close))
        return [(match, close) for match, close in found if self._concerns(*match.span())]

    def _concerns(self, start: int, end: int) -> bool:
        """Whether a span was read otherwise, or stands behind what was: the rest is context, and cut off somewhere."""
        marked = self._marks
        if not marked:
            return True
        before = bisect_right(marked, start) - 1
        if before >= 0 and (self.text[marked[before]] == BEGIN or start - marked[before] <= _BEHIND_MARK):
            return True
        return before + 1 < len(marked) and marked[before + 1] <= end

    @property
    def _marks(self) -> list[int]:
        if self._marked is None:
            otherwise = self.view.reading in _READ_OTHERWISE
            self._marked = [start for start, _ in find_spans(_MARK, self.view.octets)] if otherwise else []
        return self._marked

    def _concerned(self, found: Iterable[_Found]) -> list[_Found]:
        return [one for one in found if self._concerns(one.start, one.end)] if self._marks else list(found)


_READ_OTHERWISE: Final = frozenset(Reading) - {Reading.PLAIN, Reading.MARKUP, Reading.JOINED}
_BEHIND_MARK: Final = 40  # characters behind words that were read otherwise, which may name what follows
_MARK: Final = re2.compile(f"[{BEGIN}{END}]".encode())


def _look_around(scan: Scan, start: int, end: int) -> Around:
    text = scan.text
    fields = scan.view.form is Form.FIELDS
    near = [
        (label, closeness_before(text, label, start, fields=fields))
        for label in LEXICON.labels(text, max(0, start - _BEFORE), start)
    ]
    near += [
        (label, closeness_after(text, end, label)) for label in LEXICON.labels(text, end, min(len(text), end + _AFTER))
    ]
    head = None if fields else scan.tables.head_of(start)
    if head:
        near = [
            (label, 0.4 * close if label.end < start and _BARS.search(text, label.end, start) else close)
            for label, close in near
        ]
        near += [(label, 1.0) for label in scan.labels_of_head(head)]
        if _NUMBERS.search(text[slice(*head)]):
            near.append((Label("order", Role.OTHER, *head), 0.6))  # "Work ID": of what nobody knows
    elif not fields:
        near = _with_loose_head(scan, near, start, end)
    unknown = _UNKNOWN.search(text, max(0, start - 40), start)
    said = 0.9
    if unknown is None and text[start:end].isdigit():
        unknown, said = _ACRONYM.search(text, max(0, start - 40), start), 0.6
    if unknown and not any(label.end > unknown.start() for label, _ in near if label.end <= start):
        near.append((Label("order", Role.OTHER, unknown.start(), unknown.end()), said))
    return _weigh_labels(text, start, near, _flags(text, start, end))


_BARS: Final = re.compile(r"[\t|]")
_UNKNOWN: Final = re.compile(
    r"\b([A-Za-z]{3,20}) (?:no\.?|nos\.|nr\.?|number|num\.?|#)[ :.#]{0,3}\Z|\b([A-Za-z_]{2,30}) ?= ?\Z", re.IGNORECASE
)  # "Material no.", "limit ="

_NUMBERS: Final = re.compile(r"\b(?:id|no\.?|nr\.?|nos\.?|code|#)\s*\Z", re.IGNORECASE)
_ACRONYM: Final = re.compile(
    r"\b(?:[A-Z]{2,6}|[A-Za-z]{3,20} I[dD])[ :.#]{1,3}\Z"
)  # "MSRB 173275708", "Registration ID"


def _with_loose_head(scan: Scan, near: list[tuple[Label, float]], start: int, end: int) -> list[tuple[Label, float]]:
    """Labels near, and those of the line that heads a printed table: of them only the ones over the number."""
    loose = scan.tables.loose_head_of(start, end)
    if loose is None:
        return near
    first, last = scan.text.rfind("\n", 0, loose[0]) + 1, scan.text.find("\n", loose[0])
    others = [(label, close) for label, close in near if not first <= label.start < last]
    if any(close > 0.45 for label, close in others if label.role is not Role.RAISES):
        return near
    whole = loose == (first, last)  # a number in the middle of its row: which of the words heads it nobody knows
    return others + [
        (label, 0.2 if whole and label.role is Role.OTHER else 0.8) for label in LEXICON.labels(scan.text, *loose)
    ]


def _weigh_labels(text: str, start: int, near: list[tuple[Label, float]], flags: frozenset[str]) -> Around:
    named: dict[str, float] = {}
    raising: dict[str, float] = {}
    least = {Role.OTHER: 0.0, Role.PUBLIC: 0.0}
    telephone = 0.0
    best = max((close for label, close in near if label.role in OF_KINDS), default=0.0)
    for label, close in near:
        if label.role in OF_KINDS:
            named[label.name] = max(close, named.get(label.name, 0.0))
        elif label.role is Role.RAISES:
            raising[label.name] = max(close, raising.get(label.name, 0.0))
        elif label.role is Role.PUBLIC:
            least[Role.PUBLIC] = 1.0
        else:
            close *= _fade(text, start, label, close, best)
            if label.name == "phone":
                telephone = max(close, telephone)
            else:
                least[Role.OTHER] = max(close, least[Role.OTHER])
    strongest = max(least[Role.OTHER], telephone)
    if strongest > best:
        named = {name: close * (0.35 if strongest - close > 0.1 else 0.7) for name, close in named.items()}
    elif best > strongest:
        fade = 0.3 if best - strongest > 0.1 else 0.6
        telephone, least[Role.OTHER] = telephone * fade, least[Role.OTHER] * fade
    return Around(named, least[Role.OTHER], telephone, raising, least[Role.PUBLIC], flags)


_PARTED: Final = re.compile(r"(?<=[a-z]{3})[.!?]\s|\n\s*\n")


def _fade(text: str, start: int, label: Label, close: float, best: float) -> float:
    """How much of another label's closeness counts where one that names a kind is close too."""
    if label.end > start:
        return 1.0
    if (
        close >= 0.99
        and not _PARTED.search(text, label.end, start)
        and best <= (0.95 if label.name == "phone" and start - label.end < 4 else 0.75)
    ):
        return 1.0  # it stands at the number, and what names a kind stands further off
    if _numbered(text, label):
        return 1.0
    if _PARTED.search(text, label.end, start):
        return 0.3  # another sentence, or another paragraph
    return 0.3 if best > 0.6 else 0.4 if start - label.end > 20 else 1.0


def _numbered(text: str, label: Label) -> bool:
    """Whether a label says that its value is a number ("order no.", "invoice #"), and so can hardly mean another."""
    words = re.findall(r"[a-z]+|#", text[label.start : label.end + 3].lower())
    return (bool(words) and (words[-1] in _NUMBERED or (len(words) > 1 and words[-2] in _NUMBERED))) or text[
        label.end : label.end + 2
    ].strip()[:1] in {":", "#", "="}


def _flags(text: str, start: int, end: int) -> frozenset[str]:
    """What a span stands in: "address", "money", "glued", "hash_sign", "alone"."""
    flags: set[str] = set()
    before, after = text[max(0, start - 60) : start], text[end : end + 60]
    left, right = re.search(r"\S*\Z", before), re.match(r"\S*", after)
    token = (left.group() if left else "") + text[start:end] + (right.group() if right else "")
    if _ADDRESS.search(token) or re.search(
        r"(?=[0-9]{0,40}[a-f])[0-9a-f]{12,}|[\w+/]{32,}", token.replace(text[start:end], " ")
    ):
        flags.add("address")
    if _MONEY.search(before) or re.match(r"(?:\.\d\d)?\s?(?:%|usd|eur|dollars|gbp)\b|%", after, re.IGNORECASE):
        flags.add("money")
    if (before[-1:].isalnum() and not LEXICON.labels(text, max(0, start - 24), start)) or after[:1].isalnum():
        flags.add("glued")
    if _DIALLED.search(before):
        flags.add("dialled")
    if _DECIMAL.match(text[start:end]) or (before[-1:] == "." and before[-2:-1].isdigit()):
        flags.add("decimal")
    if before[-1:] == "#" or before.endswith("# "):
        flags.add("hash_sign")
    if re.search(r"(?:\A|\n)[ \t>*-]*\Z", before) and re.match(r"[ \t.]*(?:\n|\Z)", after):
        flags.add("alone")
    return frozenset(flags)
