"""What a site screens for: kinds on or off, the threshold, and public numbers that are allowed to pass."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.domain.verdict import Kind
from gateway.screening.folding import fold

DEFAULT_THRESHOLD = 0.5


def normalise_number(number: str) -> str:
    """Letters and digits of a number as sightings are compared: upper case, without signs."""
    return re.sub(r"[^A-Z0-9]", "", fold(number).decode("ascii").upper())


@dataclass(frozen=True, slots=True)
class Policy:
    """Kinds that count, the probability from 0 to 1 from which a finding does, numbers that never do.

    Raises ValueError for a threshold outside of 0 to 1.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    threshold: float = DEFAULT_THRESHOLD
    public_numbers: frozenset[str] = field(default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError("a threshold lies between 0 and 1")
        object.__setattr__(self, "public_numbers", frozenset(map(normalise_number, self.public_numbers)))

    @classmethod
    def default(cls) -> Policy:
        """Every kind, even odds, no public numbers."""
        return cls()

    def allows(self, kind: Kind, number: str) -> bool:
        """Whether a sighting of this kind and number passes by policy."""
        return kind not in self.kinds or normalise_number(number) in self.public_numbers
