"""PTIN, CAF, EFIN, ETIN and IP PIN: numbers of those who prepare and send returns, and of those who are protected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import labelled, surroundings
from gateway.screening.weighing import Sighting

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
_SAMPLES: Final = frozenset({"P12345678", "P00000000", "P99999999"})


def detect(scan: Scan) -> Iterator[Sighting]:
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


def _shaped(scan: Scan) -> Iterator[Sighting]:
    for code in scan.codes():
        around = None
        if "ptin" in code.shapes:
            around = scan.around(code.start, code.end)
            tidy = re.match(r"P-?\d{8}\Z", scan.text[code.start : code.end]) is not None
            features = surroundings(scan, around, code.start) | {
                "ptin": 1.0 if tidy else 0.2,
                "named": around.closest({"ptin", "tin"}),
            }
            if code.value in _SAMPLES or len(set(code.value[1:])) < 3:
                features["sample"] = 1.0
            yield Sighting(Kind.PTIN, "preparer", features, code.value, frozenset({"ptin"}))
        elif "caf" in code.shapes:
            around = scan.around(code.start, code.end)
            raw = scan.text[code.start : code.end]
            features = surroundings(scan, around, code.start) | {
                "caf": 4.0 if _CAF.match(raw) else 1.0,
                "named": around.closest({"caf"}),
            }
            elsewhere = frozenset({"caf"}) if _CAF.match(raw) else frozenset()
            yield Sighting(Kind.CAF, "preparer", features, code.value, elsewhere)
