"""Readings that are owed, and how lately people were told: rows by due time, never a walk over messages.

Each recipient of the other side owes a reading until `first_read_us`, or until `released_us` says that it is owed no
more. `remind_us` is when the row is looked at next; it is empty when nothing more is to come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, Row, and_, bindparam, func, select, text, update

from gateway.domain.notice import NoticeKind
from gateway.store.confirmations import is_news
from gateway.store.tables import case, message, outbox, pace, person, recipient
from gateway.store.transaction import Transaction

FIRST_LOOK_US = 24 * 3600 * 1_000_000
"""A reading is first looked at a day after its message: no reminder is earlier, and most are read by then."""

_TURNS = 0x74696D696E67  # any number, the same in every notifier: the advisory lock of claims and plans


def take_turns(tx: Transaction) -> None:
    """Wait until no other notifier claims or plans, and let none do so until this transaction has ended."""
    if tx.connection.dialect.name == "postgresql":
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_TURNS})"))


def paces(tx: Transaction, people: Collection[str]) -> dict[tuple[str, str], Row[Any]]:
    """Return by person and topic when they were last told, and how often on which day."""
    if not people:
        return {}
    return {(row.person_id, row.topic): row for row in tx.all(_PACES, {"people": sorted(people)})}


def set_paces(tx: Transaction, topics: Iterable[tuple[str, str]]) -> None:
    """Note that people are told of these topics now."""
    rows = [{"person_id": person_id, "topic": topic, "now": tx.now_us} for person_id, topic in topics]
    if rows:
        tx.flush()
        tx.connection.execute(_TELL, rows)


def count_reminder(tx: Transaction, person_id: str, day: str, times: int) -> None:
    """Note how many reminders a person has got on a day of theirs."""
    row = {"person_id": person_id, "topic": NoticeKind.REMINDER.value, "day": day, "times": times}
    tx.flush()
    tx.connection.execute(_COUNT, row)


def release(tx: Transaction, message_id: str) -> int:
    """End what is owed of a message for everybody who has not read it; return how many that were."""
    unread = and_(recipient.c.message_id == message_id, *_UNREAD)
    return tx.execute(update(recipient).where(unread).values(released_us=tx.now_us, remind_us=None))


def read_by(tx: Transaction, message_id: str, person_id: str, *, may_act: bool) -> None:
    """Note that somebody has opened a message: their own reminders end, and all others' where they may act."""
    own = (recipient.c.message_id == message_id, recipient.c.person_id == person_id)
    unread = update(recipient).where(*own, recipient.c.first_read_us.is_(None))
    if tx.execute(unread.values(first_read_us=tx.now_us, remind_us=None)):
        is_news(tx, [message_id])
    if may_act:
        release(tx, message_id)


def due_readings(tx: Transaction, limit: int) -> list[Row[Any]]:
    """Return readings to be looked at now, the longest due first, with what is needed to decide."""
    return list(tx.all(_DUE, {"now": tx.now_us, "most": limit}))


def readings_of(tx: Transaction, person_id: str) -> list[Row[Any]]:
    """Return one person's readings that will be looked at, whenever that is."""
    return list(tx.all(_OF_PERSON, {"person": person_id}))


def look_again(tx: Transaction, looked: Iterable[Mapping[str, Any]]) -> None:
    """Write down rows of `row` (an id), `reminded` and `again` (an instant, or None for never)."""
    rows = list(looked)
    if rows:
        tx.flush()
        tx.connection.execute(_AGAIN, rows)


def owed(connection: Connection, message_ids: Collection[str], person_ids: Collection[str]) -> set[tuple[str, str]]:
    """Return which of these persons owe a reading of which of these messages."""
    statement = (
        select(recipient.c.message_id, recipient.c.person_id)
        .join(message, message.c.id == recipient.c.message_id)
        .where(
            recipient.c.message_id.in_(list(message_ids)),
            recipient.c.person_id.in_(list(person_ids)),
            message.c.withdrawn_us.is_(None),
            *_UNREAD,
        )
    )
    return {(row.message_id, row.person_id) for row in connection.execute(statement)}


