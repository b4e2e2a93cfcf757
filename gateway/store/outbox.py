"""The outbox: rows that name a person to be told, claimed by lease, tried, settled with an entry in the record.

A row waits (state 0) until it is due; a claim moves its due time to the end of the lease, so that nothing is locked and
a program that dies loses nothing: the row comes due again, with the same id and so the same Message-ID. The person's
address is taken at the claim and kept with the row; the record has only its keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, Connection, Integer, Row, and_, bindparam, or_, select, text, update

from gateway import maillog
from gateway.domain.clock import from_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.reference import Reference, parse
from gateway.domain.rights import Side
from gateway.failpoints import failpoint
from gateway.store.cases import office
from gateway.store.ids import new_id
from gateway.store.tables import case, message, outbox, person, person_address
from gateway.store.transaction import Transaction

MAX_REPLY = 200
_JSON = json.JSONEncoder()
_NOTIFIER = "notifier"


class OutboxState(IntEnum):
    """Where a row stands. Only waiting rows are in the index that claims use."""

    WAITING = 0
    DELIVERED = 1
    FAILED = 2
    WITHHELD = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One leased row with all that its notification needs. `address` is None for a person who has none now.

    `lease_us` is the end of the lease and its token: a settlement with another one changes nothing.
    """

    id: str
    programme: str
    kind: NoticeKind
    person_id: str
    address: str | None
    language: str
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


