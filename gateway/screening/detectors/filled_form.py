"""Filled tax forms: a form's name and several of its labels with values that someone wrote; a blank form passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from gateway.domain.verdict import Kind
from gateway.screening import facts
from gateway.screening.chunk import Form
from gateway.screening.context import Scan
from gateway.screening.spans import find_spans, finds
from gateway.screening.view import Reading, View
from gateway.screening.weighing import Sighting

_LINE: Final = re.compile(
    r"^[ \t>*-]*(?:(?:line |"
    r"box )?\d{1,2}[a-z]?[.):]? )?([A-Za-z][A-Za-z0-9 '/(),.&#-]{1,70}?)[ ]{0,3}(?:[:\t|]|\.{3,}|"
    r"_{3,})[ \t]*(.*)$",
    re.MULTILINE,
)
_WORDS: Final = "|".join(
    sorted({label.split()[0] for label in facts.NAME_FIELDS | facts.FACT_FIELDS} | {"line", "box"})
)
_BEGUN: Final = re2.compile(
    rf"(?im)^[ \t>*-]*(?:(?:line |box )?[0-9]{{1,2}}[a-z]?[.):]? )?(?:{_WORDS})[^A-Za-z0-9\n][^\n]*".encode()
)
_EMPTY: Final = re.compile(r"[\W_]*\Z")
_READ: Final = frozenset({Reading.PLAIN, Reading.MARKUP})
_MOST: Final = 2_000  # lines looked at in one view


def detect(scan: Scan) -> Iterator[Sighting]:
    """One sighting of a view that reads as a filled form."""
    if scan.view.reading not in _READ:
        return
    title = scan.view.may_match(facts.TITLES) and finds(facts.TITLES, scan.view.octets)
    if not title and scan.view.form is not Form.FIELDS:
        return
    named, filled, blank = _count_fields(scan.view)
    if named + filled < 2:
        return
    features = {
        "title": 1.0 if title else 0.0,
        "name": 1.0 if named else 0.0,
        "field": float(min(6, filled)),
        "blank": float(min(5, blank)),
        "fields": 1.0 if scan.view.form is Form.FIELDS else 0.0,
    }
    yield Sighting(Kind.FILLED_FORM, "form", features, "form")


def _count_fields(view: View) -> tuple[int, int, int]:
    """Name fields filled, fact fields filled, fields left blank."""
    named: set[str] = set()
    filled: set[str] = set()
    blank = 0
    for seen, line in enumerate(_fields(view)):
        if seen >= _MOST:
            break
        label, value = facts.phrase_of(line.group(1)), line.group(2).strip()
        names, tells = label in facts.NAME_FIELDS, label in facts.FACT_FIELDS
        if not (names or tells):
            continue
        if _EMPTY.match(value) or facts.phrase_of(value) in facts.BLANK or len(value) > 120:
            blank += 1
        elif names:
            named.add(label)
        elif not tells or label not in _CONTACT:
            filled.add(label)
    return len(named), len(filled), blank


def _fields(view: View) -> Iterator[re.Match[str]]:
    """Lines with a label and what stands beside it, but for lines that begin like none of the labels that count."""
    for start, end in find_spans(_BEGUN, view.octets):
        field = _LINE.match(view.text, start, end)
        if field:
            yield field


_CONTACT: Final = frozenset("telephone phone email e mail address signature country agent amount".split()) | {
    "e mail",
    "telephone no",
}
