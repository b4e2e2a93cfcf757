"""The verb of reminding, whole or not at all: who owes a reading is reminded, employees hear of what nobody has read.

Reminders go to each recipient of the other side who may read and has not, at the programme's times, one for all that
waits, outside of quiet hours. They stop where a message is opened (`casework.openings`): a person who may act stops
everybody's, one who may only see their own. A reading is looked at when its time has come, and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Row

from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.rights import Side
from gateway.domain.timing import Timing, day_after, zone_of
from gateway.failpoints import failpoint
from gateway.store.cases import standings
from gateway.store.outbox import put
from gateway.store.reminders import (
    count_reminder,
    due_readings,
    look_again,
    owed,
    paces,
    readings_of,
    take_turns,
    told_unread,
)
from gateway.store.settlements import concerned
from gateway.store.transaction import Transaction

AT_ONCE = 200
_INSTANT = timedelta(microseconds=1)
_REMINDER = NoticeKind.REMINDER


@dataclass(frozen=True, slots=True)
class Reading:
    """One message that one person has to read, as it is looked at; `since` is when they were told that it waits."""

    row_id: str
    message_id: str
    case_id: str
    reference: str
    person_id: str
    since: datetime
    reminded: int
    programme: Programme
    zone: ZoneInfo

    @property
    def timing(self) -> Timing:
        """What the programme sets."""
        return self.programme.timing

    @property
    def unread_at(self) -> datetime | None:
        """When the employee is told, if it is not read by then."""
        return self.timing.unread_at(self.since, self.programme.zone)

    def next_look(self, reminded: int, after: datetime) -> datetime | None:
        """Return when to look again after so many reminders, None for never."""
        times = (self.timing.reminder_at(self.since, reminded, self.zone), self.unread_at)
        return min((at for at in times if at is not None and at > after), default=None)


def plan_reminders(
    tx: Transaction, authority: Ed25519PublicKey, programmes: Mapping[str, Programme], at_once: int = AT_ONCE
) -> int:
    """Look at up to `at_once` readings whose time has come, and return how many that were.

    Notices are entered in the outbox, each reading gets the time of its next look, all in this transaction.
    """
    take_turns(tx)
    rows = due_readings(tx, at_once)
    now = from_microseconds(tx.now_us)
    live = _owed(tx, rows)
    readings = [one for row in rows if (one := _reading(row, programmes, live)) is not None]
    known = {one.row_id for one in readings}
    over = [{"row": row.id, "reminded_so_far": row.reminded, "again": None} for row in rows if row.id not in known]
    look_again(tx, over)
    _tell_unread(tx, authority, readings, now)
    by_person: dict[str, list[Reading]] = {}
    for one in readings:
        by_person.setdefault(one.person_id, []).append(one)
    for person_id, of_person in sorted(by_person.items()):
        _remind(tx, authority, programmes, person_id, of_person)
    failpoint("reminders.plan")
    return len(rows)


def _remind(
    tx: Transaction,
    authority: Ed25519PublicKey,
    programmes: Mapping[str, Programme],
    person_id: str,
    due: list[Reading],
) -> None:
    """Remind one person of all that is due until their day is over, or put it off; write when to look again."""
    now, zone, timing = from_microseconds(tx.now_us), due[0].zone, due[0].timing
    today = now.astimezone(zone).date()
    midnight = day_after(today, zone)
    wanted = [one for one in due if _is_meant_by(one, now)]
    looks = {one.row_id: (one.reminded, one.next_look(one.reminded, now)) for one in due}
    pace = paces(tx, [person_id]).get((person_id, _REMINDER.value))
    told_today = pace.times if pace is not None and pace.day == today.isoformat() else 0
    quiet_over = timing.quiet.over(now, zone)
    if wanted and (quiet_over is not None or told_today >= timing.reminders_a_day):
        later = quiet_over or timing.quiet.over(midnight, zone) or midnight
        looks |= {one.row_id: (one.reminded, later) for one in wanted}
    elif wanted:
        others = _readings_of(tx, person_id, programmes)
        wanted += [one for one in others if one.row_id not in looks and _is_meant_by(one, midnight)]
        if _tell_person(tx, authority, person_id, wanted):
            count_reminder(tx, person_id, today.isoformat(), told_today + 1)
        for one in wanted:
            so_far = one.timing.reminders_by(one.since, midnight, zone)
            looks[one.row_id] = (so_far, one.next_look(so_far, now))
    look_again(
        tx,
        (
            {"row": row_id, "reminded_so_far": so_far, "again": None if again is None else to_microseconds(again)}
            for row_id, (so_far, again) in looks.items()
        ),
    )


def _tell_person(tx: Transaction, authority: Ed25519PublicKey, person_id: str, wanted: Iterable[Reading]) -> bool:
    """Enter a reminder for each message that the person may still read; they go out as one. False for none."""
    wanted = sorted(wanted, key=lambda one: one.since)
    places = standings(tx.connection, authority, {one.case_id for one in wanted}, person_id, tx.now_us)
    told = False
    for one in wanted:
        place = places.get(one.case_id)
        if place is None or place.side is not Side.CORRESPONDENT or _REMINDER not in one.programme.notices:
            continue
        fields: dict[str, str | int] = {"reference": one.reference}
        if one.unread_at is not None and to_microseconds(one.unread_at) > tx.now_us:
            fields["until_us"] = to_microseconds(one.unread_at - _INSTANT)
        _put(tx, one, _REMINDER, person_id, fields)
        told = True
    return told


def _tell_unread(tx: Transaction, authority: Ed25519PublicKey, readings: Iterable[Reading], now: datetime) -> None:
    """Tell the employees concerned of each message whose day has passed, once."""
    late = {
        one.message_id: (one, one.unread_at) for one in readings if one.unread_at is not None and one.unread_at <= now
    }
    told = told_unread(tx, late) if late else set()
    for message_id, (one, unread_at) in late.items():
        if message_id in told or NoticeKind.NOT_READ not in one.programme.notices:
            continue
        fields: dict[str, str | int] = {"reference": one.reference, "until_us": to_microseconds(unread_at - _INSTANT)}
        for person_id in sorted(concerned(tx, authority, message_id, one.case_id)):
            _put(tx, one, NoticeKind.NOT_READ, person_id, fields)


def _put(tx: Transaction, one: Reading, kind: NoticeKind, person_id: str, fields: Mapping[str, str | int]) -> None:
    put(
        tx,
        programme=one.programme.key,
        kind=kind,
        person_id=person_id,
        case_id=one.case_id,
        message_id=one.message_id,
        fields=fields,
    )


def _is_meant_by(one: Reading, by: datetime) -> bool:
    at = one.timing.reminder_at(one.since, one.reminded, one.zone)
    return at is not None and at <= by


def _owed(tx: Transaction, rows: Iterable[Row[Any]]) -> set[tuple[str, str]]:
    rows = list(rows)
    return owed(tx.connection, {row.message_id for row in rows}, {row.person_id for row in rows})


def _readings_of(tx: Transaction, person_id: str, programmes: Mapping[str, Programme]) -> list[Reading]:
    rows = readings_of(tx, person_id)
    live = _owed(tx, rows)
    return [one for row in rows if (one := _reading(row, programmes, live)) is not None]


def _reading(row: Row[Any], programmes: Mapping[str, Programme], live: set[tuple[str, str]]) -> Reading | None:
    """Return a reading, None where nothing is owed or the programme is not run here."""
    programme = programmes.get(row.programme)
    if programme is None or (row.message_id, row.person_id) not in live:
        return None
    return Reading(
        row_id=row.id,
        message_id=row.message_id,
        case_id=row.case_id,
        reference=row.reference,
        person_id=row.person_id,
        since=from_microseconds(max(row.received_us, row.told_us or 0)),
        reminded=row.reminded,
        programme=programme,
        zone=zone_of(row.time_zone, programme.zone),
    )