def told_unread(tx: Transaction, message_ids: Collection[str]) -> set[str]:
    """Return those of these messages of which employees were told that nobody has read them."""
    told = select(outbox.c.message_id).where(
        outbox.c.message_id.in_(list(message_ids)), outbox.c.kind == NoticeKind.NOT_READ.value
    )
    return {row.message_id for row in tx.all(told)}


def planned(connection: Connection, limit: int) -> list[Row[Any]]:
    """Return readings that will be looked at, the next first, for `gateway queue planned`."""
    statement = (
        select(
            recipient.c.remind_us, recipient.c.reminded, message.c.reference, message.c.received_us, person.c.username
        )
        .join(message, message.c.id == recipient.c.message_id)
        .join(person, person.c.id == recipient.c.person_id)
        .where(recipient.c.remind_us.is_not(None))
        .order_by(recipient.c.remind_us)
        .limit(limit)
    )
    return list(connection.execute(statement))


def stop(tx: Transaction, reference: str, by: str) -> int | None:
    """End all reminders of the message with this reference; return how many people they were for, None for no message.

    `by` is who asked.
    """
    row = tx.one(select(message.c.id, message.c.case_id).where(message.c.reference == reference))
    if row is None:
        return None
    stopped = release(tx, row.id)
    tx.record("reminders-stopped", by, message=row.id, case=row.case_id, people=stopped)
    return stopped


_UNREAD = (recipient.c.first_read_us.is_(None), recipient.c.released_us.is_(None))
_PACES = select(pace).where(pace.c.person_id.in_(bindparam("people", expanding=True)))
_TELL = text(
    "INSERT INTO pace (person_id, topic, told_us) VALUES (:person_id, :topic, :now) "
    "ON CONFLICT (person_id, topic) DO UPDATE SET told_us = excluded.told_us"
)
_COUNT = text(
    "INSERT INTO pace (person_id, topic, told_us, day, times) VALUES (:person_id, :topic, 0, :day, :times) "
    "ON CONFLICT (person_id, topic) DO UPDATE SET day = excluded.day, times = excluded.times"
)
# What waited for its release, for a yes or for the choice of its case is owed as of when its reader was told of it.
_TOLD_US = (
    select(func.min(outbox.c.created_us))
    .where(
        outbox.c.message_id == recipient.c.message_id,
        outbox.c.person_id == recipient.c.person_id,
        outbox.c.kind == NoticeKind.MESSAGE_WAITING.value,
    )
    .scalar_subquery()
)
_READINGS = (
    select(
        recipient.c.id,
        recipient.c.message_id,
        recipient.c.person_id,
        recipient.c.reminded,
        message.c.received_us,
        _TOLD_US.label("told_us"),
        message.c.withdrawn_us,
        message.c.case_id,
        message.c.reference,
        case.c.programme,
        person.c.time_zone,
    )
    .join(message, message.c.id == recipient.c.message_id)
    .join(case, case.c.id == message.c.case_id)
    .join(person, person.c.id == recipient.c.person_id)
    .with_for_update(of=recipient, skip_locked=True)
)
_DUE = (
    _READINGS.where(text("recipient.remind_us IS NOT NULL"), recipient.c.remind_us <= bindparam("now"))
    .order_by(recipient.c.remind_us)
    .limit(bindparam("most", type_=Integer))
)
_OF_PERSON = _READINGS.where(
    recipient.c.person_id == bindparam("person"), recipient.c.remind_us.is_not(None), *_UNREAD
).order_by(recipient.c.remind_us)
_AGAIN = (
    update(recipient)
    .where(recipient.c.id == bindparam("row"))
    .values(reminded=bindparam("reminded_so_far"), remind_us=bindparam("again"))
)
