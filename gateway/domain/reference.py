"""References people can read aloud: `SM-7K2Q-9F4T`, a part for the case and a part for the message.

The alphabet has no 0 O 1 I L. Outside production a reference begins with `T-`. In an address the case's reference is
lower-case: `sm-7k2q@gateway.example`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
PART_LENGTH = 4
_PAIRS = tuple(second + first for first in ALPHABET for second in ALPHABET)
_PART = f"[{ALPHABET}]{{{PART_LENGTH}}}"
_WHOLE = re.compile(rf"(T-)?([A-Z]{{2,4}})-({_PART})(?:-({_PART}))?\Z")
_WITHIN = re.compile(rf"(?<![A-Z0-9-])(?:T-)?[A-Z]{{2,4}}-{_PART}(?:-{_PART})?(?![A-Z0-9-])")


@dataclass(frozen=True, slots=True)
class Reference:
    """A case (`message` empty) or one message of it. Raises ValueError when a part has a wrong letter or length."""

    series: str
    case: str
    message: str = ""
    trial: bool = False

    def __post_init__(self) -> None:
        if not _WHOLE.match(str(self)):
            raise ValueError("not a reference")

    def __str__(self) -> str:
        stem = f"{'T-' if self.trial else ''}{self.series}-{self.case}"
        return f"{stem}-{self.message}" if self.message else stem

    @property
    def of_case(self) -> Reference:
        """The reference of the case alone."""
        return Reference(self.series, self.case, "", self.trial)

    def with_message(self, part: str) -> Reference:
        """The reference of one message of this case."""
        return Reference(self.series, self.case, part, self.trial)

    @property
    def local_part(self) -> str:
        """The case's local part in addresses, lower-case."""
        return str(self.of_case).lower()


def parse(text: str) -> Reference:
    """Read one reference, any letter case. Raises ValueError when `text` is none."""
    found = _WHOLE.match(text.strip().upper())
    if not found:
        raise ValueError("not a reference")
    return Reference(found[2], found[3], found[4] or "", bool(found[1]))


def find(text: str) -> Iterator[Reference]:
    """Yield the references that stand in `text` (a subject, say), in order, any letter case."""
    if "-" not in text:
        return
    for found in _WITHIN.finditer(text.upper()):
        yield parse(found[0])


def random_part(below: Callable[[int], int] = secrets.randbelow) -> str:
    """Return a random part of PART_LENGTH letters, each as likely as any other: the digits of one random number."""
    high, low = divmod(below(len(ALPHABET) ** PART_LENGTH), len(_PAIRS))
    return _PAIRS[low] + _PAIRS[high]
