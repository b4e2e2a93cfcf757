"""Rows of rights as the values that `gateway.domain.rights` judges. Each row is checked against its signature first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Table, and_, bindparam, or_, select

from gateway.domain.enrolment import AgreementState, PlaceState
from gateway.domain.rights import Agreement, Authorisation, Holder, Place, Right, Role, Side, Span
from gateway.store.absences import absences_to
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.people import teams_of
from gateway.store.tables import (
    agreement_case,
    assignment,
    authorisation,
    designated_user,
    enrolment,
    person,
    role,
)


def _now(table: Table) -> ColumnElement[bool]:
    now: BindParameter[Any] = bindparam("now")
    return and_(table.c.from_us <= now, or_(table.c.until_us.is_(None), table.c.until_us > now))


# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it. Lists are expanded as they are run.
_CASES: BindParameter[Any] = bindparam("cases", expanding=True)
_LISTED: BindParameter[Any] = bindparam("listed", expanding=True)
_PERSON: BindParameter[Any] = bindparam("person")
_ALIVE = select(person.c.id, person.c.side, person.c.programme).where(
    person.c.id == _PERSON, person.c.ended_us.is_(None)
)
_ASSIGNMENTS = select(assignment).where(
    or_(assignment.c.person_id == _PERSON, assignment.c.team_id.in_(_LISTED)), _now(assignment)
)
_ASSIGNMENTS_IN = _ASSIGNMENTS.where(assignment.c.case_id.in_(_CASES))
_COVERED = select(agreement_case).where(agreement_case.c.agreement_id.in_(_LISTED), _now(agreement_case))
_COVERED_IN = _COVERED.where(agreement_case.c.case_id.in_(_CASES))
_OF_PERSON = select(designated_user).where(designated_user.c.person_id == _PERSON, _now(designated_user))
_OF_AGREEMENTS = (
    select(designated_user)
    .join(person, person.c.id == designated_user.c.person_id)
    .where(designated_user.c.agreement_id.in_(_LISTED), person.c.ended_us.is_(None), _now(designated_user))
)
_STATES = select(enrolment).where(enrolment.c.agreement_id.in_(_LISTED))
_AUTHORISATIONS = select(authorisation).where(authorisation.c.designated_user_id.in_(_LISTED))
_ROLES = select(role).where(role.c.person_id.in_(_LISTED))


def holder_of(
    connection: Connection, authority: AuthorityKey, person_id: str, now_us: int, case_ids: Sequence[str] | None = None
) -> Holder | None:
    """Return what rows give a person in these cases (None: in all); None for nobody, or one ended."""
    known = _employee_or_nobody(connection, authority, person_id, now_us, case_ids)
    if known is None:
        return None
    if known.side is not Side.OFFICE:
        return replace(known, places=_places_of(connection, authority, person_id, now_us, case_ids))
    absences = absences_to(connection, authority, person_id, now_us)
    absent = [(_employee_or_nobody(connection, authority, row.person_id, now_us, case_ids), row) for row in absences]
    return replace(known, stands_in_for=tuple((one, _span(row)) for one, row in absent if one is not None))


def _employee_or_nobody(
    connection: Connection, authority: AuthorityKey, person_id: str, now_us: int, case_ids: Sequence[str] | None
) -> Holder | None:
    """Return what rows give an employee themselves; of the other side who they are; None for nobody, or one ended."""
    row = connection.execute(_ALIVE, {"person": person_id}).first()
    if row is None:
        return None
    known = Holder(row.id, Side(row.side), row.programme)
    if known.side is not Side.OFFICE:
        return known
    teams = list(teams_of(connection, authority, person_id, now_us))
    asked = {"person": person_id, "listed": teams, "now": now_us, "cases": case_ids}
    rows = connection.execute(_ASSIGNMENTS if case_ids is None else _ASSIGNMENTS_IN, asked)
    held = [(row.purpose, (row.case_id, _span(row))) for row in genuine(assignment, rows, authority)]
    return replace(
        known,
        roles=roles_of(connection, authority, [person_id]).get(person_id, ()),
        assignments=tuple(one for purpose, one in held if purpose is None),
        visits=tuple(one for purpose, one in held if purpose is not None),
    )


def roles_of(
    connection: Connection, authority: AuthorityKey, people: Sequence[str]
) -> dict[str, tuple[tuple[Role, Span], ...]]:
    """Return the roles that rows give each of these people, those that are over included."""
    found: dict[str, tuple[tuple[Role, Span], ...]] = {}
    for row in genuine(role, connection.execute(_ROLES, {"listed": list(people)}), authority):
        ends = [end for end in (row.until_us, row.due_us) if end is not None]
        held = (Role(row.role), Span(row.from_us, min(ends, default=None)))
        found[row.person_id] = (*found.get(row.person_id, ()), held)
    return found


def employee_or_user(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> Holder | None:
    """Return everything that rows give a person."""
    return holder_of(connection, authority, person_id, now_us)


def places_in(
    connection: Connection, authority: AuthorityKey, covers: Sequence[Row[Any]], now_us: int
) -> list[tuple[str, Place]]:
    """Return every person of the agreements in these genuine rows of `agreement_case`, and their place."""
    agreements = {row.agreement_id for row in covers}
    rows = connection.execute(_OF_AGREEMENTS, {"listed": list(agreements), "now": now_us})
    users = genuine(designated_user, rows, authority)
    return [(row.person_id, place) for row, place in _with_agreements(connection, authority, users, covers)]


def places_of_person(
    connection: Connection, authority: AuthorityKey, person_id: str, now_us: int
) -> list[tuple[Row[Any], Place]]:
    """Return a person's genuine rows of `designated_user` that are in force now, each with the place it gives."""
    users = genuine(designated_user, connection.execute(_OF_PERSON, {"person": person_id, "now": now_us}), authority)
    asked = {"listed": list({row.agreement_id for row in users}), "now": now_us}
    covers = genuine(agreement_case, connection.execute(_COVERED, asked), authority)
    return _with_agreements(connection, authority, users, covers)


