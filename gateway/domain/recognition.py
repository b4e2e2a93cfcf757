"""What a machine took the pages of a fax for: which way up, which documents, what stands in their fields.

All of it is a suggestion. A person who looks at the page confirms it, or not; nothing here gives a right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

TURNS: Final = (0, 90, 180, 270)
SCALE: Final = 10_000
"""A box's measures are ten-thousandths of its page's width and height."""

LEAST_SURE: Final = 50
"""What is less sure is no suggestion to anybody: it is kept as it was read, and not shown."""

MOST_PAGES: Final = 1_000
MOST_OCTETS: Final = 512 * 1024
_MOST_SUGGESTIONS: Final = 400  # of one section
_LONGEST: Final = 400  # characters of a value
_KEY: Final = 64
_SURE: Final = 100


class Sort(StrEnum):
    """What a section of a fax is, where it is no form of the programme."""

    FORM = "form"
    COVER_SHEET = "cover-sheet"  # ours, with a reference that says where the rest belongs
    LETTER = "letter"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Box:
    """A place on an upright page, in ten-thousandths of its width and height; right and bottom are just outside.

    Raises ValueError where it is none.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= SCALE and 0 <= self.top < self.bottom <= SCALE):
            raise ValueError("a box lies on its page")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may stand in a field of a form: `field` is the programme's key of it, `row` the line of an appendix, from 1.

    `confidence` is 0 to 100; `page` counts through the whole fax, from 1. A box that may be ticked is "yes" or "no".
    """

    field: str
    value: str
    confidence: int
    page: int
    box: Box | None = None
    row: int = 0

    def __post_init__(self) -> None:
        _check_word(self.field)
        _check_number(self.confidence, 0, _SURE)
        _check_number(self.page, 1, MOST_PAGES)
        _check_number(self.row, 0, MOST_PAGES)
        if len(self.value) > _LONGEST or not self.value.isprintable():
            raise ValueError("a value is one line, and not long")


@dataclass(frozen=True, slots=True)
class SignatureField:
    """Where a form is signed, and whether anything is drawn there. That it is a signature is for a person to say."""

    page: int
    box: Box
    drawn: bool

    def __post_init__(self) -> None:
        _check_number(self.page, 1, MOST_PAGES)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the fax: which part of the mail it is of, its number there (from 1), how to turn it upright
    (clockwise, one of `TURNS`), whether it is blank.
    """

    part: str
    number: int
    turn: int = 0
    blank: bool = False

    def __post_init__(self) -> None:
        _check_word(self.part)
        _check_number(self.number, 1, MOST_PAGES)
        if self.turn not in TURNS:
            raise ValueError("a page is turned by quarters")


@dataclass(frozen=True, slots=True)
class Section:
    """Some pages that belong together. `form` is the programme's key of a form ("" for what is none), `edition` what
    the page says of its own edition, `reference` what a cover sheet of ours carries.

    `pages` count through the whole fax, from 1; `confidence` is 0 to 100.
    """

    pages: tuple[int, ...]
    sort: Sort = Sort.UNKNOWN
    form: str = ""
    confidence: int = 0
    edition: str = ""
    reference: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    signatures: tuple[SignatureField, ...] = ()

    def __post_init__(self) -> None:
        _check_number(self.confidence, 0, _SURE)
        for word in (self.form, self.edition, self.reference):
            _check_word(word)
        if not self.pages or list(self.pages) != sorted(set(self.pages)):
            raise ValueError("a section has pages, each once, in their order")
        if (self.sort is Sort.FORM) != bool(self.form):
            raise ValueError("a form is named, and nothing else is")
        if len(self.suggestions) > _MOST_SUGGESTIONS or len(self.signatures) > _MOST_SUGGESTIONS:
            raise ValueError("too many fields")

    @property
    def likely(self) -> tuple[Suggestion, ...]:
        """The suggestions that are sure enough for people to be shown."""
        return tuple(one for one in self.suggestions if one.confidence >= LEAST_SURE)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the pages of one fax are taken for. Every page stands in one section, or in none where it is blank.

    `complete` is False where the child ended before it had read all pages; the rest is UNKNOWN then.
    Raises ValueError where a section names a page that is not there, or two name the same.
    """

    pages: tuple[Page, ...]
    sections: tuple[Section, ...] = field(default=())
    complete: bool = True

    def __post_init__(self) -> None:
        if len(self.pages) > MOST_PAGES:
            raise ValueError("too many pages")
        named = [page for section in self.sections for page in section.pages]
        if len(named) != len(set(named)) or any(not 1 <= page <= len(self.pages) for page in named):
            raise ValueError("a page stands in one section")
        told = [one.page for section in self.sections for one in section.suggestions]
        told += [one.page for section in self.sections for one in section.signatures]
        if any(page > len(self.pages) for page in told):
            raise ValueError("a field stands on a page")

    def to_bytes(self) -> bytes:
        """Return what is sealed, as JSON. Raises ValueError where it is too long."""
        octets = json.dumps(self._to_value(), separators=(",", ":")).encode("utf-8")
        if len(octets) > MOST_OCTETS:
            raise ValueError("too long")
        return octets

    @classmethod
    def from_bytes(cls, octets: bytes) -> Recognition:
        """Read what `to_bytes` made, or a child that nobody trusts says it made. Raises ValueError for all else."""
        if len(octets) > MOST_OCTETS:
            raise ValueError("too long")
        try:
            value = json.loads(octets)
            pages = tuple(Page(*one) for one in value["pages"])
            return cls(pages, tuple(map(_section, value["sections"])), value["complete"] is True)
        except (KeyError, TypeError, RecursionError) as problem:
            raise ValueError("not what a recognition is written as") from problem

    def _to_value(self) -> dict[str, Any]:
        return {
            "complete": self.complete,
            "pages": [[one.part, one.number, one.turn, one.blank] for one in self.pages],
            "sections": [
                {
                    "pages": one.pages, "sort": one.sort, "form": one.form, "confidence": one.confidence,
                    "edition": one.edition, "reference": one.reference,
                    "suggestions": [
                        [s.field, s.value, s.confidence, s.page, _corners(s.box), s.row] for s in one.suggestions
                    ],
                    "signatures": [[s.page, _corners(s.box), s.drawn] for s in one.signatures],
                }
                for one in self.sections
            ],
        }  # fmt: skip


def _section(value: Any) -> Section:
    suggestions = tuple(
        Suggestion(key, text, confidence, page, None if box is None else Box(*_numbers(box)), row)
        for key, text, confidence, page, box, row in value["suggestions"]
    )
    signatures = tuple(
        SignatureField(page, Box(*_numbers(box)), drawn is True) for page, box, drawn in value["signatures"]
    )
    return Section(
        tuple(_numbers(value["pages"])), Sort(value["sort"]), value["form"], value["confidence"], value["edition"],
        value["reference"], suggestions, signatures,
    )  # fmt: skip


def _corners(box: Box | None) -> list[int] | None:
    return None if box is None else [box.left, box.top, box.right, box.bottom]


def _numbers(values: Any) -> list[int]:
    if not isinstance(values, list) or not all(type(one) is int for one in values):
        raise ValueError("numbers")
    return list(values)


def _check_number(number: object, least: int, most: int) -> None:
    if not isinstance(number, int) or number is True or number is False or not least <= number <= most:
        raise ValueError("a number out of its bounds")


def _check_word(word: object) -> None:
    if not isinstance(word, str) or len(word) > _KEY or not word.isprintable():
        raise ValueError("a word is short")
