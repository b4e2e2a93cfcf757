"""Persons, addresses and teams: who is meant by an address, and how to reach a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, or_, select

from gateway.domain.confirmation import Wish
from gateway.domain.rights import Side
from gateway.store.authority import AuthorityKey, genuine
from gateway.store.memory import remembered
from gateway.store.tables import person, person_address, team, team_member


@dataclass(frozen=True, slots=True)
class Person:
    """One identity: an employee or a person of the other side.

    Which of their messages an employee wants to be confirmed, and how long these wait before they are released, is
    known of one asked for by their id.
    """

    id: str
    programme: str
    side: Side
    name: str
    language: str
    confirm: Wish = Wish.NEVER
    delay_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """A shared address of employees."""

    id: str
    programme: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants to be told. An empty zone is the programme's. Of employees: which of their messages are
    confirmed, how many minutes these wait before they are released (None: as long as the site says), and whether
    replies come to them whole, where the site permits that.
    """

    language: str
    wants_link: bool
    time_zone: str
    confirm: Wish = Wish.FIRST
    delay_minutes: int | None = None
    full_copies: bool = False


def wishes_of(connection: Connection, person_id: str) -> Wishes:
    """Return how a person wants to be told, as it is now."""
    row = connection.execute(_WISHES, {"person": person_id}).one()
    zone, wish, full = row.time_zone or "", Wish(row.confirm), bool(row.full_copies)
    return Wishes(row.language, bool(row.wants_link), zone, wish, row.delay_minutes, full)


@remembered
def person_by_id(connection: Connection, person_id: str) -> Person | None:
    """Return a person who has not been ended, or None."""
    row = connection.execute(_BY_ID, {"person": person_id}).first()
    if row is None:
        return None
    wish, minutes = Wish(row.confirm), row.delay_minutes
    return Person(row.id, row.programme, Side(row.side), row.name, row.language, wish, minutes)


@remembered
def people_by_address(connection: Connection, key: str, now_us: int) -> list[Person]:
    """Return the persons whose address this is now. `key` is `Address.key`."""
    rows = connection.execute(_BY_ADDRESS, {"key": key, "now": now_us})
    return [Person(row.id, row.programme, Side(row.side), row.name, row.language) for row in rows]


def addresses_of(connection: Connection, person_ids: Iterable[str], now_us: int) -> dict[str, list[str]]:
    """Return each person's present addresses, oldest first."""
    statement = (
        select(person_address.c.person_id, person_address.c.address)
        .where(person_address.c.person_id.in_(list(person_ids)), _valid(now_us))
        .order_by(person_address.c.id)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.person_id, []).append(row.address)
    return found


@remembered
def team_by_address(connection: Connection, key: str) -> Team | None:
    """Return the team with this address, or None."""
    row = connection.execute(_TEAM, {"key": key}).first()
    return None if row is None else Team(row.id, row.programme, row.name, row.address)


@remembered
def teams_of(connection: Connection, authority: AuthorityKey, person_id: str, now_us: int) -> set[str]:
    """Return the ids of the teams a person is a member of now."""
    rows = connection.execute(_MEMBERSHIPS, {"person": person_id, "now": now_us})
    return {row.team_id for row in genuine(team_member, rows, authority)}


def _valid(now: Any) -> ColumnElement[bool]:
    return and_(
        person_address.c.from_us <= now,
        or_(person_address.c.until_us.is_(None), person_address.c.until_us > now),
    )


# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_NOW: BindParameter[Any] = bindparam("now")
_BY_ID = select(person).where(person.c.id == bindparam("person"), person.c.ended_us.is_(None))
_WISHES = select(
    person.c.language,
    person.c.wants_link,
    person.c.time_zone,
    person.c.confirm,
    person.c.delay_minutes,
    person.c.full_copies,
).where(person.c.id == bindparam("person"))
_BY_ADDRESS = (
    select(person)
    .join(person_address, person_address.c.person_id == person.c.id)
    .where(person_address.c.key == bindparam("key"), person.c.ended_us.is_(None), _valid(_NOW))
    .distinct()
)
_TEAM = select(team).where(team.c.key == bindparam("key"), team.c.ended_us.is_(None))
_MEMBERSHIPS = select(team_member).where(
    team_member.c.person_id == bindparam("person"),
    team_member.c.from_us <= _NOW,
    or_(team_member.c.until_us.is_(None), team_member.c.until_us > _NOW),
)
