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
from gateway.domain.rights import Capacity, Side, Standing, Thing, Verb, may
from gateway.store import tables
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.cases import standing
from gateway.store.drafts import draft_of
from gateway.store.messages import is_shown_to, message_row, messages_of_case
from gateway.store.places import employee_or_user
from gateway.store.reminders import read_by
from gateway.store.sessions import LiveSession, live_session
from gateway.store.transaction import Transaction
from gateway.store.unopened import opened

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
    case_id: str | None
    wraps: tuple[Wrap, ...]
    may_act: bool = False
    """Of the other side, with the right to act: what they have read nobody of it need be reminded of."""
    works_on_it: bool = False
    """Of the office, with a place of their own in the case or as somebody's deputy: what they open is opened."""

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
    return Found(session, case_id, find_wraps(connection, key, case_id, rows))


def find_message(connection: Connection, key: AuthorityKey, token: bytes, message_id: str, now_us: int) -> Found:
    """Return the one message that a session may open. Raises NotAuthenticated or NotAllowed."""
    session = live_session(connection, key, token, now_us)
    row = message_row(connection, message_id)
    if row is None:
        raise NotAllowed(_NOT_YOURS)
    if row.case_id is None:
        return _find_draft(connection, key, session, row, now_us)
    place = _standing(connection, key, row.case_id, session, now_us)
    wraps = find_wraps(connection, key, row.case_id, [row])
    if not wraps or not is_shown_to(row, place.side):
        raise NotAllowed(_NOT_YOURS)
    works_on_it = place.capacity in {Capacity.OF_THE_CASE, Capacity.DEPUTY}
    return Found(session, row.case_id, wraps, place.capacity is Capacity.ACTING, works_on_it)


def _find_draft(connection: Connection, key: AuthorityKey, session: LiveSession, row: Row[Any], now_us: int) -> Found:
    """Return the draft that a session may open: whose it is to place, and who reads in one of the cases that fitted.

    The row says whose it is without a signature, the places do not. Raises NotAllowed for anything else.
    """
    one = draft_of(connection, row.id)
    asks = employee_or_user(connection, key, session.person_id, now_us)
    if one is None or not one.is_open or asks is None or session.side is not Side.OFFICE:
        raise NotAllowed(_NOT_YOURS)
    own = Thing(one.row.programme, person_id=session.person_id)
    if not one.is_of(connection, key, session.person_id, now_us) or not may(asks, Verb.PLACE_DRAFT, own, now_us):
        raise NotAllowed(_NOT_YOURS)
    for case_id in one.facts["cases"]:
        place = standing(connection, key, case_id, session.person_id, now_us)
        if place is None or not place.may(Verb.READ):
            continue
        if wraps := find_wraps(connection, key, case_id, [row]):
            return Found(session, None, wraps)
    raise NotAllowed(_NOT_YOURS)


def find_wraps(
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


def enter_list(tx: Transaction, found: Found) -> None:
    """Write the entry of a list."""
    ids = [wrap.message_id for wrap in found.wraps]
    _enter(tx, found, "listed", units=found.units, count=len(ids), first=ids[0] if ids else None)


def enter_opening(tx: Transaction, found: Found, part: str | None) -> None:
    """Write the entry of an opening, and that its reader has read it; reminders of it end as they must."""
    message_id = found.wraps[0].message_id
    read_by(tx, message_id, found.session.person_id, may_act=found.may_act)
    if found.works_on_it:
        opened(tx, message_id)
    _enter(tx, found, "opened", units=OPENING, message=message_id, part=part)


def _enter(tx: Transaction, found: Found, kind: str, **facts: str | int | None) -> None:
    session = found.session
    tx.record(kind, session.person_id, case=found.case_id, session=session.id, **facts)
    if session.needs_touch(tx.now_us):
        touch(tx, session.id)


def _standing(connection: Connection, key: AuthorityKey, case_id: str, session: LiveSession, now_us: int) -> Standing:
    place = standing(connection, key, case_id, session.person_id, now_us)
    if place is None or not place.may(Verb.READ) or place.side is not session.side:
        raise NotAllowed(_NOT_YOURS)
    return place


def _keys_of_case(connection: Connection, key: AuthorityKey, case_id: str | None, key_ids: Iterable[str]) -> set[str]:
    table = tables.sealing_key
    rows = genuine(table, connection.execute(select(table).where(table.c.id.in_(list(key_ids)))), key)
    return {row.id for row in rows if row.case_id == case_id}
