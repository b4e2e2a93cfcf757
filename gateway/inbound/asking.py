"""What the author of a submission is to be told of it, and an answer that withdraws in place of being a message.

What it holds: the key that what was asked rests under; of a message that comes its beginning, until it is in. How it
fails: what cannot be read asks for nothing; an answer to a confirmation whose text cannot be read is refused, as it
might say that it withdraws, and must then not become a message to the other side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.casework.addressing import Decision, Target
from gateway.domain.address import parse_address
from gateway.domain.confirmation import Asked, Wish, asked_of, delay_us
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import NoticeKind, outbox_id_of
from gateway.mime.first_words import MAX_TEXT, first_line
from gateway.mime.headers import addresses
from gateway.mime.structure import Structure
from gateway.mime.summary import Facts
from gateway.store.confirmations import SealedAsked, seal_asked
from gateway.store.people import Person

KEPT_OCTETS: Final = MAX_TEXT
"""So much of a message's beginning is kept in memory until it is in, to be read for the word."""
_COMMAND = re.compile(r"withdraw[.!]?\Z", re.IGNORECASE)
_RELEASE = re.compile(r"release[.!]?\Z", re.IGNORECASE)
_NEARLY = re.compile(r"\W{0,3}withdraw", re.IGNORECASE)
_NEARLY_MOST: Final = 60
_JUST_THE_WORD: Final = (
    "To withdraw your message, answer with one line that is just the word WITHDRAW. Nothing was sent or withdrawn."
)
_CANNOT_BE_READ: Final = (
    "The text of this answer to a confirmation cannot be read here, so nothing was sent or withdrawn. "
    "Write to the case itself, or withdraw at the desk."
)
_ONE_OF_TWO: Final = (
    "Your message waits: answer with one line that is just the word RELEASE, or just WITHDRAW. Nothing was sent or "
    "withdrawn. To write something else, write to the case itself."
)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a site's door knows of it. `programmes` are those that confirm, `delay_minutes` is the longest delay."""

    key: bytes = field(repr=False)
    programmes: frozenset[str]
    delay_minutes: int = 0
    guarded: frozenset[str] = frozenset()
    """The programmes whose messages the wrong client guard looks at before they are released."""

    def delay_us(self, author: Person) -> int:
        """Return for how long a message of theirs waits before it is released: as they chose, within the site's."""
        return delay_us(author.delay_minutes, self.delay_minutes)

    def asked(
        self, author: Person, structure: Structure, facts: Facts, envelope: Envelope, decision: Decision
    ) -> tuple[Wish, Asked] | None:
        """Return what the author is to be told of this message, which is no automatic mail; None for nothing."""
        if author.programme not in self.programmes:
            return None
        wish = author.confirm if author.confirm.covers(is_first=decision.parent_id is None) else Wish.NEVER
        asked = asked_of(
            facts.message_id,
            envelope.sender,
            envelope.envelope_id,
            tuple((one.notify, one.original, _people(one, decision)) for one in envelope.targets if one.notify),
            wants_displayed=_wants_displayed(structure, envelope.sender),
        )
        wants = wish is not Wish.NEVER or asked.wants_reports or asked.wants_displayed
        return (wish, asked) if wants or decision.fitting or author.programme in self.guarded else None

    def sealed(self, message_id: str, asked: tuple[Wish, Asked] | None) -> SealedAsked | None:
        """Seal it for the message with this id."""
        return None if asked is None else seal_asked(self.key, message_id, *asked)


class Envelope(NamedTuple):
    """What the envelope of a submission says."""

    sender: str
    envelope_id: str | None
    targets: tuple[Target, ...]


def answered_notice(answered: Iterable[str]) -> str | None:
    """Return the outbox row of our notice that a message answers: what it replies to first, nothing further back."""
    return outbox_id_of(next(iter(answered), ""))


def says_withdraw(kind: NoticeKind, structure: Structure, beginning: bytes) -> bool:
    """Tell whether an answer to a notice of this kind withdraws. Raises NotAllowed where it might mean to, and does not
    say so.
    """
    line = first_line(structure.part_map, beginning)
    if line is not None and _COMMAND.match(line):
        return True
    if kind in (NoticeKind.CONFIRMATION, NoticeKind.MESSAGE_READ):
        if line is None:
            raise NotAllowed(_CANNOT_BE_READ)
        if len(line) <= _NEARLY_MOST and _NEARLY.match(line):
            raise NotAllowed(_JUST_THE_WORD)
    return False


def says_release(kind: NoticeKind, structure: Structure, beginning: bytes) -> bool:
    """Tell whether an answer to a notice of this kind gives the yes that its message waits for.

    Raises NotAllowed for any other answer to such a notice: it is no message to the other side.
    """
    if kind is not NoticeKind.GUARD_WAITS:
        return False
    if not _RELEASE.match(first_line(structure.part_map, beginning) or ""):
        raise NotAllowed(_ONE_OF_TWO)
    return True


def _people(target: Target, decision: Decision) -> tuple[str, ...]:
    served = {one.person_id for one in decision.recipients}
    if target.person_id is not None:
        return (target.person_id,) if target.person_id in served else ()
    return tuple(sorted(served))


def _wants_displayed(structure: Structure, sender: str) -> bool:
    """Tell whether the author asks for a receipt, for themselves: nobody else is told who reads what."""
    header = structure.field("disposition-notification-to")
    if header is None:
        return False
    try:
        own = parse_address(sender).key
        return [parse_address(box.address).key for box in addresses(header.value)] == [own]
    except Malformed:
        return False
