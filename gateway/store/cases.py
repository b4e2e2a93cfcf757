"""Cases and who stands in them. Every row that gives a place is checked against the keyholder's signature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, or_, select

from gateway.domain.errors import StoreUnavailable
from gateway.domain.reference import Reference, parse
from gateway.domain.rights import Right, Side, Standing
from gateway.store.authority import AuthorityKey, genuine, require_genuine
from gateway.store.memory import remembered
from gateway.store.people import teams_of
from gateway.store.sealing import SealingKey
from gateway.store.tables import agreement_case, assignment, case, designated_user, person, sealing_key, team_member


@dataclass(frozen=True, slots=True)
class Case:
    """One matter of a programme."""

    id: str
    programme: str
    reference: Reference
    is_open: bool


@remembered
def case_by_id(connection: Connection, case_id: str) -> Case | None:
    """Return a case, or None."""
    return _case(connection, select(case).where(case.c.id == case_id))


@remembered
def case_by_reference(connection: Connection, reference: Reference) -> Case | None:
    """Return the case of a reference (its message part is ignored), or None."""
    return _case(connection, select(case).where(case.c.reference == str(reference.of_case)))


@remembered
def standing(
    connection: Connection, authority: AuthorityKey, case_id: str, person_id: str, now_us: int
) -> Standing | None:
    """Return the place of a person in a case now, the strongest where there are several, or None."""
    return standings(connection, authority, [case_id], person_id, now_us).get(case_id)


def standings(
    connection: Connection, authority: AuthorityKey, case_ids: Iterable[str] | None, person_id: str, now_us: int
) -> dict[str, Standing]:
    """Return a person's standing by case, in the given cases or (None) in all."""
    alive = select(person.c.id).where(person.c.id == person_id, person.c.ended_us.is_(None))
    if connection.execute(alive).first() is None:
        return {}
    wanted = None if case_ids is None else list(case_ids)
    found = _correspondent_standings(connection, authority, wanted, person_id, now_us)
    teams = teams_of(connection, authority, person_id, now_us)
    mine = or_(assignment.c.person_id == person_id, assignment.c.team_id.in_(teams))
    rows = connection.execute(select(assignment).where(mine, *_now(assignment, now_us), *_in(assignment, wanted)))
    for row in genuine(assignment, rows, authority):
        found[row.case_id] = Standing(person_id, row.case_id, Side.OFFICE, Right.ACT)
    return found


def cases_of(
    connection: Connection, authority: AuthorityKey, person_id: str, now_us: int
) -> list[tuple[Case, Standing]]:
    """Return the cases a person stands in now, newest first."""
    places = standings(connection, authority, None, person_id, now_us)
    rows = connection.execute(select(case).where(case.c.id.in_(places)).order_by(case.c.opened_us.desc()))
    return [(Case(row.id, row.programme, parse(row.reference), row.closed_us is None), places[row.id]) for row in rows]


@remembered
def correspondents(connection: Connection, authority: AuthorityKey, case_id: str, now_us: int) -> dict[str, Right]:
    """Return the persons of the other side and the right of each."""
    covers = select(agreement_case).where(agreement_case.c.case_id == case_id, *_now(agreement_case, now_us))
    agreements = {row.agreement_id for row in genuine(agreement_case, connection.execute(covers), authority)}
    users = (
        select(designated_user)
        .join(person, person.c.id == designated_user.c.person_id)
        .where(
            designated_user.c.agreement_id.in_(agreements),
            person.c.ended_us.is_(None),
            *_now(designated_user, now_us),
        )
    )
    found: dict[str, Right] = {}
    for row in genuine(designated_user, connection.execute(users), authority):
        if found.get(row.person_id) is not Right.ACT:
            found[row.person_id] = Right(row.right)
    return found


@remembered
def office(connection: Connection, authority: AuthorityKey, case_id: str, now_us: int) -> set[str]:
    """Return the employees who stand in a case, alone or by a team."""
    rows = connection.execute(select(assignment).where(assignment.c.case_id == case_id, *_now(assignment, now_us)))
    assigned = genuine(assignment, rows, authority)
    members = connection.execute(
        select(team_member).where(
            team_member.c.team_id.in_({row.team_id for row in assigned if row.team_id}), *_now(team_member, now_us)
        )
    )
    people = {row.person_id for row in assigned if row.person_id}
    people |= {row.person_id for row in genuine(team_member, members, authority)}
    alive = select(person.c.id).where(person.c.id.in_(people), person.c.ended_us.is_(None))
    return set(connection.execute(alive).scalars())


@remembered
def case_sealing_key(connection: Connection, authority: AuthorityKey, case_id: str) -> SealingKey:
    """Return the key that messages of a case are sealed to.

    Raises Tampered when the row is not the keyholder's, StoreUnavailable when the case has no key yet.
    """
    row = connection.execute(
        select(sealing_key)
        .where(sealing_key.c.case_id == case_id, sealing_key.c.retired_us.is_(None))
        .order_by(sealing_key.c.id.desc())
    ).first()
    if row is None:
        raise StoreUnavailable("The case has no key yet. Please try again later.")
    require_genuine(sealing_key, row, authority)
    return SealingKey(row.id, row.suite, bytes(row.public))


def _correspondent_standings(
    connection: Connection,
    authority: AuthorityKey,
    case_ids: list[str] | None,
    person_id: str,
    now_us: int,
) -> dict[str, Standing]:
    users = connection.execute(
        select(designated_user).where(designated_user.c.person_id == person_id, *_now(designated_user, now_us))
    )
    rights: dict[str, Right] = {}
    for row in genuine(designated_user, users, authority):
        if rights.get(row.agreement_id) is not Right.ACT:
            rights[row.agreement_id] = Right(row.right)
    covers = connection.execute(
        select(agreement_case).where(
            agreement_case.c.agreement_id.in_(rights), *_now(agreement_case, now_us), *_in(agreement_case, case_ids)
        )
    )
    found: dict[str, Standing] = {}
    for row in genuine(agreement_case, covers, authority):
        known = found.get(row.case_id)
        if known is None or not known.may_write:
            found[row.case_id] = Standing(person_id, row.case_id, Side.CORRESPONDENT, rights[row.agreement_id])
    return found


def _case(connection: Connection, statement: Select[tuple[object, ...]]) -> Case | None:
    row = connection.execute(statement).first()
    return None if row is None else Case(row.id, row.programme, parse(row.reference), row.closed_us is None)


def _now(table: Table, now_us: int) -> tuple[ColumnElement[bool], ...]:
    return (and_(table.c.from_us <= now_us, or_(table.c.until_us.is_(None), table.c.until_us > now_us)),)


def _in(table: Table, case_ids: list[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if case_ids is None else (table.c.case_id.in_(case_ids),)
