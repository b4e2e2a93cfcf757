"""Where a notice stands in its author's mail: below their own message, and, where their mail tool asked, as a report.

It repeats what the mail tool wrote to know its message by. Of a recipient it names the case's address, and what the
mail system itself gave as the original recipient; never anybody's other address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.domain.confirmation import Action, Asked
from gateway.domain.errors import Tampered
from gateway.domain.notice import NoticeKind
from gateway.outbound.report import (
    DELIVERY,
    DISPOSITION,
    Report,
    Reported,
    delivery_lines,
    disposition_lines,
)
from gateway.store.confirmations import open_asked
from gateway.store.outbox import Entry

_DISPLAYED = "manual-action/MDN-sent-automatically; displayed"
_NO_CASE = "secure-mail"


@dataclass(frozen=True, slots=True)
class InThread:
    """Knows what was asked. `domain` is that of the cases' addresses, `hostname` what reports."""

    key: bytes = field(repr=False)
    domain: str
    hostname: str

    def of(self, entry: Entry) -> tuple[str, Report | None]:
        """Return the Message-ID that a notice answers, or "", and its report, if it is one. Raises Tampered."""
        asked = open_asked(self.key, entry.message_id or "", entry.asked) if entry.asked else None
        if entry.kind is NoticeKind.DELIVERY_REPORT:
            return _thread(asked), self._delivery(entry, _required(asked))
        if entry.kind is NoticeKind.READ_RECEIPT:
            return _thread(asked), self._receipt(entry, _required(asked))
        return _thread(asked), None

    def _delivery(self, entry: Entry, asked: Asked) -> Report:
        lines = delivery_lines(self.hostname, entry.created, asked.envelope_id, self._reported(entry, asked))
        return Report(DELIVERY, tuple(lines), asked.message_id)

    def _reported(self, entry: Entry, asked: Asked) -> Iterator[Reported]:
        word, _, places = entry.report.partition(":")
        try:
            action = Action(word)
            named = [asked.recipients[int(place)] for place in places.split(",")]
        except (ValueError, IndexError):
            raise Tampered("A report is not of what was asked.") from None
        for one in named:
            yield Reported(self._address(entry), one.original, action.value, action.status)

    def _receipt(self, entry: Entry, asked: Asked) -> Report:
        lines = disposition_lines(self.hostname, self._address(entry), "", asked.message_id, _DISPLAYED)
        return Report(DISPOSITION, tuple(lines), asked.message_id)

    def _address(self, entry: Entry) -> str:
        local = entry.reference.local_part if entry.reference is not None else _NO_CASE
        return f"{local}@{self.domain}"


def _thread(asked: Asked | None) -> str:
    return "" if asked is None else asked.message_id


def _required(asked: Asked | None) -> Asked:
    if asked is None:
        raise Tampered("A report is of nothing that was asked.")
    return asked
