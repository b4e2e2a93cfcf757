"""Cases and who stands in them. Every row that gives a place is checked against the keyholder's signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Table, and_, bindparam, or_, select

from gateway.domain.errors import StoreUnavailable
from gateway.domain.reference import Reference, parse
from gateway.domain.rights import Right, Side, Standing, is_employed, standing_in, strongest
from gateway.store.absences import deputies_of
from gateway.store.authority import AuthorityKey, genuine, require_genuine
from gateway.store.memory import remembered
from gateway.store.places import cases_named, holder_of, places_in, roles_of
from gateway.store.sealing import SealingKey
from gateway.store.tables import agreement_case, assignment, case, person, sealing_key, team_member


def _now(table: Table) -> ColumnElement[bool]:
    now: BindParameter[Any] = bindparam("now")
    return and_(table.c.from_us <= now, or_(table.c.until_us.is_(None), table.c.until_us > now))


# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it. Lists are expanded as they are run.
_LISTED: BindParameter[Any] = bindparam("listed", expanding=True)
_CASE: BindParameter[Any] = bindparam("case")
_BY_ID = select(case).where(case.c.id == _CASE)
_BY_REFERENCE = select(case).where(case.c.reference == _CASE)
_ALIVE = select(person.c.id).where(person.c.id.in_(_LISTED), person.c.ended_us.is_(None))
_ASSIGNED_TO = select(assignment).where(assignment.c.case_id == _CASE, assignment.c.purpose.is_(None), _now(assignment))
_MEMBERS = select(team_member).where(team_member.c.team_id.in_(_LISTED), _now(team_member))
_COVERING = select(agreement_case).where(agreement_case.c.case_id == _CASE, _now(agreement_case))
_KEYS = (
    select(sealing_key)
    .where(sealing_key.c.case_id == _CASE, sealing_key.c.retired_us.is_(None))
    .order_by(sealing_key.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Case:
    """One matter of a programme."""

    id: str
    programme: str
    reference: Reference
    is_open: bool


@dataclass(frozen=True, slots=True)
class Circle:
    """Who stands in a case now: the persons of the other side with their rights, and the employees."""

    others: Mapping[str, Right]
    office: AbstractSet[str]

    def __bool__(self) -> bool:
        """True where both sides have somebody: what has nobody yet is not remembered."""
        return bool(self.others and self.office)

    def side_of(self, person_id: str) -> Side | None:
        """Return on which side somebody stands, None for who does not stand in the case."""
        if person_id in self.others:
            return Side.CORRESPONDENT
        return Side.OFFICE if person_id in self.office else None


@remembered
def case_by_id(connection: Connection, case_id: str) -> Case | None:
    """Return a case, or None."""
    return _case(connection.execute(_BY_ID, {"case": case_id}).first())


@remembered
def case_by_reference(connection: Connection, reference: Reference) -> Case | None:
    """Return the case of a reference (its message part is ignored), or None."""
    return _case(connection.execute(_BY_REFERENCE, {"case": str(reference.of_case)}).first())


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
    wanted = None if case_ids is None else list(case_ids)
    found = holder_of(connection, authority, person_id, now_us, wanted)
    if found is None:
        return {}
    places = {case_id: standing_in(found, case_id, now_us) for case_id in cases_named(found)}
    return {case_id: place for case_id, place in places.items() if place is not None}


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
    covers = genuine(agreement_case, connection.execute(_COVERING, {"case": case_id, "now": now_us}), authority)
    found: dict[str, Right] = {}
    for person_id, place in places_in(connection, authority, covers, now_us):
        right = strongest((found.get(person_id), place.right_in(case_id, now_us)))
        if right is not None:
            found[person_id] = right
    return found


@remembered
def office(connection: Connection, authority: AuthorityKey, case_id: str, now_us: int) -> set[str]:
    """Return the employees who stand in a case, alone or by a team, and the deputies of those who are absent."""
    rows = connection.execute(_ASSIGNED_TO, {"case": case_id, "now": now_us})
    assigned = genuine(assignment, rows, authority)
    teams = {row.team_id for row in assigned if row.team_id}
    members = connection.execute(_MEMBERS, {"listed": list(teams), "now": now_us})
    people = {row.person_id for row in assigned if row.person_id}
    people |= {row.person_id for row in genuine(team_member, members, authority)}
    employed = _employed(connection, authority, people, now_us)
    deputies = deputies_of(connection, authority, employed, now_us) - employed
    return employed | _employed(connection, authority, deputies, now_us)


@remembered
def circle_of(connection: Connection, authority: AuthorityKey, case_id: str, now_us: int) -> Circle:
    """Return everybody who stands in a case, as `correspondents` and `office` do."""
    return Circle(
        correspondents(connection, authority, case_id, now_us), office(connection, authority, case_id, now_us)
    )


@remembered
def case_sealing_key(connection: Connection, authority: AuthorityKey, case_id: str) -> SealingKey:
    """Return the key that messages of a case are sealed to.

    Raises Tampered when the row is not the keyholder's, StoreUnavailable when the case has no key yet.
    """
    row = connection.execute(_KEYS, {"case": case_id}).first()
    if row is None:
        raise StoreUnavailable("The case has no key yet. Please try again later.")
    require_genuine(sealing_key, row, authority)
    return SealingKey(row.id, row.suite, bytes(row.public))


def _employed(connection: Connection, authority: AuthorityKey, people: set[str], now_us: int) -> set[str]:
    """Return those of these people who have not left, and whose role holds."""
    alive = set(connection.execute(_ALIVE, {"listed": list(people)}).scalars()) if people else set()
    roles = roles_of(connection, authority, list(alive)) if alive else {}
    return {one for one in alive if is_employed(roles.get(one, ()), now_us)}


def _case(row: Row[Any] | None) -> Case | None:
    return None if row is None else Case(row.id, row.programme, parse(row.reference), row.closed_us is None)
