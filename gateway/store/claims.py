"""The claim: due rows of the outbox leased, one notification made of several where that is right.

A claim moves a row's due time to the end of the lease, so that nothing is locked and a program that dies loses nothing:
the row comes due again, with the same id and so the same Message-ID. The person's address is taken at the claim and
kept with the row; the record has only its keyed hash.

The first notice of its topic goes at once. Those that come within the programme's `merge_seconds` after it wait until
these are over, and go as one, with their number: all of it in the claim's own transaction. Claims take turns, so that
two notifiers do not both take the first of something.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, and_, bindparam, func, literal_column, or_, select, text, update

from gateway import maillog
from gateway.domain.clock import from_microseconds
from gateway.domain.notice import MAX_COUNT, NoticeKind, NoticeState
from gateway.domain.reference import Reference, parse
from gateway.domain.timing import Timing, topic_of
from gateway.failpoints import failpoint
from gateway.store import statements
from gateway.store.authority import AuthorityKey
from gateway.store.cases import standings
from gateway.store.outbox import NOTIFIER, Entry, OutboxState, put, record_withheld
from gateway.store.reach import Reachable, reachable
from gateway.store.reminders import owed, paces, set_paces, take_turns
from gateway.store.tables import case, confirmation, outbox, person
from gateway.store.transaction import Transaction
from gateway.store.unopened import still_unopened

SECOND_US = 1_000_000
_ALONE: Mapping[str, Timing] = MappingProxyType({})
Topic = tuple[str, str, str]
"""Programme, person, and what their notices are told together by."""


@dataclass(slots=True)
class _Taken:
    """A due row on its way to being leased, with its fields as they will be kept."""

    row: Row[Any]
    kind: NoticeKind
    fields: dict[str, Any]
    topic: Topic | None
    joined: int = field(default=0)


def claim(
    tx: Transaction,
    lease_us: int,
    limit: int,
    timings: Mapping[str, Timing] = _ALONE,
    authority: AuthorityKey | None = None,
) -> list[Entry]:
    """Lease up to `limit` due rows for `lease_us` microseconds, the longest due first.

    `timings` by programme say what is told together; where a programme is not named, each row is told alone. A person
    with several addresses gets a row for each: the further ones are entered here and come due at once. With the
    `authority` key nobody is reminded who has lost their place in the case.
    """
    take_turns(tx)
    entries: list[Entry] = []
    while not entries and (rows := tx.all(_DUE, {"now": tx.now_us, "most": limit})):
        entries = _lease(tx, rows, tx.now_us + lease_us, timings, authority)
    if entries:
        failpoint("outbox.claim")
    return entries


def _lease(
    tx: Transaction,
    rows: Iterable[Row[Any]],
    until: int,
    timings: Mapping[str, Timing],
    authority: AuthorityKey | None,
) -> list[Entry]:
    taken = [one for row in rows if (one := _read(tx, row, timings)) is not None]
    going = _in_pace(tx, _drop_opened(tx, _drop_unowed(tx, taken, authority)), timings)
    addresses = reachable(tx.connection, {one.row.person_id for one in going}, tx.now_us)
    entries: list[Entry] = []
    for one in going:
        known = _known(one.row, addresses)
        try:
            entry = _entry(one, known, until)
        except (ValueError, TypeError, AttributeError):
            _put_aside(tx, one.row.id)
            continue
        if "address" not in one.fields:
            _enter_further(tx, one, known[1:])
        if entry.address:
            one.fields["address"] = entry.address
        entries.append(entry)
    leased = {entry.id for entry in entries}
    leases = [
        {"row": one.row.id, "until": until, "kept": json.dumps(one.fields)} for one in going if one.row.id in leased
    ]
    if leases:
        tx.flush()
        statements.run_all(tx.connection, _LEASE, leases)
    return entries


def _read(tx: Transaction, row: Row[Any], timings: Mapping[str, Timing]) -> _Taken | None:
    try:
        fields = dict(json.loads(row.fields).items())
        kind = NoticeKind(row.kind)
    except (ValueError, TypeError, AttributeError):
        _put_aside(tx, row.id)
        return None
    timing = timings.get(row.programme)
    together = timing is not None and timing.tells_together(kind) and _is_new(row)
    topic = topic_of(kind, row.case_id) if together else None
    return _Taken(row, kind, fields, None if topic is None else (row.programme, row.person_id, topic))


def _is_new(row: Row[Any]) -> bool:
    """Neither tried before nor for a further address of what was."""
    return row.attempts == 0 and row.lead_id is None


def _in_pace(tx: Transaction, taken: Iterable[_Taken], timings: Mapping[str, Timing]) -> list[_Taken]:
    """Return what goes now: of each topic the first, with the others joined to it; none where one was just told."""
    taken = list(taken)
    told = paces(tx, {one.row.person_id for one in taken if one.topic})
    leads: dict[Topic, _Taken] = {}
    later: dict[Topic, int | ColumnElement[int]] = {}
    going: list[_Taken] = []
    for one in taken:
        if one.topic is None:
            going.append(one)
        elif one.topic not in leads and one.topic not in later:
            last = told.get(one.topic[1:])
            wait = _waits_until(timings[one.topic[0]], one.row, None if last is None else last.told_us, tx.now_us)
            if wait is None:
                leads[one.topic] = one
                going.append(one)
            else:
                later[one.topic] = wait
    for topic, wait in later.items():
        tx.execute(update(outbox).where(_new_of(topic), outbox.c.due_us < wait).values(due_us=wait))
    if leads:
        _join(tx, leads)
        set_paces(tx, [topic[1:] for topic in leads])
    return going


def _waits_until(timing: Timing, row: Row[Any], told_us: int | None, now_us: int) -> int | ColumnElement[int] | None:
    """Return until when each notice of a topic waits for others, None where this one goes now.

    A clock set back makes none wait.
    """
    if told_us is not None and told_us <= now_us < told_us + timing.merge_seconds * SECOND_US:
        return told_us + timing.merge_seconds * SECOND_US
    if row.created_us <= now_us < row.created_us + timing.hold_seconds * SECOND_US:
        return outbox.c.created_us + timing.hold_seconds * SECOND_US
    return None


def _join(tx: Transaction, leads: Mapping[Topic, _Taken]) -> None:
    """Join to each lead all that is told with it, and let its fields say how many, and which case if it is one."""
    found: dict[Topic, dict[str | None, int]] = {}
    for row in tx.all(_NEW, {"people": sorted({topic[1] for topic in leads})}):
        word = topic_of(NoticeKind(row.kind), row.case_id)
        if word is not None:
            found.setdefault((row.programme, row.person_id, word), {})[row.case_id] = row.many
    for topic, lead in leads.items():
        cases = found.get(topic, {})
        if sum(cases.values()) < 2:
            continue
        joining = update(outbox).where(_new_of(topic), outbox.c.id != lead.row.id)
        lead.joined = tx.execute(joining.values(state=OutboxState.JOINED.value, lead_id=lead.row.id))
        lead.fields["joined"] = lead.joined
        lead.fields["count"] = min(lead.joined + 1, MAX_COUNT)
        lead.fields["thread"] = lead.fields.get("reference", "") if len(cases) == 1 else ""
        lead.fields["reference"] = lead.row.case_reference if len(cases) == 1 else ""
        failpoint("outbox.join")


def _new_of(topic: Topic) -> ColumnElement[bool]:
    """Tell the rows of a topic that wait and were never tried."""
    programme, person_id, word = topic
    kind, _, case_id = word.partition(":")
    conditions = [
        outbox.c.person_id == person_id, outbox.c.state == 0, outbox.c.programme == programme, outbox.c.kind == kind,
        outbox.c.attempts == 0, outbox.c.lead_id.is_(None),
    ]  # fmt: skip
    if case_id:
        conditions.append(outbox.c.case_id == case_id)
    return and_(*conditions)


def _drop_unowed(tx: Transaction, taken: list[_Taken], authority: AuthorityKey | None) -> list[_Taken]:
    """End reminders of what is owed no more, those in wait beside these too; return the rows that are left."""
    people = {one.row.person_id for one in taken if _is_reminder(one)}
    if not people:
        return taken
    found = tx.all(_REMINDERS, {"people": sorted(people), "now": tx.now_us})
    due = {row.id for row in found if row.state == OutboxState.WAITING.value}
    rows = [row for row in found if row.id in due or row.lead_id in due]
    left = owed(tx.connection, {row.message_id for row in rows}, people)
    cases = {row.case_id for row in rows}
    if authority is not None:
        places = {one: set(standings(tx.connection, authority, cases, one, tx.now_us)) for one in people}
    else:
        places = dict.fromkeys(people, cases)
    kept = {row.id for row in rows if (row.message_id, row.person_id) in left and row.case_id in places[row.person_id]}
    kept |= {row.lead_id for row in rows if row.id in kept and row.lead_id}
    ended = {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": tx.now_us}
    for row in rows:
        if row.id not in kept and row.lead_id not in kept:
            tx.execute(update(outbox).where(outbox.c.id == row.id).values(ended))
            record_withheld(tx, row.id, NoticeKind.REMINDER, row.person_id)
    return [one for one in taken if not _is_reminder(one) or one.row.id in kept]


def _drop_opened(tx: Transaction, taken: list[_Taken]) -> list[_Taken]:
    """End notices of a reply that nobody has opened, where somebody has meanwhile; return the rows that are left."""
    asked = [one for one in taken if one.kind is NoticeKind.UNOPENED and "sample" not in one.fields]
    waiting = still_unopened(tx, {one.row.message_id for one in asked})
    over = [one.row for one in asked if one.row.message_id not in waiting]
    ended = {"state": OutboxState.WITHHELD.value, "lease_until_us": None, "settled_us": tx.now_us}
    for row in over:
        tx.execute(update(outbox).where(outbox.c.id == row.id).values(ended))
        record_withheld(tx, row.id, NoticeKind.UNOPENED, row.person_id)
    dropped = {row.id for row in over}
    return [one for one in taken if one.row.id not in dropped]


def _is_reminder(one: _Taken) -> bool:
    return one.row.kind == NoticeKind.REMINDER.value and "sample" not in one.fields


def _known(row: Row[Any], addresses: Mapping[str, list[Reachable]]) -> list[str]:
    """Return the addresses that a notice may go to: nobody who has left is written to, nor reminded where unwanted."""
    if row.ended_us is not None:
        return []
    is_reminder = row.kind == NoticeKind.REMINDER.value
    return [one.address for one in addresses.get(row.person_id, ()) if one.takes_reminders or not is_reminder]


def _address_now(kept: object, known: list[str]) -> str | None:
    if isinstance(kept, str) and kept in known:
        return kept
    return known[0] if known else None


def _enter_further(tx: Transaction, one: _Taken, further: Iterable[str]) -> None:
    for address in further:
        put(
            tx,
            programme=one.row.programme,
            kind=one.kind,
            person_id=one.row.person_id,
            case_id=one.row.case_id,
            message_id=one.row.message_id,
            fields={**one.fields, "address": address},
            lead_id=one.row.id,
        )


def _entry(one: _Taken, known: list[str], lease_us: int) -> Entry:
    """Return a row's entry. Raises ValueError, TypeError or AttributeError for what we never wrote."""
    row, fields = one.row, one.fields
    reference = fields.get("reference", row.case_reference)
    until_us = fields.get("until_us")
    return Entry(
        id=row.id,
        programme=row.programme,
        kind=one.kind,
        person_id=row.person_id,
        address=_address_now(fields.get("address"), known),
        language=row.language,
        zone=row.time_zone or "",
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
        joined=int(fields.get("joined", 0)),
        lead_id=row.lead_id,
        sample=str(fields.get("sample", "")),
        thread=_thread_in(fields),
        team_id=str(fields.get("team", "")),
        reads=int(fields.get("reads", 0)),
        asked=bytes(row.asked or b""),
        report=str(fields.get("report", "")),
    )


