"""The verb of confirming, whole or not at all: authors are told by mail what became of their own messages.

A message is confirmed as its author chose, told of when it is first read and when all have read it; who chose a daily
digest is told in numbers, once a day. Beside that their mail tool gets the reports that it asked for: one for each
recipient and outcome, and a receipt when somebody has opened. That a notice was not delivered is told by the settlement
itself, whatever was chosen. What has been told is written down in the same transaction, so that a kill repeats nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row

from gateway import maillog
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.confirmation import Action, Asked, AskedRecipient, Wish
from gateway.domain.errors import Tampered
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.programme import Programme
from gateway.domain.rights import Side
from gateway.domain.timing import zone_of
from gateway.failpoints import failpoint
from gateway.store.cases import standing
from gateway.store.confirmations import due, looked_at, notices_of, open_asked, readers
from gateway.store.outbox import OutboxState, put
from gateway.store.reminders import take_turns
from gateway.store.tables import confirmation
from gateway.store.transaction import Transaction

AT_ONCE: Final = 200
LATE_US: Final = 4 * 3600 * 1_000_000
"""A notice that was tried and waits for longer is reported as delayed, where that was asked (RFC 3461 section 6.4)."""
_STATES: Final = {
    Action.DELIVERED: NoticeState.HOST_ACCEPTED,
    Action.DELAYED: NoticeState.HOST_DELAYED,
    Action.FAILED: NoticeState.HOST_REFUSED,
}
Told = dict[str, Any]
"""What has been told: `filed`, `read` (how many), `seen` (a receipt), `next` (the digest to come, an instant), and by
the place of a recipient of whom reports are asked, its last action."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One message as it is looked at: the row, what was asked, how many it was for, how many of these are of the other
    side, and when these have read it.
    """

    row: Row[Any]
    asked: Asked
    programme: Programme
    people: int
    others: int
    read_us: tuple[int, ...]

    @property
    def wish(self) -> Wish:
        """Which confirmations its author chose when it came."""
        return Wish(self.row.wish)

    @property
    def reads(self) -> int:
        """How many of the other side have opened it."""
        return len(self.read_us)


def plan_confirmations(
    tx: Transaction,
    authority: Ed25519PublicKey,
    key: bytes,
    programmes: Mapping[str, Programme],
    at_once: int = AT_ONCE,
) -> int:
    """Look at some `at_once` messages of which there is news, and return how many that were.

    `key` opens what was asked. Notices are entered in the outbox, and what has been told, in this transaction.
    """
    take_turns(tx)
    rows = due(tx, at_once)
    digests: dict[tuple[str, str], list[tuple[Looked, Told]]] = {}
    looks: list[tuple[str, Told, int | None]] = []
    for row in rows:
        one = _looked(tx, authority, key, programmes, row)
        told: Told = json.loads(row.told)
        if one is None:
            looks.append((row.message_id, told, None))
            continue
        if one.wish in (Wish.EACH, Wish.FIRST):
            _confirm(tx, one, told)
        elif one.wish is Wish.DAILY and _is_digest_due(tx, one, told):
            digests.setdefault((row.person_id, row.programme), []).append((one, told))
        _receipt(tx, one, told)
        again_us = _reports(tx, one, told)
        looks.append((row.message_id, told, min(filter(None, (told.get("next"), again_us)), default=None)))
    for of_person in digests.values():
        _digest(tx, of_person)
    for message_id, told, again_us in looks:
        looked_at(tx, message_id, told, again_us)
    if rows:
        failpoint("confirmations.plan")
    return len(rows)


def _looked(
    tx: Transaction, authority: Ed25519PublicKey, key: bytes, programmes: Mapping[str, Programme], row: Row[Any]
) -> Looked | None:
    """Return a message with what is known of it; None where nobody is told of it any more."""
    programme = programmes.get(row.programme)
    place = standing(tx.connection, authority, row.case_id, row.person_id, tx.now_us)
    if programme is None or place is None or row.ended_us is not None or row.withdrawn_us is not None:
        return None
    if row.guard is not None:  # it is news again when the guard has let it go
        return None
    try:
        asked = open_asked(key, row.message_id, bytes(row.sealed))
    except Tampered:
        maillog.alarm("confirmation", confirmation.name, row.message_id)
        return None
    found = readers(tx, row.message_id)
    others = [one for one in found if one.side != Side.OFFICE.value]
    read = sorted(one.first_read_us for one in others if one.first_read_us is not None)
    return Looked(row, asked, programme, len(found), len(others), tuple(read))


def _confirm(tx: Transaction, one: Looked, told: Told) -> None:
    """Tell that it was filed, when it was first read, and when all have read it."""
    if "filed" not in told:
        told["filed"] = 1
        _put(tx, one, NoticeKind.CONFIRMATION, count=one.people, until_us=one.row.held_until_us)
    before = int(told.get("read", 0))
    if one.reads > before and (before == 0 or one.reads == one.others):
        told["read"] = one.reads
        _put(tx, one, NoticeKind.MESSAGE_READ, count=one.others, reads=one.reads, until_us=one.read_us[0])


def _receipt(tx: Transaction, one: Looked, told: Told) -> None:
    """Tell the mail tool that asked by Disposition-Notification-To, once (RFC 8098 section 2.1)."""
    if one.asked.wants_displayed and one.reads and "seen" not in told:
        told["seen"] = 1
        _put(tx, one, NoticeKind.READ_RECEIPT, until_us=one.read_us[0])


def _reports(tx: Transaction, one: Looked, told: Told) -> int | None:
    """Report what became of recipients of whom that was asked; return when to look for delays, None for never."""
    if not one.asked.recipients:
        return None
    rows = notices_of(tx, one.row.message_id)
    since_us = max(one.row.received_us, one.row.held_until_us or 0, *(row.created_us for row in rows))
    new: dict[Action, list[str]] = {}
    waits = False
    for place, asked in enumerate(one.asked.recipients):
        action = _action(asked, rows, is_late=tx.now_us >= since_us + LATE_US)
        known = told.get(str(place))
        waits = waits or (action is None and known is None and Action.DELAYED.asked_by in asked.notify)
        if action is None or action == known or (action is Action.DELAYED and known):
            continue
        told[str(place)] = action.value
        if action.asked_by in asked.notify:
            new.setdefault(action, []).append(str(place))
    for action, places in sorted(new.items()):
        report = f"{action.value}:{','.join(places)}"
        state = _STATES[action].value
        _put(tx, one, NoticeKind.DELIVERY_REPORT, report=report, state=state, until_us=one.row.received_us)
    return since_us + LATE_US if waits and tx.now_us < since_us + LATE_US else None


def _action(asked: AskedRecipient, rows: Iterable[Row[Any]], *, is_late: bool) -> Action | None:
    """Return what became of one recipient, who may stand for several people: one who is reached is enough."""
    mine = [row for row in rows if row.person_id in asked.people]
    states = {OutboxState(row.state) for row in mine}
    if OutboxState.DELIVERED in states:
        return Action.DELIVERED
    if states == {OutboxState.FAILED}:
        return Action.FAILED
    is_tried = any(row.attempts and row.state == OutboxState.WAITING.value for row in mine)
    return Action.DELAYED if is_late and is_tried else None


def _is_digest_due(tx: Transaction, one: Looked, told: Told) -> bool:
    """Tell whether this is the time for a digest that tells of it; note the time, where there is something to tell."""
    has_news = "filed" not in told or (one.reads > 0 and "read" not in told)
    if not has_news:
        return False
    next_us = to_microseconds(_next_digest(one, from_microseconds(tx.now_us)))
    told["next"] = min(told.get("next", next_us), next_us)  # a clock that was ahead put it off
    if told["next"] > tx.now_us:
        return False
    del told["next"]
    return True


def _next_digest(one: Looked, now: datetime) -> datetime:
    return one.programme.timing.digest_after(now, zone_of(one.row.time_zone, one.programme.zone))


def _digest(tx: Transaction, of_person: list[tuple[Looked, Told]]) -> None:
    """Tell one person in numbers; the messages of a digest are of several threads, so it stands in none."""
    filed = read = 0
    for one, told in of_person:
        filed += "filed" not in told
        read += one.reads > 0 and "read" not in told
        told["filed"] = 1
        if one.reads:
            told["read"] = one.reads
    first = of_person[0][0]
    put(
        tx,
        programme=first.programme.key,
        kind=NoticeKind.DAILY_DIGEST,
        person_id=first.row.person_id,
        fields={"count": filed, "reads": read, "address": first.asked.sender},
    )


def _put(tx: Transaction, one: Looked, kind: NoticeKind, **fields: str | int | None) -> None:
    put(
        tx,
        programme=one.programme.key,
        kind=kind,
        person_id=one.row.person_id,
        case_id=one.row.case_id,
        message_id=one.row.message_id,
        fields={
            "reference": one.row.reference,
            "address": one.asked.sender,
            **{name: value for name, value in fields.items() if value is not None},
        },
    )
