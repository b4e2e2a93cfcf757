"""Passports and visas: numbers with their label, and the machine-readable zone, which its check digits prove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import labelled
from gateway.screening.lexicon import Label
from gateway.screening.validators import passes_mrz
from gateway.screening.weighing import Sighting

_GAP: Final = r"[ ./_|'\"*-]{0,3}"
_PASSPORT: Final = re.compile(
    rf"(?<![\w$/.-])(?:(?=[A-Z ./-]{{0,6}}\d)[A-Z0-9]{{2,6}}(?:[ ./-]{{1,2}}[A-Z0-9]{{1,6}}){{1,3}}|"
    rf"(?=[A-Za-z]{{0,6}}\d)[A-Za-z0-9]{{6,10}}|[A-Z]{{1,2}}{_GAP}\d(?:{_GAP}\d){{5,7}}|"
    rf"\d(?:{_GAP}\d){{5,8}})(?![\w%/-]|[.,]\d)"
)
_VISA: Final = re.compile(
    rf"(?<![\w$/.-])(?:(?:[A-Z]{{1,2}}{_GAP}|[a-z])\d(?:{_GAP}\d){{5,6}}|\d(?:{_GAP}\d){{7}})(?![\w%/-]|[.,]\d)"
)
_DATE: Final = re.compile(
    r"[A-Z]{0,2} ?[0-3]?\d([./-])[0-3]?\d\1(?:19|20)?\d\d(?:\D|\Z)|(?:19|20)\d\d[01]\d[0-3]\d\Z|"
    r"[0-3]\d[ ./-][01]\d[ ./-](?:19|20)?\d\d\Z|(?:19|"
    r"20)\d\d[ ./-]\d\d[ ./-]\d\d\Z|\d{3}[ ./-]\d{3}[ ./-]\d{4}\Z"
)
_NUMBERED: Final = re.compile(r"#|n[or]?\.?\b|num|id\b|document|foil|control|stamp", re.IGNORECASE)


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of passports and visas."""
    for label in scan.heads:
        if label.name == "passport":
            yield from _labelled(scan, label, Kind.PASSPORT, _PASSPORT)
        elif label.name == "visa":
            yield from _labelled(scan, label, Kind.VISA, _VISA)
    for code in scan.codes():
        if {"mrz", "mrz_card", "mrz_name"} & set(code.shapes) and _is_zone(code.value, code.shapes):
            yield Sighting(Kind.PASSPORT, "identity", {}, code.value[:20], proved=True)


def _labelled(scan: Scan, label: Label, kind: Kind, pattern: re.Pattern[str]) -> Iterator[Sighting]:
    said = scan.text[label.start : label.end + 12]
    numbered = bool(_NUMBERED.search(said)) or len(scan.text[label.start : label.end]) > 9
    for match, close in scan.beside(label, pattern, 50):
        value = re.sub(r"[^A-Z0-9]", "", match.group().upper())
        digits = sum(map(str.isdigit, value))
        if (
            not 6 <= len(value) <= 10
            or digits < (2 if (numbered or close > 0.95) and match.group().isupper() else 4)
            or _DATE.match(match.group())
            or len(set(value)) < 3
        ):
            continue
        features = labelled(scan, *match.span(), close)
        features["numbered" if numbered else "general"] = 1.0
        if value[0].isalpha() and digits >= 6:
            features["shape"] = 1.0
        yield Sighting(kind, "identity", features, value)


def _is_zone(value: str, shapes: tuple[str, ...]) -> bool:
    """A zone's second line (TD3, TD2), a card's second line (TD1) with valid dates, or a name line with its fillers."""
    if "mrz" in shapes:
        return (
            passes_mrz(value[:9], value[9]) + passes_mrz(value[13:19], value[19]) + passes_mrz(value[21:27], value[27])
            >= 2
        )
    if "mrz_card" in shapes:
        return passes_mrz(value[:6], value[6]) and passes_mrz(value[8:14], value[14])
    return value.count("<") >= 5
