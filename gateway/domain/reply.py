"""An SMTP reply as a value: code, enhanced status code, one line of text (RFC 5321 section 4.2, RFC 3463, RFC 2034)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_LINE = 400
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\Z")


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """One reply of one printable ASCII line, at most 400 octets.

    `enhanced` is empty for replies that carry none (220, 221 greetings, 334, 354, EHLO).
    Raises ValueError when code and enhanced status disagree, or when the text is not one printable ASCII line.
    """

    code: int
    enhanced: str
    text: str
    line: bytes = field(init=False, repr=False, compare=False)
    """What goes over the wire."""

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"not an SMTP reply code: {self.code}")
        if self.enhanced and not _ENHANCED.match(self.enhanced):
            raise ValueError(f"not an enhanced status code: {self.enhanced}")
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            raise ValueError(f"{self.code} and {self.enhanced} disagree")
        if not self.text.isascii() or not self.text.isprintable():
            raise ValueError("a reply is one printable ASCII line")
        line = str(self).encode("ascii")
        if len(line) > MAX_LINE:
            raise ValueError(f"a reply is at most {MAX_LINE} octets")
        object.__setattr__(self, "line", line + b"\r\n")

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}" if self.enhanced else f"{self.code} {self.text}"

    @property
    def is_permanent(self) -> bool:
        """True for 5yz."""
        return self.code >= 500
