"""Verbs about people: employees, teams, credentials, sessions. See `gateway.casework.administration`."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Row, select

from gateway.casework.absence import end_absences_apart, end_absences_of
from gateway.casework.act import Act, line
from gateway.casework.delegating import end_delegations_of
from gateway.casework.recipient_keys import end_recipient_keys_of
from gateway.domain.address import Address, parse_address
from gateway.domain.credential import FOUND_BY_LOOKUP, SIGNS_NOBODY_IN, CredentialKind
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.rights import Role, Side
from gateway.store import tables
from gateway.store.ids import new_id
from gateway.store.people import people_by_address, team_by_address

MAX_CREDENTIALS = 20
_ONE_AT_A_TIME = (
    CredentialKind.PASSWORD,
    CredentialKind.FIRST_CODE,
    CredentialKind.RECOVERY,
    CredentialKind.TELEPHONE,
    CredentialKind.EXTENSION,
)
FIRST_CODE_US = 72 * 3600 * 1_000_000 + 60_000_000
"""How long a first code may be good for; a minute more, for clocks that differ."""
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,253}\Z")


def add_employee(
    act: Act, *, programme: str, name: str, address: str, username: str, role: str = Role.EMPLOYEE.value
) -> dict[str, Any]:
    """Add an employee with one address and a role."""
    if role not in {one.value for one in Role}:
        raise Malformed("An employee has the role employee or administrator.")
    person_id = add_person(act, Side.OFFICE, programme, name, address, username)
    _give_role(act, person_id, programme, role, None)
    act.record("employee_added", person=person_id, role=role)
    return {"person": person_id}


def end_person(act: Act, *, person: str) -> dict[str, Any]:
    """End a person: every credential, session, role and place of theirs ends with them."""
    row = act.person(person)
    owned = (
        tables.role,
        tables.team_member,
        tables.assignment,
        tables.designated_user,
        tables.credential,
        tables.session,
    )
    for table in owned:
        act.end(table, act.not_ended(table, person_id=row.id))
    end_delegations_of(act, row.id)
    end_recipient_keys_of(act, row.id)
    end_absences_of(act, row)
    act.tx.execute(tables.person.update().where(tables.person.c.id == row.id).values(ended_us=act.tx.now_us))
    act.record("person_ended", person=row.id)
    return {"person": row.id}


def add_team(act: Act, *, programme: str, name: str, address: str) -> dict[str, Any]:
    """Add a team with its shared address."""
    where = parse_address(address)
    _require_free(act, where, Side.OFFICE)
    columns = {"programme": programme, "name": line(name, "name"), "address": str(where), "key": where.key}
    team_id = new_id()
    act.tx.insert(tables.team, id=team_id, **columns, created_us=act.tx.now_us, ended_us=None)
    act.record("team_added", team=team_id)
    return {"team": team_id}


def add_team_member(act: Act, *, team: str, person: str, supervisor: bool = False) -> dict[str, Any]:
    """Make an employee a member of a team."""
    group, member = act.team(team), act.person(person, Side.OFFICE)
    place = {"team_id": group.id, "person_id": member.id}
    if group.programme != member.programme:
        raise Malformed("The team and the person belong to different programmes.")
    if act.not_ended(tables.team_member, **place):
        raise Malformed("This person is a member of the team already.")
    given = act.give(tables.team_member, **place, supervisor=int(supervisor), from_us=act.tx.now_us, until_us=None)
    act.record("team_member_added", **place, supervisor=int(supervisor))
    return {"team_member": given}


def remove_team_member(act: Act, *, team: str, person: str) -> dict[str, Any]:
    """End a membership, and the absences between the person and its members where these two share no other team."""
    group, member = act.team(team), act.person(person)
    place = {"team_id": group.id, "person_id": member.id}
    ended = act.end(tables.team_member, act.not_ended(tables.team_member, **place))
    act.record("team_member_removed", **place, ended=ended)
    absences = end_absences_apart(act, member.id, member.programme, {group.id}) if ended else 0
    return {"ended": ended, "absences": absences}


def add_credential(
    act: Act,
    *,
    person: str,
    kind: str,
    label: str,
    data: str = "",
    lookup: str | None = None,
    networks: str = "",
    expires_us: int | None = None,
) -> dict[str, Any]:
    """Add what the authenticator made. A new password takes the place of the old one and ends the sessions; a new first
    code and new recovery codes take the place of the old.
    """
    for_tools = kind in {CredentialKind.APP_PASSWORD, CredentialKind.CERTIFICATE}
    made_here = {one.value for one in CredentialKind} - {CredentialKind.IDENTITY.value}
    if kind not in made_here or (kind in FOUND_BY_LOOKUP) != (lookup is not None):
        raise Malformed("There is no such kind of credential.")
    if kind == CredentialKind.FIRST_CODE and (
        expires_us is None or not 0 < expires_us - act.tx.now_us <= FIRST_CODE_US
    ):
        raise Malformed("A first code is good for at most 72 hours.")
    if kind == CredentialKind.EXTENSION and (expires_us is None or expires_us <= act.tx.now_us):
        raise Malformed("A password goes on until a day to come.")
    person_id = act.person(person, Side.OFFICE if for_tools else None).id
    if kind == CredentialKind.CERTIFICATE and act.not_ended(tables.credential, kind=kind, lookup=lookup):
        raise Malformed("This certificate is somebody's already.")
    present = act.not_ended(tables.credential, person_id=person_id, kind=kind)
    if len(present) >= MAX_CREDENTIALS:
        raise Malformed(f"There are {MAX_CREDENTIALS} of these already. Revoke one first.")
    if kind in _ONE_AT_A_TIME:
        act.end(tables.credential, present)
    if kind == CredentialKind.PASSWORD:
        act.end(tables.session, act.not_ended(tables.session, person_id=person_id))
    given = act.give(
        tables.credential,
        person_id=person_id,
        kind=kind,
        label=line(label, "label")[:100],
        lookup=lookup,
        data=data,
        networks=networks,
        created_us=act.tx.now_us,
        expires_us=expires_us,
        revoked_us=None,
    )
    act.record("credential_added", person=person_id, credential=given, type=kind)
    return {"credential": given}


def revoke_credential(act: Act, *, person: str, credential: str) -> dict[str, Any]:
    """End one credential; if it was one that signs in, the sessions of the person end, too."""
    person_id = act.person(person).id
    rows = act.not_ended(tables.credential, id=credential, person_id=person_id)
    if not act.administers and any(row.kind == CredentialKind.PASSWORD for row in rows):
        raise NotAllowed("This is not yours to do.")
    ended = act.end(tables.credential, rows)
    if any(row.kind not in SIGNS_NOBODY_IN for row in rows):
        act.end(tables.session, act.not_ended(tables.session, person_id=person_id))
    act.record("credential_revoked", person=person_id, credential=credential, ended=ended)
    return {"ended": ended}


def end_sessions(act: Act, *, person: str, session: str | None = None) -> dict[str, Any]:
    """Sign a person out: of one session by its id, or everywhere."""
    person_id = act.person(person).id
    rows = act.not_ended(tables.session, person_id=person_id)
    ended = act.end(tables.session, [row for row in rows if session in (None, row.id)])
    act.record("sessions_ended", person=person_id, ended=ended)
    return {"ended": ended}


def add_person(act: Act, side: Side, programme: str, name: str, address: str, username: str) -> str:
    """Write a person with one address; return the id. Raises Malformed when username or address is taken."""
    where, known_as = parse_address(address), username.strip().lower()
    if not _USERNAME.match(known_as):
        raise Malformed("A username has 2 to 254 letters, digits and . _ @ + -")
    if act.tx.one(select(tables.person.c.id).where(tables.person.c.username == known_as)):
        raise Malformed("This username is taken.")
    _require_free(act, where, side)
    person_id, now_us = new_id(), act.tx.now_us
    act.tx.insert(
        tables.person,
        id=person_id,
        programme=programme,
        side=side.value,
        name=line(name, "name"),
        username=known_as,
        created_us=now_us,
    )
    reached = {"address": str(where), "key": where.key, "from_us": now_us}
    act.tx.insert(tables.person_address, id=new_id(), person_id=person_id, **reached)
    return person_id


def change_person_address(act: Act, person: Row[Any], address: str) -> str:
    """Let a person be reached at another address from now on, and at no other. Return it as it is kept."""
    where, table = parse_address(address), tables.person_address
    _require_free(act, where, Side(person.side))
    present = (table.c.person_id == person.id) & table.c.until_us.is_(None)
    act.tx.execute(table.update().where(present).values(until_us=act.tx.now_us))
    reached = {"address": str(where), "key": where.key, "from_us": act.tx.now_us}
    act.tx.insert(table, id=new_id(), person_id=person.id, **reached)
    return str(where)


def give_role(act: Act, *, person: str, role: str, until_us: int | None = None) -> dict[str, Any]:
    """Give an employee a role, with an end where one is named, in the place of the same role before."""
    if role not in {one.value for one in Role} or (until_us is not None and until_us <= act.tx.now_us):
        raise Malformed(f"A role is one of {', '.join(Role)}, and ends at a day to come.")
    known = act.person(person, Side.OFFICE)
    person_id = known.id
    act.end(tables.role, act.not_ended(tables.role, person_id=person_id, role=role))
    given = _give_role(act, person_id, known.programme, role, until_us)
    act.record("role_given", person=person_id, role=role, until=until_us)
    return {"role": given}


def end_role(act: Act, *, person: str, role: str) -> dict[str, Any]:
    """Take a role from an employee, now."""
    person_id = act.person(person, Side.OFFICE).id
    ended = act.end(tables.role, act.not_ended(tables.role, person_id=person_id, role=role))
    act.record("role_ended", person=person_id, role=role, ended=ended)
    return {"ended": ended}


def _give_role(act: Act, person_id: str, programme: str, role: str, until_us: int | None) -> str:
    due_us = act.due_us(programme, privileged=role != Role.EMPLOYEE)
    columns = {"person_id": person_id, "role": role, "from_us": act.tx.now_us, "until_us": until_us, "due_us": due_us}
    return act.give(tables.role, **columns)


def _require_free(act: Act, where: Address, side: Side) -> None:
    """An employee's address means one person; two of the other side may share one, but not with the office."""
    act.tx.flush()
    holders = people_by_address(act.tx.connection, where.key, act.tx.now_us)
    if team_by_address(act.tx.connection, where.key) or any(Side.OFFICE in (side, one.side) for one in holders):
        raise Malformed("This address is taken.")
