"""A leaver's thread addresses go on for the successor, and a leaving is taken back: over SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.reference import parse
from gateway.domain.rights import Capacity
from gateway.store import tables
from gateway.store.database import Database
from tests.contract.test_absence import Office, door, send, site, time
from tests.settled import THREADS
from tests.timed import Time

__all__ = ["door", "site", "time"]


def leave(site: Office, time: Time, who: str, to: str) -> None:
    time.pass_by(hours=1)
    site.enact("leave", person=site.people[who], successor=site.people[to])
    time.pass_by(hours=1)


async def test_a_leavers_thread_address_works_for_the_successor_and_theirs(site: Office, door: Any, time: Time) -> None:
    reply = site.answer("lena", site.alone)
    address = str(THREADS.of(parse(reply.reference), site.people["vera"]))
    leave(site, time, "vera", "dana")
    assert (await send(door, site, "dana", address)).parent_id == reply.id
    with pytest.raises(NotAllowed, match="another employee"):
        await send(door, site, "omar", address)
    leave(site, time, "dana", "omar")
    assert (await send(door, site, "omar", address)).parent_id == reply.id


async def test_who_returns_has_their_cases_teams_and_addresses_again(site: Office, door: Any, time: Time) -> None:
    reply = site.answer("lena", site.alone)
    address = str(THREADS.of(parse(reply.reference), site.people["vera"]))
    leave(site, time, "vera", "omar")
    assert site.capacity("vera", site.alone) is None
    done = site.enact("readmit", person="vera")
    assert (done["cases"], done["teams"], done["moved"]) == (1, 1, 0)
    assert site.capacity("vera", site.alone) is Capacity.OF_THE_CASE
    assert site.capacity("omar", site.alone) is None
    assert (await send(door, site, "vera", address)).parent_id == reply.id
    with pytest.raises(NotAllowed):
        await send(door, site, "omar", address)
    with pytest.raises(NotAllowed, match="Nobody of that name"):
        site.enact("readmit", person="vera")


def test_what_has_gone_on_to_others_stays_there(site: Office, time: Time) -> None:
    leave(site, time, "vera", "omar")
    site.enact("unassign", case=site.alone["case"], person=site.people["omar"])
    site.enact("assign", case=site.alone["case"], person=site.people["dana"])
    done = site.enact("readmit", person="vera")
    assert (done["cases"], done["teams"], done["moved"]) == (0, 1, 1)
    assert site.capacity("vera", site.alone) is None
    assert site.capacity("dana", site.alone) is Capacity.OF_THE_CASE


def test_what_the_successor_had_before_they_keep(site: Office, time: Time) -> None:
    """Eve supervises a team, dana is of it and of the other: the place is dana's still once eve is back."""
    leave(site, time, "eve", "dana")
    members = tables.team_member

    def places(database: Database) -> list[tuple[str, int]]:
        wanted = select(members).where(members.c.until_us.is_(None)).order_by(members.c.id)
        names = {person: name for name, person in site.people.items()}
        return [(names[row.person_id], row.supervisor) for row in database.read_now(lambda c: c.execute(wanted).all())]

    assert ("dana", 1) in places(site.database)
    site.enact("readmit", person="eve")
    assert sorted(places(site.database)) == [("dana", 0), ("dana", 0), ("eve", 1), ("omar", 0), ("vera", 0)]


def test_no_credential_and_no_other_role_comes_back(site: Office, time: Time) -> None:
    site.enact("give_role", person=site.people["vera"], role="administrator")
    site.enact("add_credential", person=site.people["vera"], kind="password", label="x", data="y")
    leave(site, time, "vera", "dana")
    site.enact("readmit", person="vera")
    held = {row.role for row in rows(site, tables.role) if row.person_id == site.people["vera"] and not row.until_us}
    assert held == {"employee"}
    assert all(row.revoked_us for row in rows(site, tables.credential))


def test_nobody_returns_to_an_address_that_is_taken_or_who_did_not_leave_so(site: Office, time: Time) -> None:
    leave(site, time, "vera", "dana")
    site.enact("add_employee", programme="cwa", name="Other", address="vera@agency.example", username="vera2")
    with pytest.raises(Malformed, match="somebody else's now"):
        site.enact("readmit", person="vera")
    site.enact("end_person", person=site.people["eve"])
    for known_as in ("eve", "omar", "ines", "nobody"):
        with pytest.raises(NotAllowed, match="Nobody of that name"):
            site.enact("readmit", person=known_as)
    with pytest.raises(NotAllowed):
        site.as_somebody(site.by("dana"), "readmit", person="vera")


def rows(site: Office, table: Any) -> list[Any]:
    return list(site.database.read_now(lambda c: c.execute(select(table)).all()))


def test_a_successor_who_is_of_the_team_no_more_is_deputy_there_no_more(site: Office, time: Time) -> None:
    """Omar gets eve's place beside vera by her leaving, and stands in for vera until eve is back."""
    leave(site, time, "eve", "omar")
    site.away("vera", "omar")
    site.away("dana", "omar", "2026-04-01", "2026-04-02")
    site.enact("readmit", person="eve")
    assert site.absences() == ["dana"]
    assert ("vera", "deputy_gone") in site.told("absence")
    assert ("dana", "deputy_gone") not in site.told("absence")