def _thread_in(fields: Mapping[str, Any]) -> Reference | None:
    """Return the message whose thread a notice is of, where it names one. Raises ValueError."""
    named = fields.get("thread", fields.get("reference"))
    found = parse(named) if named else None
    return found if found is not None and found.message else None


def _put_aside(tx: Transaction, row_id: str) -> None:
    """End a row that cannot be read, so that it does not stand in the way of every other."""
    maillog.alarm("outbox", outbox.name, row_id)
    ended = {"state": OutboxState.FAILED.value, "settled_us": tx.now_us, "last_reply": "cannot be read"}
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(ended))
    tx.record("notice-failed", NOTIFIER, outbox=row_id)


# `state = 0` stands in the text: as a parameter it would keep the partial index from being used.
_DUE = (
    select(
        outbox,
        person.c.language,
        person.c.wants_link,
        person.c.time_zone,
        person.c.ended_us,
        case.c.reference.label("case_reference"),
        confirmation.c.sealed.label("asked"),
    )
    .select_from(
        outbox.join(person, person.c.id == outbox.c.person_id)
        .outerjoin(case, case.c.id == outbox.c.case_id)
        .outerjoin(
            confirmation,
            and_(confirmation.c.message_id == outbox.c.message_id, confirmation.c.person_id == outbox.c.person_id),
        )
    )
    .where(text("outbox.state = 0"), outbox.c.due_us <= bindparam("now"))
    .order_by(outbox.c.due_us, outbox.c.id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=outbox, skip_locked=True)
)

_NEW = (
    select(outbox.c.person_id, outbox.c.programme, outbox.c.kind, outbox.c.case_id, func.count().label("many"))
    .where(
        outbox.c.person_id.in_(bindparam("people", expanding=True)),
        outbox.c.state == 0,
        outbox.c.attempts == 0,
        outbox.c.lead_id.is_(None),
    )
    .group_by(outbox.c.person_id, outbox.c.programme, outbox.c.kind, outbox.c.case_id)
)

_REMINDERS = select(
    outbox.c.id, outbox.c.person_id, outbox.c.message_id, outbox.c.case_id, outbox.c.lead_id, outbox.c.state
).where(
    outbox.c.person_id.in_(bindparam("people", expanding=True)),
    outbox.c.kind == NoticeKind.REMINDER.value,
    ~outbox.c.fields.contains('"sample"'),
    or_(
        and_(outbox.c.state == OutboxState.WAITING.value, outbox.c.due_us <= bindparam("now")),
        outbox.c.state == OutboxState.JOINED.value,
    ),
)

_LEASE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row"))
    .values(
        due_us=bindparam("until"),
        lease_until_us=bindparam("until"),
        attempts=outbox.c.attempts + literal_column("1"),
        fields=bindparam("kept"),
    )
)
