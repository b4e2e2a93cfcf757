"""What operators list: people, teams, cases, designated users, as rows of plain values. No message, nothing sealed.

Only rows that the keyholder has signed are shown as giving something.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, Table, func, select

from gateway.domain.enrolment import PlaceState
from gateway.domain.rights import Side, in_force
from gateway.store.authority import genuine
from gateway.store.people import addresses_of
from gateway.store.tables import (
    agreement_case,
    assignment,
    case,
    credential,
    credential_use,
    designated_user,
    message,
    person,
    role,
    team,
    team_member,
)

Listed = dict[str, Any]


class Listings:
    """Lists as they are at one instant. `authority` is what rows that give power are checked with."""

    def __init__(self, connection: Connection, authority: Ed25519PublicKey, now_us: int) -> None:
        self._connection = connection
        self._authority = authority
        self._now_us = now_us

    def employees(self, *, ended: bool = False) -> list[Listed]:
        """Return the employees: id, username, name, addresses, role, teams, kinds of credentials."""
        return self._people(Side.OFFICE, ended=ended)

    def teams(self) -> list[Listed]:
        """Return the teams and their members' usernames, supervisors apart."""
        names = self._names(team, team.c.address)
        members: dict[str, list[Row[Any]]] = {}
        for row in self._in_force(team_member):
            members.setdefault(row.team_id, []).append(row)
        people = self._usernames()
        found = []
        for row in self._connection.execute(select(team).where(team.c.id.in_(names)).order_by(team.c.address)):
            of_team = members.get(row.id, [])
            found.append(
                {
                    "id": row.id,
                    "programme": row.programme,
                    "name": row.name,
                    "address": row.address,
                    "members": sorted(people.get(one.person_id, "?") for one in of_team),
                    "supervisors": sorted(people.get(one.person_id, "?") for one in of_team if one.supervisor),
                }
            )
        return found

    def cases(self, *, closed: bool = False) -> list[Listed]:
        """Return the cases, newest first: reference, who has it, who stands on the other side, how many messages."""
        statement = select(case).order_by(case.c.opened_us.desc())
        if not closed:
            statement = statement.where(case.c.closed_us.is_(None))
        counts = select(message.c.case_id, func.count().label("messages")).group_by(message.c.case_id)
        messages = {row.case_id: row.messages for row in self._connection.execute(counts)}
        held, covered = self._holders(), self._covered()
        return [
            {
                "id": row.id,
                "programme": row.programme,
                "reference": row.reference,
                "opened_us": row.opened_us,
                "closed_us": row.closed_us,
                "assigned_to": sorted(held.get(row.id, [])),
                "designated_users": sorted(covered.get(row.id, [])),
                "messages": messages.get(row.id, 0),
            }
            for row in self._connection.execute(statement)
        ]

    def designated_users(self) -> list[Listed]:
        """Return each place in an agreement: whose, with which right, in which cases, until when."""
        references = self._names(case, case.c.reference)
        covers: dict[str, list[str]] = {}
        for row in self._in_force(agreement_case):
            covers.setdefault(row.agreement_id, []).append(references.get(row.case_id, "?"))
        people = {one["id"]: one for one in self._people(Side.CORRESPONDENT, ended=False)}
        return [
            {
                "id": row.id,
                "person": row.person_id,
                "username": people.get(row.person_id, {}).get("username"),
                "name": people.get(row.person_id, {}).get("name"),
                "addresses": people.get(row.person_id, {}).get("addresses", []),
                "credentials": people.get(row.person_id, {}).get("credentials", []),
                "right": row.right,
                "state": row.state or PlaceState.ACTIVE.value,
                "cases": sorted(covers.get(row.agreement_id, [])),
                "until_us": row.until_us,
            }
            for row in self._in_force(designated_user)
        ]

    def credentials(self, person_id: str) -> list[Listed]:
        """Return a person's credentials that have not ended: id, kind, label, networks, expiry, last use."""
        used = dict(
            self._connection.execute(select(credential_use.c.credential_id, credential_use.c.last_used_us)).all()
        )
        return [
            {
                "id": row.id,
                "kind": row.kind,
                "label": row.label,
                "networks": row.networks,
                "created_us": row.created_us,
                "expires_us": row.expires_us,
                "last_used_us": used.get(row.id),
            }
            for row in self._live_credentials()
            if row.person_id == person_id
        ]

    def person_id(self, known_as: str) -> str | None:
        """Return the id of a person given by id, username or address; None when there is none."""
        wanted = known_as.strip().lower()
        for one in (*self._people(Side.OFFICE, ended=False), *self._people(Side.CORRESPONDENT, ended=False)):
            if wanted in (one["id"], one["username"], *(address.lower() for address in one["addresses"])):
                return str(one["id"])
        return None

    def _people(self, side: Side, *, ended: bool) -> list[Listed]:
        statement = select(person).where(person.c.side == side.value).order_by(person.c.username)
        if not ended:
            statement = statement.where(person.c.ended_us.is_(None))
        rows = self._connection.execute(statement).all()
        addresses = addresses_of(self._connection, [row.id for row in rows], self._now_us)
        roles: dict[str, list[str]] = {}
        for row in self._in_force(role):
            roles.setdefault(row.person_id, []).append(row.role)
        places = self._names(team, team.c.address)
        teams: dict[str, list[str]] = {}
        for row in self._in_force(team_member):
            teams.setdefault(row.person_id, []).append(places.get(row.team_id, "?"))
        kinds: dict[str, set[str]] = {}
        for row in self._live_credentials():
            kinds.setdefault(row.person_id, set()).add(row.kind)
        return [
            {
                "id": row.id,
                "programme": row.programme,
                "username": row.username,
                "name": row.name,
                "addresses": addresses.get(row.id, []),
                "role": ", ".join(sorted(roles.get(row.id, ()))) or None,
                "teams": sorted(teams.get(row.id, [])),
                "credentials": sorted(kinds.get(row.id, ())),
                "ended_us": row.ended_us,
            }
            for row in rows
        ]

    def _holders(self) -> dict[str, list[str]]:
        people, teams = self._usernames(), self._names(team, team.c.address)
        found: dict[str, list[str]] = {}
        for row in self._in_force(assignment):
            if row.purpose is not None:
                continue
            holder = teams.get(row.team_id) if row.team_id else people.get(row.person_id)
            found.setdefault(row.case_id, []).append(holder or "?")
        return found

    def _covered(self) -> dict[str, list[str]]:
        people = self._usernames()
        users: dict[str, list[str]] = {}
        for row in self._in_force(designated_user):
            if row.state not in {None, PlaceState.ACTIVE}:
                continue
            users.setdefault(row.agreement_id, []).append(people.get(row.person_id, "?"))
        found: dict[str, list[str]] = {}
        for row in self._in_force(agreement_case):
            found.setdefault(row.case_id, []).extend(users.get(row.agreement_id, []))
        return found

    def _in_force(self, table: Table) -> list[Row[Any]]:
        rows = genuine(table, self._connection.execute(select(table).order_by(table.c.id)), self._authority)
        return [row for row in rows if in_force(self._now_us, row.from_us, row.until_us)]

    def _live_credentials(self) -> list[Row[Any]]:
        rows = self._connection.execute(select(credential).order_by(credential.c.id))
        return [
            row
            for row in genuine(credential, rows, self._authority)
            if row.revoked_us is None and (row.expires_us is None or row.expires_us > self._now_us)
        ]

    def _usernames(self) -> dict[str, str]:
        return self._names(person, person.c.username)

    def _names(self, table: Table, column: Any) -> dict[str, str]:
        rows = self._connection.execute(select(table.c.id, column.label("name")))
        return {row.id: row.name for row in rows}
