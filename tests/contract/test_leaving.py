from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated
from gateway.identity.sessions import SessionLimits
from gateway.store import tables
from tests.keyed_site import KeyedSite

HOUR_US = 3600 * 1_000_000


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


async def rows(site: KeyedSite, table: object) -> list:
    return await site.database.read(lambda c: c.execute(select(table)).all())  # type: ignore[call-overload]


async def test_a_leavers_work_goes_to_the_successor_and_everything_of_theirs_ends(site: KeyedSite) -> None:
    erin, frank = await site.employee(), await site.employee("frank")
    case = await site.case(erin)
    team = (await site.operator.enact("add_team", programme="cwa", name="Desk", address="desk@agency.example"))["team"]
    await site.operator.enact("add_team_member", team=team, person=erin, supervisor=True)
    await site.enrol(erin)
    token = await site.signed_in(erin)
    heirs = await site.signed_in(frank)
    waiting = await site.deposit(case, erin, side="correspondent")
    with pytest.raises(NotAllowed):
        await site.keyholder.list(heirs, case)
    told = await site.operator.enact("leave", person=erin, successor=frank, preview=True)
    assert (told["cases"], told["teams"], told["unopened"], told["done"]) == (1, 1, 1, 0)
    assert await site.keyholder.list(token, case)
    done = await site.operator.enact("leave", person=erin, successor=frank)
    assert done["done"] == 1
    with pytest.raises(NotAuthenticated):
        await site.keyholder.list(token, case)
    assert len(await site.keyholder.list(heirs, case)) == 1
    owed = {(row.person_id, row.message_id) for row in await rows(site, tables.recipient)}
    assert (frank, waiting.id) in owed
    notices = [row for row in await rows(site, tables.outbox) if row.person_id == frank]
    assert [(row.kind, row.case_id) for row in notices] == [("reply_received", case)]
    [place] = [row for row in await rows(site, tables.team_member) if row.person_id == frank]
    assert (place.team_id, place.supervisor, place.until_us) == (team, 1, None)
    assert all(row.revoked_us for row in await rows(site, tables.credential) if row.person_id == erin)
    assert len(await site.leaves("employee_left")) == 1
    with pytest.raises(NotAllowed):
        await site.operator.enact("leave", person=erin, successor=frank)


async def test_what_the_successor_has_already_is_not_given_twice(site: KeyedSite) -> None:
    erin, frank = await site.employee(), await site.employee("frank")
    case = await site.case(erin)
    await site.operator.enact("assign", case=case, person=frank)
    both = await site.deposit(case, erin, frank, side="correspondent")
    await site.operator.enact("leave", person=erin, successor=frank)
    mine = [row for row in await rows(site, tables.assignment) if row.person_id == frank]
    assert [row.case_id for row in mine] == [case]
    assert [row.person_id for row in await rows(site, tables.recipient) if row.message_id == both.id].count(frank) == 1


async def test_nobody_hands_over_to_themselves_to_another_programme_or_to_the_other_side(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    cora = await site.correspondent(case)
    with pytest.raises(Malformed):
        await site.operator.enact("leave", person=erin, successor=erin)
    with pytest.raises(NotAllowed):
        await site.operator.enact("leave", person=erin, successor=cora["person"])
    assert len(await site.keyholder.list(await site.signed_in(erin), case)) == 0


async def test_only_those_who_administer_let_somebody_leave(site: KeyedSite) -> None:
    erin, frank = await site.employee(), await site.employee("frank")
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(await site.signed_in(frank), "leave", person=erin, successor=frank)


async def test_a_deputys_live_session_ends_in_the_absent_ones_cases_at_midnight(site: KeyedSite) -> None:
    """The session goes on, and so does what is the deputy's own; what was the other's is closed to it."""
    erin, frank = await site.employee(), await site.employee("frank")
    case, own = await site.case(erin), await site.case(frank)
    zone = site.programmes["cwa"].zone
    now = site.clock().astimezone(zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
    site.clock.forward(seconds=midnight.timestamp() - now.timestamp() - 7200)
    day = (midnight - timedelta(hours=1)).date().isoformat()
    await site.enrol(frank)
    token = await site.signed_in(frank, SessionLimits(idle_us=6 * HOUR_US, absolute_us=6 * HOUR_US))
    letter = await site.deposit(case, erin, side="correspondent")
    with pytest.raises(NotAllowed):
        await site.keyholder.list(token, case)
    await site.operator.enact("add_absence", person=erin, deputy=frank, from_day=day, until_day=day)
    assert len(await site.keyholder.list(token, case)) == 1
    assert await site.keyholder.open(token, letter.id)
    assert len(await site.leaves("absence_entered")) == 1
    site.clock.forward(seconds=7201)
    with pytest.raises(NotAllowed):
        await site.keyholder.list(token, case)
    with pytest.raises(NotAllowed):
        await site.keyholder.open(token, letter.id)
    assert len(await site.keyholder.list(token, own)) == 0
