"""What became of one notification at its relay: a delivery status in the words of RFC 3464 section 2.3.3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_TEXT = 160
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")
_ADDRESS = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>]+@[^\s<>]+")


class DeliveryState(StrEnum):
    """Taken by the next host; to be tried again; refused for good."""

    DELIVERED = "delivered"
    DELAYED = "delayed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt's outcome. `code` is the remote reply code, 0 when there was none; `text` is short printable ASCII.

    Raises ValueError for a code that is none or a text that is not fit to be kept.
    """

    state: DeliveryState
    code: int = 0
    enhanced: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if self.code and not 200 <= self.code <= 599:
            raise ValueError("not an SMTP reply code")
        if self.enhanced and not _ENHANCED.fullmatch(self.enhanced):
            raise ValueError("not an enhanced status code")
        if len(self.text) > MAX_TEXT or not self.text.isascii() or not (self.text.isprintable() or not self.text):
            raise ValueError("a remote text is kept short and printable")

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code) if self.code else "", self.enhanced, self.text)))


def from_reply(code: int, words: str, state: DeliveryState | None = None) -> Delivery:
    """Return the outcome that a remote reply means: 2yz delivered, 5yz failed, anything else delayed.

    `state` overrides the meaning where a reply says nothing about the recipient. The enhanced code is taken when it
    agrees with the reply's; addresses in the remote's words are left out.
    """
    known = code if 200 <= code <= 599 else 0
    line = " ".join(words.split())
    found = _ENHANCED.match(line)
    enhanced = found[1] if found and line[0] == str(known)[0] else ""
    rest = line[found.end() :] if found and enhanced else line
    meant = {2: DeliveryState.DELIVERED, 5: DeliveryState.FAILED}.get(known // 100, DeliveryState.DELAYED)
    return Delivery(state or meant, known, enhanced, _kept(rest))


def _kept(words: str) -> str:
    plain = "".join(character if " " <= character <= "~" else "?" for character in words)
    return _ADDRESS.sub("(address)", plain)[:MAX_TEXT].strip()