def cases_named(holder: Holder) -> set[str]:
    """Return every case that the rows of a person name, whether they stand in it or not."""
    of_agreements = {case_id for place in holder.places for case_id, _ in place.agreement.covers}
    absent = [case_id for one, _ in holder.stands_in_for for case_id, _ in one.assignments]
    return of_agreements.union(absent, (case_id for case_id, _ in (*holder.assignments, *holder.visits)))


def _places_of(
    connection: Connection, authority: AuthorityKey, person_id: str, now_us: int, case_ids: Sequence[str] | None
) -> tuple[Place, ...]:
    rows = connection.execute(_OF_PERSON, {"person": person_id, "now": now_us})
    users = genuine(designated_user, rows, authority)
    asked = {"listed": list({row.agreement_id for row in users}), "now": now_us, "cases": case_ids}
    covers = connection.execute(_COVERED if case_ids is None else _COVERED_IN, asked)
    found = _with_agreements(connection, authority, users, genuine(agreement_case, covers, authority))
    return tuple(place for _, place in found)


def _with_agreements(
    connection: Connection, authority: AuthorityKey, users: Sequence[Row[Any]], covers: Iterable[Row[Any]]
) -> list[tuple[Row[Any], Place]]:
    agreements: dict[str, list[tuple[str, Span]]] = {row.agreement_id: [] for row in users}
    for row in covers:
        agreements.setdefault(row.agreement_id, []).append((row.case_id, _span(row)))
    by_form = {row.agreement_id for row in users if row.state is not None}
    states = _states(connection, authority, by_form)
    given = _authorisations(connection, authority, [row.id for row in users if row.needs is not None])
    found = []
    for row in users:
        state, span = states.get(row.agreement_id, _UNKNOWN) if row.agreement_id in by_form else (None, Span())
        place = Place(
            Agreement(row.agreement_id, tuple(agreements[row.agreement_id]), state, span),
            Right(row.right),
            _span(row),
            None if row.state is None else PlaceState(row.state),
            row.needs is not None,
            tuple(given.get(row.id, ())),
            row.due_us,
        )
        found.append((row, place))
    return found


_UNKNOWN = (AgreementState.ENDED, Span())
"""A place by a form whose agreement has no genuine state gives nothing."""


def _states(
    connection: Connection, authority: AuthorityKey, agreements: Iterable[str]
) -> dict[str, tuple[AgreementState, Span]]:
    listed = list(agreements)
    rows = connection.execute(_STATES, {"listed": listed}) if listed else ()
    return {row.agreement_id: (AgreementState(row.state), _span(row)) for row in genuine(enrolment, rows, authority)}


def _authorisations(
    connection: Connection, authority: AuthorityKey, users: Sequence[str]
) -> dict[str, list[Authorisation]]:
    found: dict[str, list[Authorisation]] = {}
    rows = connection.execute(_AUTHORISATIONS, {"listed": users}) if users else ()
    for row in genuine(authorisation, rows, authority):
        cases = frozenset(row.cases.split()) or None
        one = Authorisation(Right(row.right), _span(row), cases, row.revoked_us is not None)
        found.setdefault(row.designated_user_id, []).append(one)
    return found


def _span(row: Row[Any]) -> Span:
    return Span(row.from_us, row.until_us)
