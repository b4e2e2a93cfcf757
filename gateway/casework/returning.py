"""The verb that takes somebody's leaving back, as far as that can be. See `gateway.casework.administration`.

What the leaving ended, and what the successor got by it, are the rows of the instant at which it was entered. A case or
a place in a team goes back where the successor still has what they got of it then, or had it before; where it has gone
on to others it stays there. Messages of theirs that still wait for a yes wait for theirs again. Nothing is taken out of
the record, and no credential, role but that of an employee, delegation or absence comes back.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Table, or_, select

from gateway.casework.absence import end_absences_apart
from gateway.casework.act import Act
from gateway.casework.guard_asking import tell_again
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.rights import Role, Side
from gateway.store import tables
from gateway.store.absences import predecessors_of
from gateway.store.authority import genuine
from gateway.store.guard import waits_of
from gateway.store.people import addresses_of, people_by_address, team_by_address

_NOBODY = "Nobody of that name has left here by handing over. Add them anew."


def readmit(act: Act, *, person: str) -> dict[str, Any]:
    """Let somebody who has left be an employee again, with the cases and places in teams that are still to be had.

    Returns how many went back, and how many had `moved` on. Raises NotAllowed for nobody who left so, Malformed where
    an address of theirs is somebody else's now.
    """
    leaver, left = _leaver(act, person)
    _require_addresses(act, leaver)
    act.tx.execute(tables.person.update().where(tables.person.c.id == leaver.id).values(ended_us=None))
    now_us = act.tx.now_us
    due_us = act.due_us(leaver.programme)
    role = {"person_id": leaver.id, "role": Role.EMPLOYEE.value, "from_us": now_us, "until_us": None, "due_us": due_us}
    act.give(tables.role, **role)
    cases, cases_moved = _take_back(act, left, tables.assignment, "case_id")
    teams, teams_moved = _take_back(act, left, tables.team_member, "team_id")
    act.end(tables.succession, [left])
    ended = {row.team_id for row in _rows(act, tables.team_member, person_id=leaver.id, until_us=left.from_us)}
    end_absences_apart(act, left.successor_id, leaver.programme, ended)
    act.tx.flush()
    connection, key = act.tx.connection, act.authority.key
    tell_again(act.tx, key, waits_of(connection, {leaver.id, *predecessors_of(connection, key, leaver.id, now_us)}))
    told = {"cases": cases, "teams": teams, "moved": cases_moved + teams_moved}
    act.record("employee_returned", person=leaver.id, successor=left.successor_id, **told)
    return {**told, "person": leaver.id, "successor": left.successor_id}


def _leaver(act: Act, known_as: str) -> tuple[Row[Any], Row[Any]]:
    """Return who has left, and the row that says to whom their work went."""
    person, left = tables.person, tables.succession
    named = or_(person.c.id == known_as, person.c.username == known_as.strip().lower())
    row = act.tx.one(select(person).where(named, person.c.ended_us.is_not(None), person.c.side == Side.OFFICE.value))
    if row is None or (not act.actor.is_operator and row.programme != act.actor.programme):
        raise NotAllowed(_NOBODY)
    given = select(left).where(left.c.person_id == row.id, left.c.until_us.is_(None))
    known = genuine(left, act.tx.all(given.order_by(left.c.from_us.desc())), act.authority.key)
    if not known:
        raise NotAllowed(_NOBODY)
    return row, known[0]


def _require_addresses(act: Act, leaver: Row[Any]) -> None:
    connection, now_us = act.tx.connection, act.tx.now_us
    for address in addresses_of(connection, [leaver.id], now_us).get(leaver.id, []):
        key = address.lower()
        if people_by_address(connection, key, now_us) or team_by_address(connection, key):
            raise Malformed("An address of theirs is somebody else's now. Add them anew, with another address.")


def _take_back(act: Act, left: Row[Any], table: Table, what: str) -> tuple[int, int]:
    """Give back the leaver's rows of a table where they are still to be had; return how many were, and were not."""
    back = moved = 0
    for row in _rows(act, table, person_id=left.person_id, until_us=left.from_us):
        thing = {what: getattr(row, what)}
        if table is tables.assignment and (row.purpose is not None or _is_closed(act, row.case_id)):
            continue
        given = _rows(act, table, person_id=left.successor_id, from_us=left.from_us, **thing)
        still = [one for one in given if one.until_us is None or one.until_us > act.tx.now_us]
        if given and not still:
            moved += 1
            continue
        act.end(table, still)
        before = _rows(act, table, person_id=left.successor_id, until_us=left.from_us, **thing) if still else []
        for one in (row, *before):
            again = {name: value for name, value in one._mapping.items() if name not in _OWN}
            act.give(table, **{**again, "from_us": act.tx.now_us, "until_us": None})
        back += 1
    return back, moved


def _rows(act: Act, table: Table, **columns: Any) -> list[Row[Any]]:
    same = [table.c[name] == value for name, value in columns.items()]
    return genuine(table, act.tx.all(select(table).where(*same).order_by(table.c.id)), act.authority.key)


def _is_closed(act: Act, case_id: str) -> bool:
    row = act.tx.one(select(tables.case.c.closed_us).where(tables.case.c.id == case_id))
    return row is None or row.closed_us is not None


_OWN = frozenset({"id", "version", "signature"})
