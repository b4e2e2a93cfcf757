"""Who stands in for whom now, and who goes on for whom: rows that give power, each checked before it counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Table, bindparam, or_, select

from gateway.store.authority import AuthorityKey, genuine
from gateway.store.memory import remembered
from gateway.store.tables import absence, assignment, person, succession, team_member

_NOW: BindParameter[Any] = bindparam("now")
_LISTED: BindParameter[Any] = bindparam("listed", expanding=True)


def _holding(table: Table) -> Any:
    return (table.c.from_us <= _NOW) & or_(table.c.until_us.is_(None), table.c.until_us > _NOW)


_TO = select(absence).where(absence.c.deputy_id == bindparam("person"), _holding(absence))
_FROM = select(absence).where(absence.c.person_id.in_(_LISTED), _holding(absence))
_LEFT = select(succession).where(succession.c.successor_id.in_(_LISTED), _holding(succession))
_WENT_TO = select(succession).where(succession.c.person_id.in_(_LISTED), _holding(succession))
_IN_CASE = select(assignment).where(
    assignment.c.case_id == bindparam("case"), assignment.c.purpose.is_(None), _holding(assignment)
)
_MEMBERS = (
    select(team_member)
    .join(person, person.c.id == team_member.c.person_id)
    .where(
        or_(team_member.c.team_id.in_(_LISTED), team_member.c.person_id.in_(bindparam("people", expanding=True))),
        person.c.ended_us.is_(None),
        _holding(team_member),
    )
)


def absences_to(connection: Connection, authority: AuthorityKey, deputy_id: str, now_us: int) -> list[Row[Any]]:
    """Return the absences in which a person is the deputy now."""
    return genuine(absence, connection.execute(_TO, {"person": deputy_id, "now": now_us}), authority)


@remembered
def absent_of(connection: Connection, authority: AuthorityKey, deputy_id: str, now_us: int) -> set[str]:
    """Return the ids of those for whom a person stands in now."""
    return {row.person_id for row in absences_to(connection, authority, deputy_id, now_us)}


def deputies_of(connection: Connection, authority: AuthorityKey, people: Iterable[str], now_us: int) -> set[str]:
    """Return the ids of those who stand in for one of these people now."""
    rows = connection.execute(_FROM, {"listed": sorted(people), "now": now_us})
    return {row.deputy_id for row in genuine(absence, rows, authority)}


@remembered
def predecessors_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of those who have left and whose work a person goes on with, by others between them too."""
    found: set[str] = set()
    asked = {person_id}
    while asked:
        rows = connection.execute(_LEFT, {"listed": sorted(asked), "now": now_us})
        asked = {row.person_id for row in genuine(succession, rows, authority)} - found - {person_id}
        found |= asked
    return found


def successors_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of those who go on now with the work of somebody who has left, those between them left out."""
    found: set[str] = set()
    known = asked = {person_id}
    while asked:
        rows = genuine(succession, connection.execute(_WENT_TO, {"listed": sorted(asked), "now": now_us}), authority)
        found |= asked - {row.person_id for row in rows} - {person_id}
        asked = {row.successor_id for row in rows} - known
        known = known | asked
    return found


def teams_in_charge(connection: Connection, authority: AuthorityKey, case_id: str, now_us: int) -> dict[str, bool]:
    """Return the members of the teams that have a case, and of those who have it alone, and whether each supervises."""
    rows = connection.execute(_IN_CASE, {"case": case_id, "now": now_us})
    assigned = genuine(assignment, rows, authority)
    teams = {row.team_id for row in assigned if row.team_id}
    teams |= _teams_of(connection, authority, {row.person_id for row in assigned if row.person_id}, now_us)
    found: dict[str, bool] = {}
    for row in _members(connection, authority, teams, set(), now_us):
        found[row.person_id] = found.get(row.person_id, False) or bool(row.supervisor)
    return found


def supervisors_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of the others who supervise a team of a person's."""
    teams = _teams_of(connection, authority, {person_id}, now_us)
    rows = _members(connection, authority, teams, set(), now_us)
    return {row.person_id for row in rows if row.supervisor} - {person_id}


def _teams_of(connection: Connection, authority: AuthorityKey, people: set[str], now_us: int) -> set[str]:
    return {row.team_id for row in _members(connection, authority, set(), people, now_us)}


def _members(
    connection: Connection, authority: AuthorityKey, teams: set[str], people: set[str], now_us: int
) -> list[Row[Any]]:
    """Return the memberships of these teams and of these people, where the member has not left."""
    asked = {"listed": sorted(teams), "people": sorted(people), "now": now_us}
    return genuine(team_member, connection.execute(_MEMBERS, asked), authority)
