"""What was planned while a clock was ahead: put back to what it would be, once the clock is right again."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Update, case, text, update

from gateway.domain.confirmation import MAX_DELAY_MINUTES
from gateway.store.tables import confirmation, message, outbox
from gateway.store.transaction import Transaction

_MOST_DELAY_US: Final = MAX_DELAY_MINUTES * 60_000_000
_LONGEST_LOOK_US: Final = 2 * 24 * 3600 * 1_000_000
"""An author is told what became of a message within hours, or by the digest of the next day."""


def hasten(tx: Transaction, longest_us: int) -> int:
    """Put right what would wait for longer than anything may, as after a clock that was wrong; return how many.

    Mail to be sent is due, and so is a look whether an author is to be told; a message that its author's delay holds
    waits for that delay from now.
    """
    return sum(tx.execute(one) for one in (_mail(tx.now_us, longest_us), _looks(tx.now_us), _held(tx.now_us)))


def _mail(now_us: int, longest_us: int) -> Update:
    late = update(outbox).where(text("outbox.state = 0"), outbox.c.due_us > now_us + longest_us)
    return late.values(due_us=now_us)


def _looks(now_us: int) -> Update:
    # What is NOT NULL stands in the text, so that the partial indexes are used.
    late = (text("confirmation.look_us IS NOT NULL"), confirmation.c.look_us > now_us + _LONGEST_LOOK_US)
    return update(confirmation).where(*late).values(look_us=now_us)


def _held(now_us: int) -> Update:
    late = (text("message.held_until_us IS NOT NULL"), message.c.held_until_us > now_us + _MOST_DELAY_US)
    delay = message.c.held_until_us - message.c.received_us
    own = case((delay < _MOST_DELAY_US, delay), else_=_MOST_DELAY_US)
    return update(message).where(*late).values(held_until_us=now_us + own)
