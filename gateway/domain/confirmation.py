"""What an author is told of their own message by mail, in its thread: what they chose, and what their mail tool asked.

The mail tool asks for reports by the envelope (RFC 3461) and for a receipt by the header (RFC 8098). What it wrote to
know a report by is repeated to it and shown to nobody else: a Message-ID, an envelope id, original recipients. None of
them is of the message's content, and none is kept but sealed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.jsontext import json_writer

MAX_RECIPIENTS: Final = 100
MAX_DELAY_MINUTES: Final = 24 * 60
_ID: Final = re.compile(r"<[!-;=?A-~]{1,100}@[!-;=?A-~]{1,148}>\Z")
_WORD: Final = re.compile(r"[!-~]([ -~]{0,248}[!-~])?\Z")
_NOTIFY: Final = frozenset({"SUCCESS", "DELAY", "FAILURE"})
_write: Final = json_writer(separators=(",", ":"))


class Wish(StrEnum):
    """Which messages an employee wants to be confirmed."""

    EACH = "each"
    FIRST = "first"
    DAILY = "daily"
    NEVER = "never"

    def covers(self, *, is_first: bool) -> bool:
        """Tell whether it covers a message, which is the first of its thread or is not."""
        return self in (Wish.EACH, Wish.DAILY) or (self is Wish.FIRST and is_first)


class Action(StrEnum):
    """What became of a recipient's notice, in the words of RFC 3464 section 2.3.3."""

    DELAYED = "delayed"
    DELIVERED = "delivered"
    FAILED = "failed"

    @property
    def asked_by(self) -> str:
        """The word of NOTIFY (RFC 3461 section 4.1) that asks for it."""
        return {Action.DELAYED: "DELAY", Action.DELIVERED: "SUCCESS", Action.FAILED: "FAILURE"}[self]

    @property
    def status(self) -> str:
        """The status code (RFC 3463) of a report."""
        return {Action.DELAYED: "4.4.7", Action.DELIVERED: "2.1.5", Action.FAILED: "5.1.2"}[self]


@dataclass(frozen=True, slots=True)
class AskedRecipient:
    """One recipient of the envelope: what is asked (words of NOTIFY), what it was before, whom it stands for."""

    notify: frozenset[str]
    original: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the mail tool wrote that a report repeats; each is "" where there is nothing that fits into a header.

    `sender` is the envelope sender: what is told goes there, where that is the author's own address.
    """

    message_id: str
    sender: str
    envelope_id: str = ""
    recipients: tuple[AskedRecipient, ...] = ()
    wants_displayed: bool = False

    @property
    def wants_reports(self) -> bool:
        """True where what becomes of a notice is asked for."""
        return bool(self.recipients)

    def to_bytes(self) -> bytes:
        """Return what is sealed."""
        value = [
            self.message_id,
            self.sender,
            self.envelope_id,
            [[sorted(one.notify), one.original, one.people] for one in self.recipients],
            int(self.wants_displayed),
        ]
        return _write(value).encode("ascii")

    @classmethod
    def from_bytes(cls, octets: bytes) -> Asked:
        """Read what `to_bytes` made. Raises ValueError or TypeError for anything else."""
        message_id, sender, envelope_id, recipients, wants_displayed = json.loads(octets)
        asked = tuple(
            AskedRecipient(frozenset(notify), original, tuple(people)) for notify, original, people in recipients
        )
        return cls(message_id, sender, envelope_id, asked, bool(wants_displayed))


def asked_of(
    message_id: str,
    sender: str,
    envelope_id: str | None,
    recipients: tuple[tuple[str, str | None, tuple[str, ...]], ...],
    *,
    wants_displayed: bool,
) -> Asked:
    """Return what was asked, without what cannot stand in a header, and of recipients those of which reports are asked.

    `recipients` are the words of NOTIFY with commas between them, the original recipient ("type;address"), and whom the
    recipient stands for.
    """
    asked = tuple(
        AskedRecipient(words, _short(original or ""), people)
        for notify, original, people in recipients[:MAX_RECIPIENTS]
        if people and (words := _NOTIFY.intersection(notify.split(",")))
    )
    return Asked(
        message_id.strip() if _ID.match(message_id.strip()) else "",
        sender,
        _short(envelope_id or "") if asked else "",
        asked,
        wants_displayed,
    )


def delay_us(own_minutes: int | None, most_minutes: int) -> int:
    """Return for how long a message waits, in microseconds: as its author chose (None: nothing), within the site's."""
    minutes = most_minutes if own_minutes is None else min(own_minutes, most_minutes)
    return minutes * 60_000_000


def _short(text: str) -> str:
    return text if _WORD.match(text) else ""
