"""Who may do what: pure functions over rows that carry the keyholder's signature. No other place decides.

Two sides stand in a case. The *office*: employees assigned to it, alone or by a team. The *other side*: designated
users of the agreements that cover it. A right to *act* reads and writes; a right to *see* reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """The side of a case a message comes from. Nobody stands on the last one: it marks unverified outside mail."""

    OFFICE = "office"
    CORRESPONDENT = "correspondent"
    OUTSIDE = "outside"


class Right(StrEnum):
    """What a designated user may do in a case."""

    ACT = "act"
    SEE = "see"


class Role(StrEnum):
    """What an employee may do beside corresponding in their own cases."""

    EMPLOYEE = "employee"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's place in one case at one instant, or none."""

    person_id: str
    case_id: str
    side: Side
    right: Right

    @property
    def may_read(self) -> bool:
        """Reading is open to every standing."""
        return True

    @property
    def may_write(self) -> bool:
        """Writing needs the right to act."""
        return self.right is Right.ACT


def in_force(now_us: int, from_us: int | None, until_us: int | None) -> bool:
    """Tell whether `now` lies in [from, until); None is open on that side."""
    return (from_us is None or from_us <= now_us) and (until_us is None or now_us < until_us)
