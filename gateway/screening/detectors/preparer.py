"""PTIN, CAF, EFIN, ETIN and IP PIN: numbers of those who prepare and send returns, and of those who are protected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening.candidates import Code
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import at_most, labelled, surroundings
from gateway.screening.weighing import Doubt, Sighting

# Class of the label → kind, and the values it may name: they count with their label only.
_LABELLED: Final = {
    "efin": (Kind.EFIN, re.compile(r"(?<![\d.$-])[\dOIlSBZ](?:[\s./_|,'\"*-]{0,3}[\dOIlSBZ]){5}(?![\w-])")),
    "etin": (Kind.ETIN, re.compile(r"(?<![\d.$-])[\dOIlSBZ](?:[\s./_|,'\"*-]{0,3}[\dOIlSBZ]){4}(?![\w-])")),
    "ip_pin": (Kind.IP_PIN, re.compile(r"(?<![\d.$-])[\dOIlSBZ](?:[\s./_|,'\"*-]{0,3}[\dOIlSBZ]){5}(?![\w-])")),
    "caf": (
        Kind.CAF,
        re.compile(r"(?<![\d.$-])\d(?:[\s./_|,'\"*-]{0,3}\d){8}(?:[\s./_|'\"*-]{0,3}[A-Za-z]\b|(?![\d-]))"),
    ),
    "ptin": (Kind.PTIN, re.compile(r"\b[Pp]?[\s./_|#'\"*-]{0,3}[\dOo](?:[\s./_|,'\"*-]{0,3}[\dOolI]){7}(?!\d)")),
}
_DAY: Final = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:19|20)?\d\d\Z|(?:19|20)\d\d([./-])\d{1,2}\2\d{1,2}\Z")
_CAF: Final = re.compile(r"\d{4}-\d{5}[A-Z]\Z")
_PTIN: Final = re.compile(r"P-?\d{8}\Z")
_OF_PTIN: Final = frozenset({"ptin", "tin"})
_OF_CAF: Final = frozenset({"caf"})
_SAMPLES: Final = frozenset({"P12345678", "P00000000", "P99999999"})


def detect(scan: Scan) -> Iterator[Sighting | Doubt]:
    """Sightings by shape (PTIN, CAF) and by label (all)."""
    yield from _shaped(scan)
    for label in scan.heads:
        if label.name not in _LABELLED:
            continue
        kind, pattern = _LABELLED[label.name]
        for match, close in scan.beside(label, pattern):
            value = re.sub(r"[^A-Z0-9]", "", match.group().upper())
            if sum(map(str.isdigit, value)) * 2 < len(value) or _DAY.match(match.group().strip()):
                continue
            features = labelled(scan, *match.span(), max(close, scan.around(*match.span()).named.get(label.name, 0.0)))
            if len(set(value)) < (3 if len(value) > 6 else 2) or value.startswith(("123456", "012345")):
                features["sample"] = 0.6
            yield Sighting(kind, "preparer", features, value)


def _shaped(scan: Scan) -> Iterator[Sighting | Doubt]:
    for code in scan.codes():
        raw = scan.text[code.start : code.end]
        if "ptin" in code.shapes:
            shape = {"ptin": 1.0 if _PTIN.match(raw) else 0.2}
            if code.value in _SAMPLES or len(set(code.value[1:])) < 3:
                shape["sample"] = 1.0
            yield from _by_shape(scan, code, Kind.PTIN, shape, _OF_PTIN, frozenset({"ptin"}))
        elif "caf" in code.shapes:
            shape, elsewhere = ({"caf": 4.0}, _OF_CAF) if _CAF.match(raw) else ({"caf": 1.0}, frozenset[str]())
            yield from _by_shape(scan, code, Kind.CAF, shape, _OF_CAF, elsewhere)


def _by_shape(
    scan: Scan, code: Code, kind: Kind, shape: dict[str, float], names: frozenset[str], elsewhere: frozenset[str]
) -> Iterator[Sighting | Doubt]:
    def look() -> Iterator[Sighting]:
        around = scan.around(code.start, code.end)
        features = surroundings(scan, around, code.start) | shape | {"named": around.closest(names)}
        yield Sighting(kind, "preparer", features, code.value, elsewhere)

    span = code.start, code.end
    told = scan.may_say(*span)
    if told.isdisjoint(names):
        yield Doubt("preparer", elsewhere, at_most(scan, "preparer", shape, span, told), look)
    else:
        yield from look()
