"""The outbox: rows that name a person to be told. `store.claims` leases what is due, `store.settlements` settles it.

A row waits (state 0) until it is due. Rows of one kind to one person that come soon after each other are told in one
notification: the first claimed is their *lead*, the others are *joined* to it and share what becomes of it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from gateway.domain.jsontext import json_writer
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.reference import Reference
from gateway.store.ids import new_id
from gateway.store.reach import forgive
from gateway.store.tables import outbox
from gateway.store.transaction import Transaction

NOTIFIER = "notifier"
_write = json_writer()


class OutboxState(IntEnum):
    """Where a row stands. Only waiting rows are in the index that claims use; a joined one ends as its lead does."""

    WAITING = 0
    DELIVERED = 1
    FAILED = 2
    WITHHELD = 3
    JOINED = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One leased row with all that its notification needs. `address` is None for a person who has none now.

    `lease_us` is the end of the lease and its token: a settlement with another one changes nothing. `joined` counts the
    rows told with this one; `lead_id` is set on a row for a further address of the lead's person. `zone` is the
    person's own time zone, or empty; `sample` the language of one that concerns nobody, else empty. `thread` is the
    message that is told of where `reference` names the case alone, as several are told of; `team_id` the team that the
    thread is of. `asked` is, sealed, what the person's own mail tool wrote of the message that is told of; `report`
    says of which recipients a report is, and what became of them.
    """

    id: str
    programme: str
    kind: NoticeKind
    person_id: str
    address: str | None
    language: str
    zone: str
    wants_link: bool
    case_id: str | None
    message_id: str | None
    reference: Reference | None
    count: int
    state: NoticeState
    until: datetime | None
    refusal: str
    kinds: tuple[str, ...]
    attempts: int
    created: datetime
    lease_us: int
    joined: int = 0
    lead_id: str | None = None
    sample: str = ""
    thread: Reference | None = None
    team_id: str = ""
    reads: int = 0
    asked: bytes = field(default=b"", repr=False)
    report: str = ""


def put(
    tx: Transaction,
    *,
    programme: str,
    kind: NoticeKind,
    person_id: str,
    case_id: str | None = None,
    message_id: str | None = None,
    fields: Mapping[str, str | int] | None = None,
    lead_id: str | None = None,
    due_us: int | None = None,
) -> str:
    """Enter a notice to a person and return the row's id.

    `fields` may hold `reference`, `count`, `reads`, `state` (a NoticeState), `until_us`, `report`, `address` (where it
    goes, if it is one of the person's), and of discarded mail `refusal` and
    `kinds` (words with commas between them), or the language of a `sample`; nothing else is ever told. `team` is the
    team that an answer may come from. `lead_id` is of
    a further address's row, and of what is told by itself. It is due now, or when `due_us` says.
    """
    row_id = new_id()
    tx.insert(
        outbox,
        id=row_id,
        programme=programme,
        kind=kind.value,
        person_id=person_id,
        case_id=case_id,
        message_id=message_id,
        lead_id=lead_id,
        fields=_write(dict(fields or {})),
        state=OutboxState.WAITING.value,
        due_us=tx.now_us if due_us is None else due_us,
        lease_until_us=None,
        attempts=0,
        created_us=tx.now_us,
        settled_us=None,
        last_reply=None,
    )
    return row_id


def withhold(tx: Transaction, entry: Entry) -> bool:
    """End a row whose kind its programme does not use: nothing is sent. Return False when the lease was lost."""
    ended = {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": tx.now_us}
    if not tx.execute(update(outbox).where(held(entry)).values(ended)):
        return False
    if entry.joined:
        tx.execute(update(outbox).where(joined_to(entry.id)).values(ended))
    record_withheld(tx, entry.id, entry.kind, entry.person_id)
    return True


def retry(tx: Transaction, outbox_id: str, by: str) -> bool:
    """Make a waiting or failed row due now; return False when there is none. `by` is who asked.

    What was joined to it is told with it again; one that was joined itself is told alone.
    """
    retried = and_(outbox.c.id == outbox_id, outbox.c.state.in_(_OPEN))
    values = {"state": 0, "due_us": tx.now_us, "lease_until_us": None, "settled_us": None, "created_us": tx.now_us}
    if not tx.execute(update(outbox).where(retried).values(values)):
        return False
    tx.execute(update(outbox).where(outbox.c.id == outbox_id, outbox.c.attempts == 0).values(lead_id=None))
    failed_with_it = and_(outbox.c.lead_id == outbox_id, outbox.c.state == OutboxState.FAILED.value, _WAS_JOINED)
    tx.execute(update(outbox).where(failed_with_it).values(state=OutboxState.JOINED.value, settled_us=None))
    forgive(tx, outbox_id, by)
    tx.record("notice-retried", by, outbox=outbox_id)
    return True


def waiting(connection: Connection, limit: int = 100) -> list[Row[Any]]:
    """Return rows that wait or have failed, newest first, for `gateway queue list`: ids, kinds, times, last replies.

    What failed with its lead is not listed beside it.
    """
    columns = (
        outbox.c.id, outbox.c.kind, outbox.c.state, outbox.c.attempts, outbox.c.due_us, outbox.c.created_us,
        outbox.c.last_reply,
    )  # fmt: skip
    alone = or_(outbox.c.state == OutboxState.WAITING.value, ~_WAS_JOINED)
    statement = select(*columns).where(outbox.c.state.in_(_OPEN), alone)
    return list(connection.execute(statement.order_by(outbox.c.id.desc()).limit(limit)))


def address_hash(hash_key: bytes, address: str) -> str:
    """Return the keyed hash by which the record names an address."""
    return hmac.digest(hash_key, b"address\x00" + address.lower().encode("utf-8"), hashlib.sha256).hex()


def held(entry: Entry) -> ColumnElement[bool]:
    """Tell the row of an entry while its lease lasts."""
    return and_(outbox.c.id == entry.id, outbox.c.state == 0, outbox.c.lease_until_us == entry.lease_us)


def joined_to(lead_id: str) -> ColumnElement[bool]:
    """Tell the rows that are told with this one."""
    return and_(outbox.c.lead_id == lead_id, outbox.c.state == OutboxState.JOINED.value)


def record_withheld(tx: Transaction, row_id: str, kind: NoticeKind, person_id: str) -> None:
    """Write the entry of a notice that was not sent."""
    tx.record("notice-withheld", NOTIFIER, outbox=row_id, notice=kind.value, person=person_id)


_OPEN = (OutboxState.WAITING.value, OutboxState.FAILED.value)
_WAS_JOINED = and_(outbox.c.lead_id.is_not(None), outbox.c.attempts == 0)
