"""What screening says of a mail: findings, what could not be read, and the verdict (see docs/design.md).

None of these values can carry content: a place is a position ("subject", "attachment 2"), never a name that a sender
chose, and a finding tells its kind, not its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of taxpayer data. The values are the words of `gateway.toml` and of a programme's `screening`."""

    SSN = "ssn"
    ITIN = "itin"
    ATIN = "atin"
    EIN = "ein"
    QI_EIN = "qi-ein"
    PTIN = "ptin"
    CAF = "caf"
    GIIN = "giin"
    EFIN = "efin"
    ETIN = "etin"
    IP_PIN = "ip-pin"
    FOREIGN_TIN = "foreign-tin"
    PASSPORT = "passport"
    VISA = "visa"
    BIRTH_DATE = "birth-date"
    BANK = "bank"
    IBAN = "iban"
    CARD = "card"
    RETURN_INFORMATION = "return-information"
    FILLED_FORM = "filled-form"


class Strength(StrEnum):
    """How sure a finding is: PROOF by a check that chance hardly passes, STRONG by context, WEAK only with others."""

    PROOF = "proof"
    STRONG = "strong"
    WEAK = "weak"


class Unread(StrEnum):
    """Why something could not be looked into. The values begin the `reason` that `gateway screen` prints."""

    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    OVER_LIMIT = "over-limit"
    AMBIGUOUS = "ambiguous"
    UNKNOWN_TYPE = "unknown-type"


class Outcome(StrEnum):
    """The three verdicts. Unscreenable is never clean."""

    CLEAN = "clean"
    TAINTED = "tainted"
    UNSCREENABLE = "unscreenable"


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` numbers or facts of one kind in one place."""

    kind: Kind
    place: str
    strength: Strength
    count: int = 1


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place that was not looked into. `detail` is a word of ours or the name of a limit, never content."""

    place: str
    why: Unread
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows for one mail. Tainted wins over unscreenable: the sender is told the more useful thing."""

    findings: tuple[Finding, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """One of the three words."""
        if self.findings:
            return Outcome.TAINTED
        return Outcome.UNSCREENABLE if self.unreadable else Outcome.CLEAN
