"""Rows of the intake tray, and the public key that a month's mail from outside is sealed to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select, tuple_

from gateway.domain.errors import StoreUnavailable
from gateway.domain.intake import Tray
from gateway.store.authority import AuthorityKey, genuine, require_genuine
from gateway.store.memory import Source, remembered
from gateway.store.sealing import SealingKey
from gateway.store.tables import case, intake, message, message_wrap, outbox, sealing_key
from gateway.store.transaction import Transaction

_ITEM = (
    intake,
    message.c.id,
    message.c.case_id,
    message.c.composed,
    message.c.octets,
    message.c.received_us,
    message.c.sealed_summary,
    message.c.reference.label("filed_as"),
    case.c.reference.label("proposed"),
)
_ITEMS = (
    select(*_ITEM)
    .join(message, message.c.id == intake.c.message_id)
    .outerjoin(case, case.c.id == intake.c.proposed_case_id)
)
_WAITING = (intake.c.filed_us.is_(None), intake.c.discarded_us.is_(None))


class NoIntakeKey(StoreUnavailable):
    """There is no key for this month: nothing from outside can be sealed, so nothing is taken."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in a tray, and since when, in microseconds; None where nothing does."""

    tray: Tray
    count: int
    oldest_us: int | None


@remembered
def intake_sealing_key(connection: Connection, authority: AuthorityKey, month: str) -> SealingKey:
    """Return the key of a month (`2026-11`). Raises NoIntakeKey, and Tampered when the row is not the keyholder's."""
    wanted = select(sealing_key).where(sealing_key.c.month == month, sealing_key.c.retired_us.is_(None))
    row = connection.execute(wanted).first()
    if row is None:
        raise NoIntakeKey("There is no key for mail from outside now. Please try again later.")
    require_genuine(sealing_key, row, authority)
    return SealingKey(row.id, row.suite, bytes(row.public))


def spent_keys(connection: Connection, authority: AuthorityKey, before: str) -> list[Row[Any]]:
    """Return the signed rows of intake keys of months before this one to which no message is sealed."""
    used = select(message_wrap.c.key_id).where(message_wrap.c.key_id == sealing_key.c.id).exists()
    rows = connection.execute(select(sealing_key).where(sealing_key.c.month < before, ~used))
    return genuine(sealing_key, rows, authority)


def lock_item(tx: Transaction, message_id: str) -> None:
    """Let nobody else, at another keyholder, move or work on an item before this transaction has ended."""
    tx.one(select(intake.c.message_id).where(intake.c.message_id == message_id).with_for_update())


def items(
    connection: Connection,
    tray: Tray | None,
    *,
    programme: str | None = None,
    discarded: bool = False,
    limit: int,
    after: tuple[int, str] | None = None,
) -> Sequence[Row[Any]]:
    """Return what waits in a tray (None: in any), or what was discarded from it, the oldest first; from beyond an item
    (`received_us`, id) on. With `programme` what is proposed for a case of another one is left out.
    """
    conditions: list[ColumnElement[bool]] = [*_WAITING]
    if discarded:
        conditions = [intake.c.filed_us.is_(None), intake.c.discarded_us.is_not(None)]
    if tray is not None:
        conditions.append(intake.c.tray == tray.value)
    if programme is not None:
        conditions.append(or_(intake.c.proposed_case_id.is_(None), case.c.programme == programme))
    if after is not None:
        conditions.append(tuple_(message.c.received_us, message.c.id) > after)
    oldest_first = _ITEMS.where(*conditions).order_by(message.c.received_us, message.c.id)
    return connection.execute(oldest_first.limit(limit)).all()


def items_by_id(connection: Connection, message_ids: Iterable[str]) -> Sequence[Row[Any]]:
    """Return the items with these messages, filed and discarded ones too."""
    return connection.execute(_ITEMS.where(message.c.id.in_(list(message_ids)))).all()


def item(connection: Connection, known_as: str) -> Row[Any] | None:
    """Return one item by its reference or its message's id, wherever it is now, or None."""
    named = or_(intake.c.reference == known_as.strip().upper(), intake.c.message_id == known_as.strip().lower())
    return connection.execute(_ITEMS.where(named)).first()


def waiting(connection: Connection) -> list[Waiting]:
    """Return how much waits in each tray."""
    counted = (
        select(intake.c.tray, func.count(), func.min(message.c.received_us))
        .join(message, message.c.id == intake.c.message_id)
        .where(*_WAITING)
        .group_by(intake.c.tray)
    )
    found = {row[0]: (row[1], row[2]) for row in connection.execute(counted)}
    return [Waiting(tray, *found.get(tray.value, (0, None))) for tray in Tray]


def case_by_message_ids(source: Source, hashes: Sequence[str]) -> str | None:
    """Return the case in which a message stands that one of these Message-ID hashes names, the first in this order.

    Mail from outside is known by its own row: what it calls itself never leads a message of ours astray.
    """
    named = message.c.message_id_hash
    if not hashes:
        return None
    ours = select(named.label("named"), message.c.case_id).where(named.in_(list(hashes)))
    theirs = (
        select(intake.c.message_id_hash.label("named"), message.c.case_id)
        .join(message, message.c.id == intake.c.message_id)
        .where(intake.c.message_id_hash.in_(list(hashes)))
    )
    for wanted in (ours, theirs):
        if case_id := _first(source, wanted, hashes):
            return case_id
    return None


def case_by_notices(source: Source, outbox_ids: Sequence[str]) -> str | None:
    """Return the case of the message that one of these notices told of, the first in the given order."""
    if not outbox_ids:
        return None
    wanted = (
        select(outbox.c.id.label("named"), message.c.case_id)
        .join(message, message.c.id == outbox.c.message_id)
        .where(outbox.c.id.in_(list(outbox_ids)))
    )
    return _first(source, wanted, outbox_ids)


def intake_key_is_there(connection: Connection, authority: Ed25519PublicKey, month: str) -> bool:
    """Tell whether mail of this month can be sealed."""
    try:
        intake_sealing_key(connection, authority, month)
    except NoIntakeKey:
        return False
    return True


def _first(source: Source, wanted: Select[Any], names: Sequence[str]) -> str | None:
    """Return the case that a query has beside the first of these names that it has one for."""
    found = {row.named: row.case_id for row in source.execute(wanted) if row.case_id is not None}
    return next((str(found[name]) for name in names if name in found), None)
