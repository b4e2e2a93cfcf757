"""Who may write in whose name, and for which teams: rows that give power, each checked before it counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, or_, select

from gateway.store.authority import AuthorityKey, genuine
from gateway.store.memory import remembered
from gateway.store.tables import assignment, delegation, person, team_member


def _holding(table: Table) -> Any:
    now: BindParameter[Any] = bindparam("now")
    return (table.c.from_us <= now) & or_(table.c.until_us.is_(None), table.c.until_us > now)


_TO = select(delegation).where(delegation.c.delegate_id == bindparam("person"), _holding(delegation))
_FROM = select(delegation).where(delegation.c.person_id == bindparam("person"), _holding(delegation))
_MEMBERS = (
    select(team_member)
    .join(person, person.c.id == team_member.c.person_id)
    .where(team_member.c.team_id == bindparam("team"), _holding(team_member), person.c.ended_us.is_(None))
)
_IN_CASE = select(assignment).where(
    assignment.c.case_id == bindparam("case"), assignment.c.team_id == bindparam("team"), _holding(assignment)
)


@remembered
def owners_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of those in whose names this person may write."""
    rows = connection.execute(_TO, {"person": person_id, "now": now_us})
    return {row.person_id for row in genuine(delegation, rows, authority)}


@remembered
def delegates_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of those who may write in this person's name."""
    rows = connection.execute(_FROM, {"person": person_id, "now": now_us})
    return {row.delegate_id for row in genuine(delegation, rows, authority)}


@remembered
def members_of(connection: Connection, authority: AuthorityKey, team_id: str, now_us: int) -> set[str]:
    """Return the ids of a team's members who have not left."""
    rows = connection.execute(_MEMBERS, {"team": team_id, "now": now_us})
    return {row.person_id for row in genuine(team_member, rows, authority)}


@remembered
def has_case(connection: Connection, authority: AuthorityKey, team_id: str, case_id: str, now_us: int) -> bool:
    """Tell whether a case is in a team's hands."""
    rows = connection.execute(_IN_CASE, {"team": team_id, "case": case_id, "now": now_us})
    return bool(genuine(assignment, rows, authority))
