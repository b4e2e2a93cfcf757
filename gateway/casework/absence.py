"""Verbs about who stands in for an employee who is absent. See `gateway.casework.administration`.

From the first day to the last, days of the programme's zone, the deputy stands where the absent employee does. The rows
say from when until when, and nobody has to end them. There are no chains: who stands in for a deputy reads nothing of
the first one's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, select

from gateway.casework.act import Act
from gateway.domain.clock import from_microseconds, to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.rights import Side, is_employed
from gateway.domain.timing import DAY, day_after
from gateway.store import tables
from gateway.store.absences import supervisors_of
from gateway.store.authority import genuine
from gateway.store.outbox import put
from gateway.store.people import teams_of
from gateway.store.places import roles_of

MOST_DAYS: Final = 366
_TABLE: Final = tables.absence


def add_absence(act: Act, *, person: str, deputy: str, from_day: str, until_day: str) -> dict[str, Any]:
    """Let a deputy stand in for an employee from one day to another, both included (`2027-01-31`).

    An employee names a member of a team of theirs; whoever administers, anybody: then the absent one is told
    as the deputy is. `stands_in_for` of what is returned counts the absences of these days in which the employee was to
    be the deputy: they go on, and those employees' supervisors are told. Raises Malformed for days that are over, too
    many, or taken, and NotAllowed.
    """
    absent, other = act.person(person, Side.OFFICE), act.person(deputy, Side.OFFICE)
    from_us, until_us = _span(act, absent, from_day, until_day)
    if absent.id == other.id:
        raise Malformed("Nobody is their own deputy. Name a colleague.")
    _require_deputy(act, absent, other)
    if _in_these_days(act, from_us, until_us, person_id=absent.id):
        raise Malformed("There is an absence in these days already. End that one first.")
    if _in_these_days(act, from_us, until_us, person_id=other.id):
        raise Malformed("That colleague is absent in these days, too. Name another deputy.")
    place = {"person_id": absent.id, "deputy_id": other.id}
    given = act.give(_TABLE, **place, from_us=from_us, until_us=until_us)
    act.record("absence_entered", absence=given, **place, from_us=from_us, until_us=until_us)
    _tell(act, absent.programme, {other.id}, NoticeState.DEPUTY_NAMED)
    _tell(act, absent.programme, {absent.id}, NoticeState.DEPUTY_FOR_YOU)
    left_alone = _in_these_days(act, from_us, until_us, deputy_id=absent.id)
    _tell_supervisors(act, absent.programme, left_alone, NoticeState.DEPUTY_ABSENT)
    return {"absence": given, "from_us": from_us, "until_us": until_us, "stands_in_for": len(left_alone)}


def end_absence(act: Act, *, person: str, absence: str | None = None) -> dict[str, Any]:
    """End an absence of an employee now, or take back one to come: that with this id, or all."""
    absent = act.person(person, Side.OFFICE)
    rows = [row for row in act.not_ended(_TABLE, person_id=absent.id) if absence in (None, row.id)]
    ended = act.end(_TABLE, rows)
    act.record("absence_ended", person=absent.id, absences=sorted(str(row.id) for row in rows))
    _tell(act, absent.programme, {row.deputy_id for row in rows}, NoticeState.DEPUTY_ENDED)
    return {"ended": ended}


def end_absences_of(act: Act, person: Row[Any]) -> None:
    """End those of somebody who leaves, and those in which they are the deputy; supervisors hear of the latter."""
    act.end(_TABLE, act.not_ended(_TABLE, person_id=person.id))
    left_alone = act.not_ended(_TABLE, deputy_id=person.id)
    act.end(_TABLE, left_alone)
    _tell_supervisors(act, person.programme, left_alone, NoticeState.DEPUTY_LEFT)


def end_absences_apart(act: Act, person_id: str, programme: str, teams: Collection[str]) -> int:
    """End those that somebody who is of these teams no more has with a member of one, where they share no other now.

    Both are told, and supervisors where it is the deputy who goes. Returns how many ended.
    """
    act.tx.flush()
    connection, key, now_us = act.tx.connection, act.authority.key, act.tx.now_us
    mine, ended = teams_of(connection, key, person_id, now_us), 0
    rows = [*act.not_ended(_TABLE, person_id=person_id), *act.not_ended(_TABLE, deputy_id=person_id)]
    for row in genuine(_TABLE, rows, key):
        other = row.deputy_id if row.person_id == person_id else row.person_id
        theirs = teams_of(connection, key, other, now_us)
        if theirs.isdisjoint(teams) or not theirs.isdisjoint(mine):
            continue
        ended += act.end(_TABLE, [row])
        act.record("absence_ended", person=row.person_id, absences=[str(row.id)])
        _tell(act, programme, {row.deputy_id}, NoticeState.DEPUTY_ENDED)
        _tell(act, programme, {row.person_id}, NoticeState.DEPUTY_GONE)
        if row.deputy_id == person_id:
            _tell_supervisors(act, programme, [row], NoticeState.DEPUTY_LEFT)
    return ended


def hand_over_absences(act: Act, leaver: Row[Any], heir: Row[Any]) -> int:
    """Let an heir stand in where a leaver does, from now on; not for themselves, nor where they are absent then."""
    handed = 0
    for row in act.not_ended(_TABLE, deputy_id=leaver.id):
        begins_us = max(row.from_us, act.tx.now_us)
        if row.person_id == heir.id or _in_these_days(act, begins_us, row.until_us, person_id=heir.id):
            continue
        place = {"person_id": row.person_id, "deputy_id": heir.id}
        act.end(_TABLE, [row])
        given = act.give(_TABLE, **place, from_us=begins_us, until_us=row.until_us)
        act.record("absence_entered", absence=given, **place, from_us=begins_us, until_us=row.until_us)
        _tell(act, heir.programme, {heir.id}, NoticeState.DEPUTY_NAMED)
        _tell(act, heir.programme, {row.person_id}, NoticeState.DEPUTY_FOR_YOU)
        handed += 1
    return handed


def _span(act: Act, absent: Row[Any], from_day: str, until_day: str) -> tuple[int, int]:
    zone = act.programme(absent.programme).zone
    today = from_microseconds(act.tx.now_us).astimezone(zone).date()
    try:
        first, last = date.fromisoformat(from_day), date.fromisoformat(until_day)
    except ValueError:
        raise Malformed("A date is written as 2027-01-31.") from None
    if first > last:
        raise Malformed("The first day is after the last.")
    if first < today:
        raise Malformed("An absence begins today, or on a day to come.")
    if last - first >= DAY * MOST_DAYS or last >= date.max - DAY:
        raise Malformed(f"An absence has at most {MOST_DAYS} days.")
    begins_us = to_microseconds(day_after(first - DAY, zone))
    return max(begins_us, act.tx.now_us), to_microseconds(day_after(last, zone))


def _require_deputy(act: Act, absent: Row[Any], deputy: Row[Any]) -> None:
    """Raise NotAllowed for one who has no role now, of another programme, or, where one names them oneself, no team."""
    connection, key, now_us = act.tx.connection, act.authority.key, act.tx.now_us
    roles = roles_of(connection, key, [deputy.id]).get(deputy.id, ())
    if deputy.programme != absent.programme or not is_employed(roles, now_us):
        raise NotAllowed("That colleague cannot stand in: they have no rights here now.")
    shared = teams_of(connection, key, absent.id, now_us) & teams_of(connection, key, deputy.id, now_us)
    if not shared and not act.administers:
        raise NotAllowed("A deputy is a member of a team of yours. Ask the administrators for anybody else.")


def _in_these_days(act: Act, from_us: int, until_us: int, **columns: str) -> list[Row[Any]]:
    same = [_TABLE.c[name] == value for name, value in columns.items()]
    rows = act.tx.all(select(_TABLE).where(*same, _TABLE.c.from_us < until_us, _TABLE.c.until_us > from_us))
    return [row for row in genuine(_TABLE, rows, act.authority.key) if row.until_us > act.tx.now_us]


def _tell_supervisors(act: Act, programme: str, rows: Iterable[Row[Any]], state: NoticeState) -> None:
    people: set[str] = set()
    for row in rows:
        people |= supervisors_of(act.tx.connection, act.authority.key, row.person_id, act.tx.now_us)
    _tell(act, programme, people, state)


def _tell(act: Act, programme: str, people: set[str], state: NoticeState) -> None:
    known = act.programmes.get(programme)
    if known is None or NoticeKind.ABSENCE not in known.notices:
        return
    for person_id in sorted(people - {str(act.actor.person_id)}):
        fields = {"state": state.value}
        put(act.tx, programme=programme, kind=NoticeKind.ABSENCE, person_id=person_id, fields=fields)