def put(
    tx: Transaction,
    *,
    programme: str,
    kind: NoticeKind,
    person_id: str,
    case_id: str | None = None,
    message_id: str | None = None,
    fields: Mapping[str, str | int] | None = None,
) -> str:
    """Enter a notice to a person and return the row's id.

    `fields` may hold `reference`, `count`, `state` (a NoticeState), `until_us`, and of discarded mail `refusal` and
    `kinds` (words with commas between them); nothing else is ever told.
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
        fields=_JSON.encode(dict(fields or {})),
        state=OutboxState.WAITING.value,
        due_us=tx.now_us,
        lease_until_us=None,
        attempts=0,
        created_us=tx.now_us,
        settled_us=None,
        last_reply=None,
    )
    return row_id


def claim(tx: Transaction, lease_us: int, limit: int) -> list[Entry]:
    """Lease up to `limit` due rows for `lease_us` microseconds, the longest due first.

    A person with several addresses gets a row for each: the further ones are entered here and come due at once.
    """
    rows = tx.all(_DUE, {"now": tx.now_us, "most": limit})
    if not rows:
        return []
    until = tx.now_us + lease_us
    addresses = _addresses(tx.connection, {row.person_id for row in rows}, tx.now_us)
    entries: list[Entry] = []
    leases: list[dict[str, object]] = []
    for row in rows:
        known = addresses.get(row.person_id, []) if row.ended_us is None else []
        try:
            fields, entry = _entry(row, known, until)
        except (ValueError, TypeError, AttributeError):
            _put_aside(tx, row.id)
            continue
        if "address" not in fields:
            _enter_further(tx, row, fields, known[1:])
        kept = {**fields, "address": entry.address} if entry.address else fields
        leases.append({"row": row.id, "until": until, "kept": json.dumps(kept)})
        entries.append(entry)
    if leases:
        tx.connection.execute(_LEASE, leases)
    failpoint("outbox.claim")
    return entries


def settle(
    tx: Transaction,
    authority: Ed25519PublicKey,
    hash_key: bytes,
    entry: Entry,
    delivery: Delivery,
    next_due_us: int | None,
) -> bool:
    """Write down what became of an attempt, with its entry in the record; return False when the lease was lost.

    A delayed one with `next_due_us` waits until then. Without it, or refused for good, the notice is given up, and the
    employees concerned get a notice of their own in the same verb; a notice to an employee that fails makes no other.
    """
    ended = delivery.state is not DeliveryState.DELAYED or next_due_us is None
    state = OutboxState.WAITING
    if ended:
        state = OutboxState.DELIVERED if delivery.state is DeliveryState.DELIVERED else OutboxState.FAILED
    changed = tx.execute(
        update(outbox)
        .where(_held(entry))
        .values(
            state=state.value,
            due_us=tx.now_us if next_due_us is None else next_due_us,
            lease_until_us=None,
            settled_us=tx.now_us if ended else None,
            last_reply=str(delivery)[:MAX_REPLY],
        )
    )
    if not changed:
        return False
    _record(tx, hash_key, entry, delivery, state)
    if state is OutboxState.FAILED and not entry.kind.is_for_employees:
        _tell_employees(tx, authority, entry, delivery)
    failpoint("outbox.settle")
    return True


def withhold(tx: Transaction, entry: Entry) -> bool:
    """End a row whose kind its programme does not use: nothing is sent. Return False when the lease was lost."""
    ended = {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": tx.now_us}
    if not tx.execute(update(outbox).where(_held(entry)).values(ended)):
        return False
    tx.record("notice-withheld", _NOTIFIER, outbox=entry.id, notice=entry.kind.value, person=entry.person_id)
    return True


def retry(tx: Transaction, outbox_id: str, by: str) -> bool:
    """Make a waiting or failed row due now; return False when there is none. `by` is who asked."""
    retried = and_(outbox.c.id == outbox_id, outbox.c.state.in_(_OPEN))
    values = {"state": 0, "due_us": tx.now_us, "lease_until_us": None, "settled_us": None, "created_us": tx.now_us}
    if not tx.execute(update(outbox).where(retried).values(values)):
        return False
    tx.record("notice-retried", by, outbox=outbox_id)
    return True


def waiting(connection: Connection, limit: int = 100) -> list[Row[Any]]:
    """Return rows that wait or have failed, newest first, for `gateway queue list`: ids, kinds, times, last replies."""
    columns = (
        outbox.c.id, outbox.c.kind, outbox.c.state, outbox.c.attempts, outbox.c.due_us, outbox.c.created_us,
        outbox.c.last_reply,
    )  # fmt: skip
    statement = select(*columns).where(outbox.c.state.in_(_OPEN))
    return list(connection.execute(statement.order_by(outbox.c.id.desc()).limit(limit)))


def address_hash(hash_key: bytes, address: str) -> str:
    """Return the keyed hash by which the record names an address."""
    return hmac.new(hash_key, b"address\x00" + address.lower().encode("utf-8"), hashlib.sha256).hexdigest()


# `state = 0` stands in the text: as a parameter it would keep the partial index from being used.
_DUE = (
    select(outbox, person.c.language, person.c.wants_link, person.c.ended_us, case.c.reference.label("case_reference"))
    .select_from(outbox.join(person, person.c.id == outbox.c.person_id).outerjoin(case, case.c.id == outbox.c.case_id))
    .where(text("outbox.state = 0"), outbox.c.due_us <= bindparam("now"))
    .order_by(outbox.c.due_us, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=outbox, skip_locked=True)
)

_LEASE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        due_us=bindparam("until"),
        lease_until_us=bindparam("until"),
        attempts=outbox.c.attempts + 1,
        fields=bindparam("kept"),
    )
)


_OPEN = (OutboxState.WAITING.value, OutboxState.FAILED.value)


def _held(entry: Entry) -> ColumnElement[bool]:
    return and_(outbox.c.id == entry.id, outbox.c.state == 0, outbox.c.lease_until_us == entry.lease_us)


def _addresses(connection: Connection, people: Iterable[str], now_us: int) -> dict[str, list[str]]:
    statement = (
        select(person_address.c.person_id, person_address.c.address)
        .where(
            person_address.c.person_id.in_(list(people)),
            person_address.c.notify == 1,
            person_address.c.from_us <= now_us,
            or_(person_address.c.until_us.is_(None), person_address.c.until_us > now_us),
        )
        .order_by(person_address.c.id)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.person_id, []).append(row.address)
    return found


def _address_now(kept: object, known: list[str]) -> str | None:
    if isinstance(kept, str) and kept in known:
        return kept
    return known[0] if known else None


def _enter_further(tx: Transaction, row: Row[Any], fields: Mapping[str, Any], further: Iterable[str]) -> None:
    for address in further:
        put(
            tx,
            programme=row.programme,
            kind=NoticeKind(row.kind),
            person_id=row.person_id,
            case_id=row.case_id,
            message_id=row.message_id,
            fields={**fields, "address": address},
        )


def _entry(row: Row[Any], known: list[str], lease_us: int) -> tuple[dict[str, Any], Entry]:
    """Return a row's fields and its entry. Raises ValueError, TypeError or AttributeError for what we never wrote."""
    fields = dict(json.loads(row.fields).items())
    reference = fields.get("reference") or row.case_reference
    until_us = fields.get("until_us")
    return fields, Entry(
        id=row.id,
        programme=row.programme,
        kind=NoticeKind(row.kind),
        person_id=row.person_id,
        address=_address_now(fields.get("address"), known),
        language=row.language,
        wants_link=bool(row.wants_link),
        case_id=row.case_id,
        message_id=row.message_id,
        reference=parse(reference) if reference else None,
        count=int(fields.get("count", 1)),
        state=NoticeState(fields.get("state", NoticeState.NONE)),
        until=None if until_us is None else from_microseconds(until_us),
        refusal=str(fields.get("refusal", "")),
        kinds=tuple(filter(None, str(fields.get("kinds", "")).split(","))),
        attempts=row.attempts + 1,
        created=from_microseconds(row.created_us),
        lease_us=lease_us,
    )


