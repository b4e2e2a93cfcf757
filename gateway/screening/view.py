"""A view: one plain-ASCII reading of a chunk; ordinary text has one, and more where it can be read otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import re2

from gateway.screening.chunk import Form
from gateway.screening.sieve import LONG, matching

_DIGIT: Final = re.compile(rb"[0-9]")


class Reading(Enum):
    """How a view came out of its chunk; disguise by itself makes a number likelier to be one that was to be hidden."""

    PLAIN = "plain"
    MARKUP = "markup"  # attributes, comments, style: what a browser does not show as text
    UNWRAPPED = "unwrapped"  # pieces of lines put together
    DECODED = "decoded"  # base64, hexadecimal and their like, undone
    WORDS = "words"  # number words as digits
    SQUEEZED = "squeezed"  # characters set apart, put together
    REVERSED = "reversed"
    JOINED = "joined"  # pieces of a number told one by one, put together

    __hash__ = object.__hash__  # each is one object; what Enum has in its place is a call of Python


@dataclass(frozen=True, slots=True)
class View:
    """ASCII text with its offsets, where it stood, and how it was read. Says nothing of its text when printed."""

    octets: bytes = field(repr=False)
    place: str
    form: Form = Form.TEXT
    reading: Reading = Reading.PLAIN
    text: str = field(init=False, repr=False)
    _matching: list[frozenset[re2._Regexp]] = field(init=False, repr=False, compare=False, default_factory=list)
    has_digits: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_digits", _DIGIT.search(self.octets) is not None)
        object.__setattr__(self, "text", self.octets.decode("ascii"))

    @property
    def is_long(self) -> bool:
        """Whether one pass over all of it costs less than several over what of it may matter."""
        return len(self.octets) > LONG

    def may_match(self, pattern: re2._Regexp) -> bool:
        """Whether one of the sifted patterns may match somewhere: of a long text it is known, of a short one not."""
        if not self.is_long:
            return True
        if not self._matching:
            self._matching.append(matching(self.octets))
        return pattern in self._matching[0]
