"""Who wrote a message: one employee, or a team of which nobody says who; and in whose name they may write.

The author is who signed in; where a mail system vouches for its senders, who the header's Sender is, else who the
envelope sender is. Envelope sender and From are then the author's own, a team's of theirs, or those of somebody who
has given them a delegation. So a Sender alone makes nobody an author: the envelope sender must let them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.casework.addressing import Mailroom
from gateway.domain.address import Address, parse_address
from gateway.domain.errors import GatewayError, NotAllowed
from gateway.domain.rights import Side
from gateway.domain.summary import Mailbox
from gateway.store.delegations import delegates_of, has_case, members_of, owners_of
from gateway.store.memory import Source, remembered
from gateway.store.people import people_by_address, team_by_address, teams_of

_NOT_ONE = "The From address is not one of yours. Write from your own address."


@dataclass(frozen=True, slots=True)
class Writer:
    """Whom an address stands for: an employee, or a team (`person_id` is None then)."""

    programme: str
    person_id: str | None
    team_id: str | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """In whose name something is written: a team's, an absent colleague's (`owner_id`), or, both None, one's own."""

    team_id: str | None = None
    owner_id: str | None = None


def writer_at(source: Source, address: Address, now_us: int) -> Writer | None:
    """Return the employee or the team whose address this is; None where it is neither, or several employees'."""
    people = [one for one in people_by_address(source, address.key, now_us) if one.side is Side.OFFICE]
    if people:
        return Writer(people[0].programme, people[0].id) if len(people) == 1 else None
    team = team_by_address(source, address.key)
    return None if team is None else Writer(team.programme, None, team.id)


@remembered
def name_of(connection: Connection, mailroom: Mailroom, author_id: str, address: Address, now_us: int) -> Name:
    """Return in whose name an author writes from an address. Raises NotAllowed where they may not."""
    people = people_by_address(connection, address.key, now_us)
    if any(person.id == author_id for person in people):
        return Name()
    team = team_by_address(connection, address.key)
    if team is not None and team.id in teams_of(connection, mailroom.authority, author_id, now_us):
        return Name(team_id=team.id)
    owners = owners_of(connection, mailroom.authority, author_id, now_us) if people else set[str]()
    for person in people:
        if person.id in owners:
            return Name(owner_id=person.id)
    raise NotAllowed(
        "The sender address is neither yours nor your team's, and nobody has let you write in their name. "
        f"Write from the address you signed in for. {mailroom.ask}"
    )


def name_in_header(source: Source, mailroom: Mailroom, author_id: str, boxes: Iterable[Mailbox], now_us: int) -> Name:
    """Return in whose name From says a message is written: every address in it must be the author's to write from."""
    found = Name()
    for box in boxes:
        try:
            address = parse_address(box.address)
        except GatewayError:
            raise NotAllowed(_NOT_ONE) from None
        name = name_of(source, mailroom, author_id, address, now_us)
        found = Name(name.team_id or found.team_id, name.owner_id or found.owner_id)
    return found


def require_team(source: Source, mailroom: Mailroom, team_id: str, boxes: Iterable[Mailbox], now_us: int) -> str:
    """Return an employee whose rights a team's message of which nobody says who wrote it is held to: any of the team.

    Raises NotAllowed where From is not the team's own address, or the team has nobody.
    """
    for box in boxes:
        try:
            team = team_by_address(source, parse_address(box.address).key)
        except GatewayError:
            team = None
        if team is None or team.id != team_id:
            raise NotAllowed("From is not the team's address that the mail was sent by. Write as the team, or as you.")
    members = members_of(source, mailroom.authority, team_id, now_us)
    if not members:
        raise NotAllowed(f"Nobody is in this team now. {mailroom.ask}")
    return min(members)


def require_case_of_team(source: Source, mailroom: Mailroom, team_id: str, case_id: str, now_us: int) -> None:
    """Raise NotAllowed where a case is not in a team's own hands: what a member has beside is not the team's."""
    if not has_case(source, mailroom.authority, team_id, case_id, now_us):
        raise NotAllowed(f"This case is not your team's. {mailroom.ask}")


def may_stand_for(source: Source, mailroom: Mailroom, writer: Writer, now_us: int) -> bool:
    """Tell whether somebody else than an envelope sender may be the author: who is of a team, or has a delegation."""
    if writer.person_id is None:
        return True
    return bool(delegates_of(source, mailroom.authority, writer.person_id, now_us))
