"""Rows of sealed messages: what the portal lists, what an opening reads, what threading looks up."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from gateway.domain.notice import NoticeKind
from gateway.domain.rights import Side
from gateway.store.memory import Source
from gateway.store.tables import message, outbox, recipient, segment


def message_id_hash(deposit_key: bytes, message_id: str) -> str:
    """Return the keyed hash by which an RFC 5322 Message-ID is found again."""
    return hmac.digest(deposit_key, b"message-id\x00" + message_id.strip().encode("utf-8"), "sha256").hex()


def message_row(connection: Connection, message_id: str) -> Row[Any] | None:
    """Return one message's row, or None."""
    return connection.execute(select(message).where(message.c.id == message_id)).first()


def message_by_reference(connection: Connection, reference: str) -> Row[Any] | None:
    """Return the row of the message with this whole reference, or None."""
    return connection.execute(select(message).where(message.c.reference == reference)).first()


def messages_of_case(
    connection: Connection,
    case_id: str,
    reader_side: Side,
    *,
    before: tuple[int, str] | None = None,
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Return up to `limit` messages of a case, newest first, older than `before` (received_us, id).

    A withdrawn message is in nobody's view but its author's side, one that waits to be released likewise, and mail from
    outside in the office's alone.
    """
    conditions = [message.c.case_id == case_id]
    if reader_side is not Side.OFFICE:
        conditions.append(message.c.side != Side.OUTSIDE.value)
    if before is not None:
        at, message_id = before
        conditions.append(or_(message.c.received_us < at, and_(message.c.received_us == at, message.c.id < message_id)))
    conditions.append(_in_view(reader_side))
    statement = (
        select(message).where(*conditions).order_by(message.c.received_us.desc(), message.c.id.desc()).limit(limit)
    )
    return connection.execute(statement).all()


def is_shown_to(row: Row[Any], reader_side: Side) -> bool:
    """Tell whether a message of a case is in the view of this side; see `messages_of_case`."""
    if row.side == Side.OUTSIDE.value:
        return reader_side is Side.OFFICE and row.withdrawn_us is None
    return (row.withdrawn_us is None and row.held_until_us is None) or row.side == reader_side.value


def withdrawn_of_case(connection: Connection, case_id: str, reader_side: Side) -> Sequence[Row[Any]]:
    """Return what the other side has withdrawn of a case after this side had opened it, newest first: id, reference,
    when it came and when it was withdrawn. More of it there is not to be seen.
    """
    seen = exists().where(recipient.c.message_id == message.c.id, recipient.c.first_read_us.is_not(None))
    shown: Select[Any] = select(message.c.id, message.c.reference, message.c.received_us, message.c.withdrawn_us)
    return connection.execute(
        shown.where(
            message.c.case_id == case_id,
            message.c.withdrawn_us.is_not(None),
            message.c.side.not_in((reader_side.value, Side.OUTSIDE.value)),
            seen,
        ).order_by(message.c.received_us.desc(), message.c.id.desc())
    ).all()


def _in_view(reader_side: Side) -> ColumnElement[bool]:
    """Tell the messages that are neither withdrawn nor waiting to be released, and all of the reader's own side."""
    shown = and_(message.c.withdrawn_us.is_(None), message.c.held_until_us.is_(None))
    return or_(shown, message.c.side == reader_side.value)


def segments_of(connection: Connection, message_id: str, part: str = "") -> Sequence[Row[Any]]:
    """Return the segments of a received message (`part` empty) or of one part of a composed one, in order."""
    return connection.execute(
        select(segment).where(segment.c.message_id == message_id, segment.c.part == part).order_by(segment.c.ordinal)
    ).all()


def recipients_of(connection: Connection, message_ids: Iterable[str]) -> Sequence[Row[Any]]:
    """Return the recipient rows of messages."""
    return connection.execute(
        select(recipient).where(recipient.c.message_id.in_(list(message_ids))).order_by(recipient.c.id)
    ).all()


def unread_counts(connection: Connection, person_id: str, case_ids: Iterable[str]) -> dict[str, int]:
    """Return how many messages of each case this person is a recipient of and has not opened."""
    statement = (
        select(message.c.case_id, func.count())
        .join(recipient, recipient.c.message_id == message.c.id)
        .where(
            recipient.c.person_id == person_id,
            recipient.c.first_read_us.is_(None),
            message.c.withdrawn_us.is_(None),
            message.c.held_until_us.is_(None),
            message.c.case_id.in_(list(case_ids)),
        )
        .group_by(message.c.case_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def last_activity(connection: Connection, case_ids: Iterable[str], reader_side: Side) -> dict[str, int]:
    """Return when each case last received a message that this side may see, in microseconds."""
    hidden = () if reader_side is Side.OFFICE else (Side.OUTSIDE.value,)
    statement = (
        select(message.c.case_id, func.max(message.c.received_us))
        .where(
            message.c.case_id.in_(list(case_ids)),
            message.c.side.not_in(hidden),
            _in_view(reader_side),
        )
        .group_by(message.c.case_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def find_by_message_ids(source: Source, hashes: Sequence[str]) -> Row[Any] | None:
    """Return the message that one of these Message-ID hashes names, the first in the given order."""
    if not hashes:
        return None
    rows = source.execute(select(message).where(message.c.message_id_hash.in_(list(hashes)))).all()
    order = {value: place for place, value in enumerate(hashes)}
    return min(rows, key=lambda row: order[row.message_id_hash], default=None)


def find_by_reference(source: Source, reference: str) -> Row[Any] | None:
    """Return the message with this whole reference: its id, its case, when it came; None where there is none."""
    named: Select[Any] = select(message.c.id, message.c.case_id, message.c.received_us)
    return source.execute(named.where(message.c.reference == reference)).first()


def find_by_notices(source: Source, outbox_ids: Sequence[str]) -> Row[Any] | None:
    """Return the message that one of these notices told of, the first in the given order."""
    for outbox_id in outbox_ids:
        statement = select(message).join(outbox, outbox.c.message_id == message.c.id).where(outbox.c.id == outbox_id)
        if (row := source.execute(statement).first()) is not None:
            return row
    return None


def notice_kind(source: Source, outbox_id: str) -> NoticeKind | None:
    """Return the kind of a notice that told of a message, None for any other row, and for one that is not ours."""
    told = select(outbox.c.kind).where(outbox.c.id == outbox_id, outbox.c.message_id.is_not(None))
    row = source.execute(told).first()
    return None if row is None else NoticeKind(row.kind)
