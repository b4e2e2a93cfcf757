"""Detectors: pure functions from a scan of a view to sightings, one file a kind or family of kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from gateway.screening.context import Scan
from gateway.screening.detectors import (
    asked,
    bank,
    birth,
    card,
    filled_form,
    foreign,
    giin,
    identity,
    preparer,
    return_information,
    taxpayer,
)
from gateway.screening.weighing import Doubt, Sighting

DETECTORS: Final[tuple[Callable[[Scan], Iterator[Sighting | Doubt]], ...]] = (
    taxpayer.detect,
    preparer.detect,
    giin.detect,
    foreign.detect,
    identity.detect,
    birth.detect,
    bank.detect,
    card.detect,
    return_information.detect,
    filled_form.detect,
    asked.detect,
)
