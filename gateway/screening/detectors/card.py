"""Payment cards: prefix, length, Luhn; one in ten numbers passes by chance, so that grouping and words count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.detectors.evidence import surroundings
from gateway.screening.numbers import Number
from gateway.screening.validators import is_card
from gateway.screening.view import Reading
from gateway.screening.weighing import Sighting

_GROUPS: Final = frozenset({(4, 4, 4, 4), (4, 6, 5), (4, 4, 4, 3), (4, 6, 6), (4, 4, 4, 1), (4, 4, 4, 4, 3)})


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of payment cards."""
    if scan.view.reading is Reading.UNWRAPPED:
        return
    for number in scan.numbers:
        if 13 <= len(number.digits) <= 19 and is_card(number.digits):
            around = scan.around(number.start, number.end)
            features = surroundings(scan, around, number.start) | _shape(number) | {"named": around.closest({"card"})}
            yield Sighting(Kind.CARD, "card", features, number.digits)


def _shape(number: Number) -> dict[str, float]:
    features = {"partial": 0.0 if number.whole else 1.0}
    if number.groups in _GROUPS and len({sign.strip() for sign in number.signs}) == 1 and "," not in number.signs[0]:
        features["grouped"] = 1.0
    elif len(number.groups) == 1:
        features["bare"] = 1.0
    elif len(number.groups) >= 13:
        features["grouped"] = 0.6
    else:
        features["partial"] = 1.0
    return features
