"""How sure a sign-in is: identity proofing (IAL) and the authenticator used (AAL), as NIST SP 800-63-4 counts them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = re.compile(r"ial([0-3]) aal([0-3])( phishing-resistant)?\Z")
SHAPE = 'levels such as "ial2 aal2", with " phishing-resistant" behind where that is meant'


@dataclass(frozen=True, slots=True)
class Assurance:
    """Levels from 0 (nothing said) to 3. Raises ValueError outside of that."""

    identity: int = 0
    authenticator: int = 0
    resists_phishing: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.identity <= 3 and 0 <= self.authenticator <= 3):
            raise ValueError("levels of assurance go from 0 to 3")

    @classmethod
    def parse(cls, words: str) -> Assurance:
        """Read `ial2 aal2` or `ial1 aal2 phishing-resistant`. Raises ValueError."""
        found = _WORDS.match(words)
        if not found:
            raise ValueError(f"not {SHAPE}")
        return cls(int(found[1]), int(found[2]), bool(found[3]))

    def __str__(self) -> str:
        return f"ial{self.identity} aal{self.authenticator}" + " phishing-resistant" * self.resists_phishing

    def meets(self, least: Assurance) -> bool:
        """Tell whether this is at least as much in every respect."""
        return (
            self.identity >= least.identity
            and self.authenticator >= least.authenticator
            and self.resists_phishing >= least.resists_phishing
        )

    def joined(self, other: Assurance) -> Assurance:
        """Return the most that either says in each respect."""
        return Assurance(
            max(self.identity, other.identity),
            max(self.authenticator, other.authenticator),
            self.resists_phishing or other.resists_phishing,
        )
