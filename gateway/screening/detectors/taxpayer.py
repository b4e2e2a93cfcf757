"""SSN, ITIN, ATIN, EIN and QI-EIN: nine digits that structure alone hardly tells from other numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening import validators
from gateway.screening.context import Around, Scan
from gateway.screening.detectors.evidence import at_most, surroundings
from gateway.screening.numbers import Number
from gateway.screening.view import Reading
from gateway.screening.weighing import Doubt, Sighting

_PERSONS: Final = frozenset({"ssn", "itin", "atin"})
_EMPLOYERS: Final = frozenset({"ein", "qi_ein"})
_OURS: Final = frozenset(
    {"account", "routing", "card", "passport", "visa", "caf", "efin", "etin", "ip_pin", "ptin", "iban", "birth"}
)
_USUAL: Final = frozenset({(3, 2, 4), (2, 7), (9,), (3, 3, 3)})
_SHORT: Final = 500  # characters of a text in which odd groupings are looked at without a label
_CLEAR: Final = frozenset(
    {"dashed", "parted", "employer", "bare", "apart"}
)  # groupings that decoding hardly makes by chance
_WANTED: Final = frozenset({"ssn", "itin", "atin", "ein", "qi_ein", "tin"})


def detect(scan: Scan) -> Iterator[Sighting | Doubt]:
    """Sightings of nine-digit taxpayer numbers. Most numbers stand where nothing is said of such: they are doubts."""
    if scan.view.reading is Reading.UNWRAPPED:
        return  # chains of digits are read across line breaks anyway
    loose = scan.named.isdisjoint(_WANTED) and len(scan.text) > _SHORT
    for number in scan.numbers:
        if len(number.digits) != 9 or (number.groups not in _USUAL and loose and len(number.groups) < 8):
            continue
        span = number.start, number.end
        told = scan.may_say(*span)
        if told.isdisjoint(_WANTED):
            most = at_most(scan, "taxpayer", _shape(number, scan.view.reading), span, told)
            yield Doubt("taxpayer", _WANTED, most, partial(_look, scan, number))
        else:
            yield from _look(scan, number)


def _look(scan: Scan, number: Number) -> Iterator[Sighting]:
    around = scan.around(number.start, number.end)
    kind = _kind(number, around)
    if kind is None:
        return
    features = surroundings(scan, around, number.start) | _shape(number, scan.view.reading) | _labels(kind, around)
    if features.keys() & {"dashed", "parted"} or max(features.get("named", 0.0), features.get("tin", 0.0)) > 0.5:
        features.pop("machine", None)
    if "alone" in features and features.keys() & {"odd", "triples"}:
        features["alone"] = 0.3  # telephone numbers stand alone, in such groups
    if "hidden" in features and not features.keys() & _CLEAR:
        del features["hidden"]
    yield Sighting(kind, "taxpayer", features, number.digits, _WANTED)


def _kind(number: Number, around: Around) -> Kind | None:
    """The kind that structure and labels point to; None when no kind has such a number."""
    nine = number.digits
    employer, person = around.closest(_EMPLOYERS), around.closest(_PERSONS)
    named = max(_PERSONS | _EMPLOYERS, key=lambda name: (around.named.get(name, 0.0), name))
    if (number.groups == (2, 7) and person <= employer) or employer > person:
        if not validators.is_ein(nine):
            return None
        return Kind.QI_EIN if around.named.get("qi_ein", 0.0) > 0.5 and nine.startswith("98") else Kind.EIN
    if validators.is_itin(nine):
        return Kind.ITIN
    if validators.is_atin(nine):
        return Kind.ATIN
    if validators.is_internal(nine):
        return Kind.SSN if person > 0.5 else None
    if validators.is_ssn(nine):
        return Kind.ITIN if named == "itin" and person > 0.9 else Kind.SSN
    return (
        Kind.EIN
        if validators.is_ein(nine) and around.closest({"tin"}) > 0.5 and number.groups in {(9,), (2, 7)}
        else None
    )


def _labels(kind: Kind, around: Around) -> dict[str, float]:
    named = around.closest(_EMPLOYERS if kind in {Kind.EIN, Kind.QI_EIN} else _PERSONS)
    features = {
        "named": named,
        "tin": 0.0 if named > 0.5 else around.closest({"tin"}),
        "account": 0.0 if named > 0.5 else around.closest(_OURS),
        "foreign": 0.0 if named > 0.5 else around.closest(validators.FOREIGN),
        "charity": around.charity if kind is Kind.EIN else 0.0,
    }
    if named > 0.5 or features["tin"] > 0.5:
        features |= {"decimal": 0.0, "address": 0.4 if "address" in around.flags else 0.0}
    return {name: value for name, value in features.items() if value or name == "decimal"}


def _shape(number: Number, reading: Reading) -> dict[str, float]:
    nine, signs = number.digits, {sign.strip() or " " for sign in number.signs}
    features: dict[str, float] = {}
    if number.groups == (3, 2, 4):
        features["dashed" if signs == {"-"} else "parted" if len(signs) == 1 else "mixed"] = 1.0
    elif number.groups == (2, 7):
        features["employer" if signs == {"-"} else "odd"] = 1.0
    elif number.groups == (9,):
        features["bare"] = 1.0
    elif number.groups in {(3, 3, 3), (5, 4)}:
        features["triples" if number.groups[0] == 3 else "postal"] = 1.0
    elif len(number.groups) >= 8:
        features["apart"] = 1.0
    else:
        features["odd"] = 1.0
    if validators.is_itin(nine) and number.groups == (3, 2, 4):
        features["itin"] = 1.0
    if validators.is_sample(nine) and reading is not Reading.JOINED:
        features["sample"] = 1.0
    if not number.whole:
        features["partial"] = 1.0
    return features
