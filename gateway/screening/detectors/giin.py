"""GIIN: sixteen signs in four parts with a category and a country, which little else has."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.validators import is_giin
from gateway.screening.weighing import Sighting


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of Global Intermediary Identification Numbers; the shape with dots is proof."""
    for code in scan.codes():
        value = (
            code.value[:11].replace("O", "0") + code.value[11:]
        )  # it has no letter O; people and recognisers write one
        if "giin" not in code.shapes or not is_giin(value):
            continue
        dotted = scan.text[code.start : code.end].count(".") == 3
        close = scan.around(code.start, code.end).closest({"giin"})
        if dotted or close > 0.3 or (value[6:11] in {"00000", "99999"} and value[:6].isupper()):
            yield Sighting(Kind.GIIN, "preparer", {}, value, proved=True)
