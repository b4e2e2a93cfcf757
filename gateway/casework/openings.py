"""What may be opened, and the entry that stands before each answer. Nothing is unwrapped here.

What is absent and what is forbidden look the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.casework.sessions import touch
from gateway.domain.errors import NotAllowed
from gateway.domain.rights import Side, Standing
from gateway.store import tables
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.cases import case_by_id, case_sealing_key, standing
from gateway.store.messages import message_row, messages_of_case
from gateway.store.sealing import SealingKey
from gateway.store.sessions import LiveSession, is_administrator, live_session
from gateway.store.transaction import Transaction

OPENING = 100
"""Units of one opening at the keyholder's rate; a list entry is one unit, and a list at least one."""
_NOT_YOURS = "There is no such message here, or it is not yours to open."


@dataclass(frozen=True, slots=True)
class Wrap:
    """One message's wrapped content key and the sealing key it is wrapped to."""

    message_id: str
    composed: bool
    key_id: str
    suite: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What a live session may be given now."""

    session: LiveSession
    case_id: str
    wraps: tuple[Wrap, ...]

    @property
    def units(self) -> int:
        """What a list costs at the rate."""
        return max(1, len(self.wraps))


def find_list(
    connection: Connection,
    key: AuthorityKey,
    token: bytes,
    case_id: str,
    before: tuple[int, str] | None,
    limit: int,
    now_us: int,
) -> Found:
    """Return the messages of a case that a session may list. Raises NotAuthenticated, NotAllowed."""
    session = live_session(connection, key, token, now_us)
    place = _standing(connection, key, case_id, session, now_us)
    rows = messages_of_case(connection, case_id, place.side, before=before, limit=limit)
    return Found(session, case_id, _wraps(connection, key, case_id, rows))


def find_message(connection: Connection, key: AuthorityKey, token: bytes, message_id: str, now_us: int) -> Found:
    """Return the one message that a session may open. Raises NotAuthenticated or NotAllowed."""
    session = live_session(connection, key, token, now_us)
    row = message_row(connection, message_id)
    if row is None or row.case_id is None:
        raise NotAllowed(_NOT_YOURS)
    place = _standing(connection, key, row.case_id, session, now_us)
    wraps = _wraps(connection, key, row.case_id, [row])
    if not wraps or (row.withdrawn_us is not None and row.side != place.side):
        raise NotAllowed(_NOT_YOURS)
    return Found(session, row.case_id, wraps)


def find_tray(
    connection: Connection, key: AuthorityKey, token: bytes, message_id: str, case_id: str, now_us: int
) -> tuple[Found, SealingKey]:
    """Return a message of the intake tray that a session may file, and the case's key.

    An employee may file what was proposed to a case they stand in; the rest is for administrators of the programme.
    """
    session = live_session(connection, key, token, now_us)
    row, into = message_row(connection, message_id), case_by_id(connection, case_id)
    if row is None or into is None or into.programme != session.programme or session.side is not Side.OFFICE:
        raise NotAllowed(_NOT_YOURS)
    proposed = row.case_id == case_id and standing(connection, key, case_id, session.person_id, now_us) is not None
    if not proposed and not is_administrator(connection, key, session.person_id, now_us):
        raise NotAllowed(_NOT_YOURS)
    wraps = _wraps(connection, key, None, [row])
    if not wraps or row.case_id not in (None, case_id):
        raise NotAllowed(_NOT_YOURS)
    return Found(session, case_id, wraps), case_sealing_key(connection, key, case_id)


def enter_list(tx: Transaction, found: Found) -> None:
    """Write the entry of a list."""
    ids = [wrap.message_id for wrap in found.wraps]
    _enter(tx, found, "listed", units=found.units, count=len(ids), first=ids[0] if ids else None)


def enter_opening(tx: Transaction, found: Found, part: str | None) -> None:
    """Write the entry of an opening, and that its reader has read it."""
    message_id, table = found.wraps[0].message_id, tables.recipient
    reader = (table.c.message_id == message_id, table.c.person_id == found.session.person_id)
    tx.execute(table.update().where(*reader, table.c.first_read_us.is_(None)).values(first_read_us=tx.now_us))
    _enter(tx, found, "opened", units=OPENING, message=message_id, part=part)


def enter_filing(tx: Transaction, found: Found, key: SealingKey, wrapped: bytes) -> None:
    """Put a message into its case: the content key wrapped to the case's key, and the entry."""
    message_id, table = found.wraps[0].message_id, tables.message
    unfiled = select(tables.message_wrap).where(
        tables.message_wrap.c.message_id == message_id, tables.message_wrap.c.key_id == key.id
    )
    if tx.one(unfiled) is not None:
        return
    tx.execute(table.update().where(table.c.id == message_id).values(case_id=found.case_id))
    tx.insert(tables.message_wrap, message_id=message_id, key_id=key.id, suite=key.suite, wrapped=wrapped)
    _enter(tx, found, "filed", message=message_id, key=key.id)


def _enter(tx: Transaction, found: Found, kind: str, **facts: str | int | None) -> None:
    session = found.session
    tx.record(kind, session.person_id, case=found.case_id, session=session.id, **facts)
    if session.needs_touch(tx.now_us):
        touch(tx, session.id)


def _standing(connection: Connection, key: AuthorityKey, case_id: str, session: LiveSession, now_us: int) -> Standing:
    place = standing(connection, key, case_id, session.person_id, now_us)
    if place is None or not place.may_read or place.side is not session.side:
        raise NotAllowed(_NOT_YOURS)
    return place


def _wraps(
    connection: Connection, key: AuthorityKey, case_id: str | None, rows: Sequence[Row[Any]]
) -> tuple[Wrap, ...]:
    """Return the wraps to keys that are, by the keyholder's signature, of this case (None: of a month's intake)."""
    wraps = tables.message_wrap
    stored = connection.execute(select(wraps).where(wraps.c.message_id.in_([row.id for row in rows]))).all()
    of_case = _keys_of_case(connection, key, case_id, {row.key_id for row in stored})
    found = {row.message_id: row for row in stored if row.key_id in of_case}
    return tuple(
        Wrap(row.id, bool(row.composed), found[row.id].key_id, found[row.id].suite, bytes(found[row.id].wrapped))
        for row in rows
        if row.id in found
    )


def _keys_of_case(connection: Connection, key: AuthorityKey, case_id: str | None, key_ids: Iterable[str]) -> set[str]:
    table = tables.sealing_key
    rows = genuine(table, connection.execute(select(table).where(table.c.id.in_(list(key_ids)))), key)
    return {row.id for row in rows if row.case_id == case_id}
