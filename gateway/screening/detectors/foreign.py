"""Numbers of other countries' taxpayers: by shape and check where little else passes, else with their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import stdnum.mx.rfc

from gateway.domain.verdict import Kind
from gateway.screening.candidates import Code
from gateway.screening.context import Around, Scan
from gateway.screening.detectors.evidence import labelled, surroundings
from gateway.screening.lexicon import Label
from gateway.screening.numbers import Number
from gateway.screening.validators import FOREIGN, is_date
from gateway.screening.view import Reading
from gateway.screening.weighing import Sighting

# Shape of a code → how much its check proves: "proved" hardly anything passes, "coded" the shape itself is rare.
_CODED: Final = {
    "nino": {"coded": 2.1},
    "cf": {"coded": 1.0, "proved": 1.0},
    "curp": {"coded": 1.0, "proved": 1.0},
    "rfc": {"coded": 1.6, "checked": 1.2},
    "pan": {"coded": 1.2},
    "dni": {"coded": 1.15, "checked": 1.3},
    "nie": {"coded": 1.2, "checked": 1.3},
    "pps": {"coded": 0.6, "checked": 1.3},
    "nric": {"coded": 0.6},
    "hetu": {"coded": 1.0, "checked": 1.3},
    "ric": {"proved": 1.0},
}
# Groups that numbers of a country are written in, and how telling they are.
_GROUPED: Final = {
    ("sin", (3, 3, 3)): 0.6,
    ("cpf", (3, 3, 3, 2)): 1.6,
    ("cnpj", (2, 3, 3, 4, 2)): 1.6,
    ("idnr", (2, 3, 3, 3)): 1.2,
    ("spi", (2, 2, 3, 3, 3)): 1.6,
    ("my_number", (4, 4, 4)): 0.8,
    ("personnummer", (6, 4)): 1.3,
    ("personnummer", (8, 4)): 1.6,
    ("tfn", (3, 3, 3)): 0.4,
    ("utr", (5, 5)): 0.5,
    ("ahv", (3, 4, 4, 2)): 1.6,
    ("rrn", (6, 7)): 1.4,
    ("nir", (1, 2, 2, 2, 3, 3, 2)): 1.6,
    ("nn", (2, 2, 2, 3, 2)): 1.6,
    ("cpr", (6, 4)): 0.6,
    ("aadhaar", (4, 4, 4)): 0.5,
    ("fodselsnummer", (6, 5)): 1.0,
    ("cuit", (2, 8, 1)): 1.6,
    ("rut", (2, 3, 3, 1)): 0.8,
}
_TELLING: Final = frozenset(groups for (_, groups), weight in _GROUPED.items() if weight >= 1)
_LABELS: Final = frozenset({*FOREIGN, "tin"})
_BY_LENGTH: Final = {
    length: tuple(
        (name, check) for name, (lengths, check) in FOREIGN.items() if length in lengths and name != "foreign"
    )
    for length in range(9, 23)
}
_SHORT: Final = frozenset(name for name, (lengths, _) in FOREIGN.items() if 8 in lengths and name != "foreign")
_EIGHT: Final = re.compile(r"(?<![\w.$/])\d(?:[ ./_|-]{0,2}\d){7}(?![\w/-])")
_PROVING: Final = frozenset({"spi", "nir", "ahv", "cpf", "cnpj", "rrn"})
_AMBIGUOUS: Final = frozenset({"rfc", "sin", "pan", "cf", "nie", "dni", "inn", "rut", "nn", "nir", "nifpt", "spi"})
_ANY: Final = frozenset({"foreign", "tin"})
_TIDY: Final = re.compile(
    r"[A-Za-z]{0,4}[ -]?\d{6,18}[ -]?\w{0,3}\Z|\d\d\.\d{3}\.\d{3}[ -]?\w\Z|"
    r"[A-Z]{2}(?:[ -]?\d\d){3}[ -]?[A-Z]\Z|[A-Z]{3} ?[A-Z]{3} ?\w{5} ?\w{5}\Z|\w{8,18}\Z"
)
_LOOSE: Final = re.compile(r"(?<![\w.$/])[A-Za-z]{0,4}[-. ]?\d(?:[-. /]?[A-Za-z0-9]){5,16}(?![\w%])")


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of other countries' numbers."""
    for code in scan.codes():
        yield from _codes(scan, code)
    named = not scan.named.isdisjoint(_LABELS)
    for number in scan.numbers:
        if named or number.groups in _TELLING:
            yield from _digits(scan, number)
    for label in scan.heads if named else ():
        if label.name == "foreign":
            yield from _loose(scan, label)
        elif label.name in _SHORT:
            yield from _eight(scan, label)


