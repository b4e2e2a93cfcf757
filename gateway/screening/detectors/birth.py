"""Dates of birth: a date in any order, with words that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import re2

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import labelled
from gateway.screening.facts import names_person
from gateway.screening.lexicon import Label
from gateway.screening.spans import find_spans
from gateway.screening.weighing import Sighting

_YEAR: Final = r"(?:1[89]|20)\d\d"
_MONTH: Final = (
    r"(?:jan|feb|mar|apr|abr|avr|may|mai|mag|maj|mei|maa|mrt|jun|juin|giu|cze|jul|juil|lug|lip|aug|ago|"
    r"aou|sie|sep|set|wrz|oct|okt|ott|out|paz|nov|lis|dec|dez|dic|des|gru|ene|gen|sty|fev|fevr|lut|"
    r"kwi)[a-z]{0,8}"
)
DATE: Final = re.compile(
    rf"(?<![\d.])(?:{_YEAR}[-./ _]\d{{1,2}}[-./ _]\d{{1,2}}(?!\d)|"
    rf"\d{{1,2}}[-./ _]{{1,2}}\d{{1,2}}[-./ _]{{1,2}}(?:{_YEAR}|\d\d)(?!\d|[./-]\d)|"
    rf"\d{{1,2}}(?:st|nd|rd|th|er|o|a)?\.?[- ,]{{0,2}}(?:of |de |di |den )?{_MONTH}\.?[- ,]{{0,2}}(?:de |"
    rf"del )?(?:{_YEAR}|'?\d\d)(?!\d)|"
    rf"(?:{_YEAR}[01]\d[0-3]\d|[0-3]\d[0-3]\d{_YEAR})(?!\d)|{_YEAR}[- ]{{1,2}}{_MONTH}[- ]{{1,2}}\d{{1,2}}(?!\d))|"
    rf"\b{_MONTH}\.? {{0,2}}\d{{1,2}}(?:st|nd|rd|th)?,? {{1,2}}{_YEAR}(?!\d)",
    re.IGNORECASE,
)
_FIND_YEAR: Final = re.compile(_YEAR)
_SIGN: Final = re.compile(r"(?<=[a-z])[,;]? \(?(b\. ?|\* ?)(?=\d|[A-Z][a-z]{2,8}\.? \d)")  # "Ann Lee, b. 3/5/80"
_MAY_SIGN: Final = re2.compile(rb"[a-z][,;]? \(?(?:b\.|\*)")
_LIMIT: Final = re.compile(  # an age that is asked for: "must be born before"
    r"\s{1,2}(?:(?:on|in) or )?(?:before|after|prior to|earlier than|later than|no later|since|between|"
    r"vor|nach|avant|apres|antes de|despues de|prima del|dopo il)\b",
    re.IGNORECASE,
)
_GENERAL: Final = frozenset(
    "born birthday bday birth geb ur fodd nato nata nacio nacido nacida geboren nascido nascida nasceu".split()
)


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of dates of birth."""
    for label in scan.heads:
        if label.name == "birth":
            yield from _dates(scan, label)
    octets = scan.view.octets
    for may, _ in find_spans(_MAY_SIGN, octets) if b"b." in octets or b"*" in octets else ():
        sign = _SIGN.match(scan.text, may + 1)
        if sign is None:
            continue
        match = DATE.match(scan.text, sign.end())
        person = names_person(scan.text[max(0, sign.start() - 40) : sign.start(1)])
        if match and person and is_day(match.group()):
            features = labelled(scan, *match.span(), 0.8) | {"person": 1.0, "other": 0.0}
            yield Sighting(Kind.BIRTH_DATE, "birth", features, re.sub(r"\W", "", match.group().lower()))


def _dates(scan: Scan, label: Label) -> Iterator[Sighting]:
    said = " ".join(re.findall(r"[a-z]+", scan.text[label.start : label.end].lower()))
    for match, close in scan.beside(label, DATE, 45):
        years = [int(year) for year in _FIND_YEAR.findall(match.group())]
        year = years[-1] if years else _short_year(match.group())
        if not is_day(match.group()) or _LIMIT.match(scan.text, label.end):
            continue
        features = labelled(scan, *match.span(), close)
        features.pop("other", None)
        features |= {
            "general": 1.0 if said in _GENERAL else 0.0,
            "recent": 1.0 if year >= 2024 else 0.0,
            "old": 1.0 if 0 < year < 1915 else 0.0,
        }
        yield Sighting(Kind.BIRTH_DATE, "birth", features, re.sub(r"\W", "", match.group().lower()))


def _short_year(said: str) -> int:
    """The year that two digits at the end mean when they are of these years; 0 when it may be any."""
    year = int("".join(re.findall(r"\d\d\Z", said)) or 0)
    return 2000 + year if 24 <= year <= 30 else 0


def is_day(said: str) -> bool:
    """Whether the numbers of a date can be a day, a month and a year in some order."""
    numbers = [int(number) for number in re.findall(r"\d{1,4}", said) if len(number) < 4]
    if len(numbers) == 3 and numbers[-1] == 0:
        numbers.pop()  # the year 2000
    if len(numbers) < 2 or re.search(r"[a-z]{3}", said, re.IGNORECASE):
        return not numbers or min(numbers) <= 31
    small = sorted(numbers)
    return small[0] <= 12 and small[1] <= 31 and small[0] > 0