def _put_aside(tx: Transaction, row_id: str) -> None:
    """End a row that cannot be read, so that it does not stand in the way of every other."""
    maillog.alarm("outbox", outbox.name, row_id)
    ended = {"state": OutboxState.FAILED.value, "settled_us": tx.now_us, "last_reply": "cannot be read"}
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(ended))
    tx.record("notice-failed", _NOTIFIER, outbox=row_id)


def _record(tx: Transaction, hash_key: bytes, entry: Entry, delivery: Delivery, state: OutboxState) -> None:
    outcome = {OutboxState.WAITING: "delayed", OutboxState.DELIVERED: "delivered", OutboxState.FAILED: "failed"}[state]
    tx.record(
        f"notice-{outcome}",
        _NOTIFIER,
        outbox=entry.id,
        notice=entry.kind.value,
        person=entry.person_id,
        case=entry.case_id,
        message=entry.message_id,
        address=address_hash(hash_key, entry.address) if entry.address else None,
        attempts=entry.attempts,
        code=delivery.code,
        enhanced=delivery.enhanced,
    )


def _tell_employees(tx: Transaction, authority: Ed25519PublicKey, entry: Entry, delivery: Delivery) -> None:
    """Tell the author of the message, when an employee, else everybody of the office in the case."""
    if entry.address is None:
        state = NoticeState.NO_ADDRESS
    else:
        refused = delivery.state is DeliveryState.FAILED
        state = NoticeState.ADDRESS_REFUSED if refused else NoticeState.GAVE_UP
    fields = {"state": state.value, **({"reference": str(entry.reference)} if entry.reference else {})}
    for person_id in sorted(_employees(tx, authority, entry)):
        put(
            tx,
            programme=entry.programme,
            kind=NoticeKind.DELIVERY_FAILED,
            person_id=person_id,
            case_id=entry.case_id,
            message_id=entry.message_id,
            fields=fields,
        )


def _employees(tx: Transaction, authority: Ed25519PublicKey, entry: Entry) -> set[str]:
    author = tx.one(
        select(message.c.author_id)
        .join(person, person.c.id == message.c.author_id)
        .where(message.c.id == entry.message_id, message.c.side == Side.OFFICE.value, person.c.ended_us.is_(None))
    )
    if author is not None:
        return {author.author_id}
    return office(tx.connection, authority, entry.case_id, tx.now_us) if entry.case_id else set()
