"""The weights of evidence, read from `weights.toml`, and the sighting that a detector makes of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from gateway.domain.verdict import Kind

Features = Mapping[str, float]

WEIGHTS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        section: MappingProxyType({name: float(value) for name, value in table.items()})
        for section, table in tomllib.loads(
            files("gateway.screening").joinpath("weights.toml").read_text("utf-8")
        ).items()
    }
)
CERTAIN: Final = 40.0  # logits: a check that chance hardly passes


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one detector thinks of a stretch of a view: evidence so far, and what elsewhere in the mail adds to it.

    `key` tells two sightings of one number apart from two numbers, inside one mail only; it is never shown.
    """

    kind: Kind
    family: str
    features: Features = field(repr=False)
    key: str = field(repr=False)
    labels: frozenset[str] = frozenset()
    proved: bool = False

    @property
    def logit(self) -> float:
        """Evidence without the rest of the mail."""
        return CERTAIN if self.proved else weigh(self.family, self.features)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What can count only if some label stands elsewhere in the mail, or with little evidence: `look` weighs it then.

    `most` is what its evidence may be at most without such a label: to look at what stands around it costs much more.
    """

    family: str
    labels: frozenset[str]
    most: float
    look: Callable[[], Iterator[Sighting]] = field(repr=False)


def weigh(family: str, features: Features) -> float:
    """Sum of the weights of a family's features, its bias included."""
    weights = WEIGHTS[family]
    return weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in features.items())


def logit_of(probability: float) -> float:
    """The inverse of `probability`."""
    return math.log(probability / (1 - probability))


def probability(logit: float) -> float:
    """Logistic function, without overflow."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))
