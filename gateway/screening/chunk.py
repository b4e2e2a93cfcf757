"""What extraction yields and detection takes: pieces of text with their place, and the budget that both keep to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """Where the text of a chunk comes from, as far as that changes how it is read."""

    TEXT = "text"
    HTML = "html"  # the markup itself: detection makes its views (visible, hidden, attributes, comments)
    HEADER = "header"
    FILE_NAME = "file name"
    FIELDS = "fields"  # lines of `label<TAB>value`: form fields, and rows of tables with their column heads
    OCR = "ocr"  # read from an image: confusions of letters and digits are likely

    __hash__ = object.__hash__  # each is one object; what Enum has in its place is a call of Python


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of text and its place ("subject", "body", "attachment 2, sheet"); a place never holds content."""

    text: str
    place: str
    form: Form = Form.TEXT


class OverBudgetError(Exception):
    """A limit was reached; `limit` names it (a field of Limits)."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Limits:
    """What one mail may cost. Octets, pixels, pages, seconds of processor time."""

    depth: int = 10
    parts: int = 200
    members: int = 2_000
    expanded: int = 64_000_000
    expanded_one: int = 32_000_000
    ratio: int = 200
    ratio_after: int = 1_000_000
    pixels: int = 52_000_000
    pages: int = 50
    ocr_pages: int = 20
    seconds: int = 17  # the child itself is ended at 20


class Budget:
    """Counts what one mail has cost so far; each method raises OverBudgetError at its limit.

    Handed along through every extractor. Not thread-safe: one mail, one child, one budget.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._spent: dict[str, int] = {}

    def spend(self, limit: str, amount: int = 1) -> None:
        """Count so much towards `parts`, `members`, `expanded`, `pages` or `ocr_pages`."""
        self._spent[limit] = self._spent.get(limit, 0) + amount
        if self._spent[limit] > getattr(self.limits, limit):
            raise OverBudgetError(limit)

    def check(self, limit: str, amount: int) -> None:
        """Judge one thing by itself: `depth`, `pixels`, `expanded_one`."""
        if amount > getattr(self.limits, limit):
            raise OverBudgetError(limit)

    def expand(self, packed: int, octets: int, more: int) -> None:
        """Count `more` octets of one packed thing that has now given `octets` in all out of `packed`."""
        self.spend("expanded", more)
        self.check("expanded_one", octets)
        if octets > self.limits.ratio_after and octets > packed * self.limits.ratio:
            raise OverBudgetError("ratio")
