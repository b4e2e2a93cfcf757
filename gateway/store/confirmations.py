"""What authors asked to be told of their messages: sealed for the notifier, looked at when there is news."""

from __future__ import annotations

import functools
import hmac
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Integer, Row, bindparam, or_, select, text, update

from gateway.domain.confirmation import Asked, Wish
from gateway.domain.errors import Tampered
from gateway.domain.notice import NoticeKind
from gateway.store.tables import case, confirmation, message, outbox, person, recipient
from gateway.store.transaction import Transaction

_NONCE: Final = 12
_CONTEXT: Final = b"gateway asked of a message v1\x00"
NEWS_OF: Final = frozenset({NoticeKind.MESSAGE_WAITING, NoticeKind.REPLY_RECEIVED})
"""Notices of which a report can be asked: by them a recipient hears of a message."""


@dataclass(frozen=True, slots=True)
class SealedAsked:
    """What a message's author is told: as they chose, and what their mail tool asked for, as it rests."""

    wish: Wish
    reports: bool
    sealed: bytes = field(repr=False)


def asked_key(return_path_key: bytes) -> bytes:
    """Return the key that it rests under: who takes submissions and who sends mail has it. It opens no message."""
    return hmac.digest(return_path_key, _CONTEXT, "sha256")


def seal_asked(key: bytes, message_id: str, wish: Wish, asked: Asked) -> SealedAsked:
    """Seal what was asked of a message."""
    nonce = os.urandom(_NONCE)
    sealed = nonce + _cipher(key).encrypt(nonce, asked.to_bytes(), _CONTEXT + message_id.encode())
    return SealedAsked(wish, asked.wants_reports, sealed)


def open_asked(key: bytes, message_id: str, sealed: bytes) -> Asked:
    """Open what `seal_asked` sealed. Raises Tampered."""
    try:
        octets = _cipher(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _CONTEXT + message_id.encode())
        return Asked.from_bytes(octets)
    except (InvalidTag, ValueError, TypeError):
        raise Tampered("What was asked of a message is not as it was sealed.") from None


def enter_asked(tx: Transaction, message_id: str, person_id: str, asked: SealedAsked, *, is_news: bool = True) -> None:
    """Enter what the author of a message is to be told: one row, with the message, looked at where that is news."""
    tx.insert(
        confirmation, message_id=message_id, person_id=person_id, wish=asked.wish.value, reports=int(asked.reports),
        sealed=asked.sealed, told="{}", look_us=tx.now_us if is_news else None,
    )  # fmt: skip


def is_news(tx: Transaction, message_ids: Collection[str], *, reports: bool = False) -> None:
    """Have these messages looked at; with `reports` those alone of which it is asked what becomes of notices."""
    tx.flush()
    statement = _NEWS_OF_NOTICES if reports else _NEWS
    tx.connection.execute(statement, {"messages": sorted(message_ids), "now": tx.now_us})


def is_news_of(tx: Transaction, outbox_id: str) -> None:
    """Have the messages looked at that were told of in one notification, where reports are asked of them."""
    told = select(outbox.c.message_id).where(or_(outbox.c.id == outbox_id, outbox.c.lead_id == outbox_id))
    found = {row.message_id for row in tx.all(told) if row.message_id}
    if found:
        is_news(tx, found, reports=True)


def has_due(connection: Connection, now_us: int) -> bool:
    """Tell whether there is something to look at, or a message to be released."""
    return any(connection.execute(one, {"now": now_us}).first() is not None for one in (_ONE_DUE, _ONE_HELD))


def due(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Return what is to be looked at now, the longest due first: so many, and of those who want a digest all there is,
    as many come due at its one time and each person is to have one.
    """
    rows = list(tx.all(_DUE, {"now": tx.now_us, "most": limit}))
    people = sorted({row.person_id for row in rows if row.wish == Wish.DAILY.value})
    if len(rows) < limit or not people:
        return rows
    known = {row.message_id for row in rows}
    more = tx.all(_DUE_FOR_DIGESTS, {"now": tx.now_us, "people": people})
    return [*rows, *(row for row in more if row.message_id not in known)]


def looked_at(tx: Transaction, message_id: str, told: Mapping[str, Any], again_us: int | None) -> None:
    """Write down what has been told, and when to look again (None: when there is news)."""
    values = {"told": json.dumps(dict(told), separators=(",", ":")), "look_us": again_us}
    tx.execute(update(confirmation).where(confirmation.c.message_id == message_id).values(values))


def readers(tx: Transaction, message_id: str) -> list[Row[Any]]:
    """Return the recipients of a message: who, of which side, since when they have read it."""
    return list(tx.all(_READERS, {"message": message_id}))


def notices_of(tx: Transaction, message_id: str) -> list[Row[Any]]:
    """Return the notices by which its recipients hear of a message: whose, where each stands, how often tried, since
    when.
    """
    return list(tx.all(_NOTICES, {"message": message_id}))


@functools.lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


_NEWS = (
    update(confirmation)
    .where(confirmation.c.message_id.in_(bindparam("messages", expanding=True)))
    .values(look_us=bindparam("now"))
)
_NEWS_OF_NOTICES = _NEWS.where(confirmation.c.reports == 1)
# What is NOT NULL stands in the text, so that the partial indexes are used.
_ONE_DUE = (
    select(confirmation.c.message_id)
    .where(text("confirmation.look_us IS NOT NULL"), confirmation.c.look_us <= bindparam("now"))
    .limit(1)
)
_ONE_HELD = (
    select(message.c.id)
    .where(
        text("message.held_until_us IS NOT NULL"),
        message.c.held_until_us <= bindparam("now"),
        message.c.guard.is_(None),
    )
    .limit(1)
)
_ALL_DUE = (
    select(
        confirmation,
        message.c.reference,
        message.c.case_id,
        message.c.received_us,
        message.c.withdrawn_us,
        message.c.held_until_us,
        message.c.guard,
        case.c.programme,
        person.c.time_zone,
        person.c.ended_us,
    )
    .join(message, message.c.id == confirmation.c.message_id)
    .join(case, case.c.id == message.c.case_id)
    .join(person, person.c.id == confirmation.c.person_id)
    .where(text("confirmation.look_us IS NOT NULL"), confirmation.c.look_us <= bindparam("now"))
    .order_by(confirmation.c.look_us, confirmation.c.message_id)
    .with_for_update(of=confirmation, skip_locked=True)
)
_DUE = _ALL_DUE.limit(bindparam("most", type_=Integer))
_DUE_FOR_DIGESTS = _ALL_DUE.where(
    confirmation.c.person_id.in_(bindparam("people", expanding=True)), confirmation.c.wish == Wish.DAILY.value
)
_READERS = (
    select(recipient.c.person_id, recipient.c.first_read_us, person.c.side)
    .join(person, person.c.id == recipient.c.person_id)
    .where(recipient.c.message_id == bindparam("message"))
)
_NOTICES = select(outbox.c.person_id, outbox.c.state, outbox.c.attempts, outbox.c.created_us).where(
    outbox.c.message_id == bindparam("message"), outbox.c.kind.in_(sorted(kind.value for kind in NEWS_OF))
)
