"""A view: one plain-ASCII reading of a chunk; ordinary text has one, and more where it can be read otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from gateway.screening.chunk import Form

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


@dataclass(frozen=True, slots=True)
class View:
    """ASCII text with its offsets, where it stood, and how it was read. Says nothing of its text when printed."""

    octets: bytes = field(repr=False)
    place: str
    form: Form = Form.TEXT
    reading: Reading = Reading.PLAIN
    text: str = field(init=False, repr=False)
    has_digits: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_digits", _DIGIT.search(self.octets) is not None)
        object.__setattr__(self, "text", self.octets.decode("ascii"))