def _codes(scan: Scan, code: Code) -> Iterator[Sighting]:
    for shape in code.shapes:
        if shape not in _CODED:
            continue
        if shape == "rfc" and not is_date("19" + code.value[-9:-3]):
            continue
        known = FOREIGN.get(shape)
        fails = known is not None and not known[1](code.value)
        if fails and shape not in scan.named:
            continue
        around = scan.around(code.start, code.end)
        own = {shape, "dni", "nie"} if shape in {"dni", "nie"} else {shape}
        features = surroundings(scan, around, code.start) | _CODED[shape] | _labels(around, own)
        features |= _as_rfc(code.value) if shape == "rfc" else {}
        if fails or (scan.view.reading is Reading.UNWRAPPED and features.get("named", 0.0) < 0.5):
            features |= {"coded": 0.6, "proved": 0.0, "checked": 0.0, "unchecked": 1.0}
        elif not _TIDY.match(scan.text[code.start : code.end]):
            features |= {"coded": 0.2, "proved": 0.3 * features.get("proved", 0.0)}
            features["checked"] = 0.5 * features.get("checked", 0.0)
        if features.get("named", 0.0) > 0.5 or "proved" in _CODED[shape]:
            features.pop("machine", None)
        if shape == "nino" and " " in scan.text[code.start : code.end]:
            features["grouped"] = 1.0
        if scan.text[code.start : code.end].islower():
            features["partial"] = 0.6 if scan.text[code.start : code.end].isalnum() else 1.2
        yield Sighting(Kind.FOREIGN_TIN, "foreign", features, code.value, _wanted(own))


def _as_rfc(value: str) -> dict[str, float]:
    """What speaks for an RFC: a person's has a vowel of the family name second, and a check that some leave out."""
    if len(value) == 12:
        return {"coded": 0.0}  # a firm's: three letters and a date are much else too
    vowel, valid = value[1] in "AEIOUX", stdnum.mx.rfc.is_valid(value, validate_check_digits=True)
    return {} if vowel and valid else {"coded": 1.2} if vowel else {"coded": 0.4, "checked": 0.0}


def _digits(scan: Scan, number: Number) -> Iterator[Sighting]:
    """One sighting of a number: that of the country that fits best."""
    best: Sighting | None = None
    around: Around | None = None
    if len(set(number.digits)) < 3:
        return
    may_name = scan.may_say(number.start, number.end)
    for name, check in _BY_LENGTH.get(len(number.digits), ()):
        grouped = _GROUPED.get((name, number.groups), 0.0)
        if grouped < 1 and name not in may_name and may_name.isdisjoint(_ANY):
            continue
        if not check(number.digits):  # before what stands around it is looked at, which takes much longer
            continue
        around = around or scan.around(number.start, number.end)
        if name == "personnummer" and number.signs and number.signs[0].strip() not in {"", "-", "+"}:
            grouped = 0.3  # a day and a time, or a version
        answers = name in scan.named and ("alone" in around.flags or around.raising.get("here", 0.0) > 0.5)
        if grouped < 1 and not answers and around.closest({name, *_ANY}) < 0.2:
            continue
        features = (
            surroundings(scan, around, number.start) | _labels(around, {name}) | {"grouped": grouped, "checked": 1.0}
        )
        features |= {"partial": 0.0 if number.whole else 1.0, "proved": 0.4 if name in _PROVING else 0.0}
        sighting = Sighting(Kind.FOREIGN_TIN, "foreign", features, number.digits, _wanted({name}))
        if best is None or sighting.logit > best.logit:
            best = sighting
    if best is not None:
        yield best


def _wanted(own: set[str]) -> frozenset[str]:
    """Labels that count from elsewhere in the mail: not those that are words of other trades too."""
    return frozenset(own - _AMBIGUOUS) | _ANY


def _labels(around: Around, own: set[str]) -> dict[str, float]:
    named = around.closest(own)
    return {
        "named": named,
        "charity": 0.0 if named > 0.5 else around.charity,
        "general": 0.0 if named > 0.5 else around.closest(_ANY),
    }


def _eight(scan: Scan, label: Label) -> Iterator[Sighting]:
    """Eight digits beside the label of a number that has eight or nine."""
    for match, close in scan.beside(label, _EIGHT):
        digits = re.sub(r"\D", "", match.group())
        if FOREIGN[label.name][1](digits):
            yield Sighting(Kind.FOREIGN_TIN, "foreign", labelled(scan, *match.span(), close) | {"checked": 1.0}, digits)


def _loose(scan: Scan, label: Label) -> Iterator[Sighting]:
    """Whatever stands beside "foreign tax identifying number": the countries are many."""
    for match, close in scan.beside(label, _LOOSE):
        value = re.sub(r"[^A-Z0-9]", "", match.group().upper())
        if len(value) >= 7 and sum(map(str.isdigit, value)) >= 6 and len(set(value)) > 3:
            features = labelled(scan, *match.span(), close) | {"named": 0.0, "general": close}
            yield Sighting(Kind.FOREIGN_TIN, "foreign", features, value)
