"""People known here whom a clerk may take a line of an appendix for: proposed, and confirmed by the person alone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from gateway.domain.rights import Side
from gateway.store.tables import designated_user, person, person_address

MOST = 5


@dataclass(frozen=True, slots=True)
class Match:
    """A person of the other side with the same address or name, and in how many agreements they stand."""

    person_id: str
    username: str
    name: str
    same_address: bool
    agreements: int


def people_like(connection: Connection, programme: str, name: str, address_key: str, now_us: int) -> list[Match]:
    """Return the people of a programme who share a present address or the name, at most `MOST`."""
    holds = or_(person_address.c.until_us.is_(None), person_address.c.until_us > now_us)
    by_address = select(person_address.c.person_id).where(person_address.c.key == address_key, holds)
    places = (
        select(func.count())
        .select_from(designated_user)
        .where(
            designated_user.c.person_id == person.c.id,
            or_(designated_user.c.until_us.is_(None), designated_user.c.until_us > now_us),
        )
        .scalar_subquery()
    )
    wanted = (
        select(
            person.c.id,
            person.c.username,
            person.c.name,
            person.c.id.in_(by_address).label("same"),
            places.label("places"),
        )
        .where(
            person.c.programme == programme,
            person.c.side == Side.CORRESPONDENT.value,
            person.c.ended_us.is_(None),
            or_(person.c.id.in_(by_address), func.lower(person.c.name) == " ".join(name.split()).lower()),
        )
        .order_by(person.c.id)
        .limit(MOST)
    )
    return [
        Match(row.id, row.username or "", row.name, bool(row.same), int(row.places))
        for row in connection.execute(wanted)
    ]
