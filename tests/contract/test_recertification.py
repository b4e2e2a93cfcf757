"""Access ends by itself when nobody has confirmed it in time, and holds again at once when somebody does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.casework.endings import tell_endings
from gateway.domain.errors import NotAllowed
from gateway.domain.programme import Recertification
from gateway.domain.rights import Verb
from gateway.store import tables
from gateway.store.cases import correspondents, office, standing
from gateway.store.recertification import recertify
from tests.keyed_site import KeyedSite

DAY_US = 24 * 3600 * 1_000_000
RULE = Recertification(access_us=365 * DAY_US, privileged_us=182 * DAY_US)


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    made = KeyedSite(tmp_path, store_url)
    made.programmes["cwa"] = replace(made.programmes["cwa"], recertification=RULE)
    async with made.running() as running:
        yield running


async def may_read(site: KeyedSite, case: str, person: str) -> bool:
    place = await site.database.read(standing, site.authority, case, person, site.clock.now_us)
    return place is not None and place.may(Verb.READ)


async def findings(site: KeyedSite) -> set[tuple[str, str]]:
    made = await site.database.read(recertify, site.authority, 60, 4000, site.clock.now_us)
    return {(one.kind.value, one.name) for one in made.findings if "confirm" in one.kind.value}


async def told(site: KeyedSite) -> list[tuple[str, str]]:
    await site.database.run(tell_endings, site.authority, site.programmes)
    rows = await site.database.read(lambda rows: rows.execute(tables.outbox.select()).all())
    return sorted((row.person_id, json.loads(row.fields)["state"]) for row in rows if row.kind == "access_ending")


async def test_a_place_that_nobody_confirmed_in_time_gives_nothing_until_somebody_does(site: KeyedSite) -> None:
    case = await site.case()
    cora = await site.correspondent(case)
    person = cora["person"]
    message = await site.deposit(case, person)
    site.clock.forward(hours=364 * 24)
    assert await may_read(site, case, person)
    assert await findings(site) == {("confirmation-due", "Cora")}
    site.clock.forward(hours=24)
    assert not await may_read(site, case, person)
    assert await site.database.read(correspondents, site.authority, case, site.clock.now_us) == {}
    assert await findings(site) == {("not-confirmed", "Cora")}
    token = await site.signed_in(person)
    with pytest.raises(NotAllowed):
        await site.keyholder.open(token, message.id)
    done = await site.operator.enact("recertify", person=person)
    assert done == {"person": person, "confirmed": 1}
    assert await may_read(site, case, person)
    await site.keyholder.open(token, message.id)
    assert await findings(site) == set()
    (entry,) = await site.leaves("recertified")
    assert json.loads(entry)["facts"]["confirmed"] == [cora["designated_user"]]


async def test_an_employee_whose_roles_nobody_confirmed_stands_in_no_case_and_administers_nothing(
    site: KeyedSite,
) -> None:
    erin = await site.employee()
    ada = await site.employee("ada", role="administrator")
    case = await site.case(erin)
    token = await site.signed_in(ada)
    await site.keyholder.enact(token, "assign", case=case, person=ada)
    assert await site.database.read(office, site.authority, case, site.clock.now_us) == {erin, ada}
    site.clock.forward(hours=182 * 24)
    token = await site.signed_in(ada)
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(token, "end_person", person=erin)
    assert await site.database.read(office, site.authority, case, site.clock.now_us) == {erin}
    assert not await may_read(site, case, ada)
    assert await may_read(site, case, erin)
    assert ("not-confirmed", "Ada") in await findings(site)
    await site.operator.enact("recertify", person=ada)
    assert await may_read(site, case, ada)
    site.clock.forward(hours=183 * 24)
    assert not await may_read(site, case, erin)


async def test_a_role_that_ends_ends_what_it_gave_in_cases_too(site: KeyedSite) -> None:
    erin = await site.employee()
    case = await site.case(erin)
    await site.operator.enact("give_role", person=erin, role="employee", until_us=site.clock.now_us + DAY_US)
    assert await may_read(site, case, erin)
    site.clock.forward(hours=24)
    assert not await may_read(site, case, erin)


async def test_nobody_confirms_their_own_access_nor_where_there_is_none(site: KeyedSite) -> None:
    ada = await site.employee("ada", role="administrator")
    erin = await site.employee()
    token = await site.signed_in(ada)
    with pytest.raises(NotAllowed, match="Somebody else"):
        await site.keyholder.enact(token, "recertify", person=ada)
    await site.keyholder.enact(token, "recertify", person=erin)
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(await site.signed_in(erin), "recertify", person=ada)
    await site.operator.enact("end_role", person=erin, role="employee")
    with pytest.raises(NotAllowed, match="no access"):
        await site.operator.enact("recertify", person=erin)


async def test_a_later_day_that_somebody_wrote_into_the_store_counts_for_nothing(site: KeyedSite) -> None:
    case = await site.case()
    cora = await site.correspondent(case)
    table = tables.designated_user
    await site.execute(update(table).values(due_us=site.clock.now_us + 4000 * DAY_US))
    assert not await may_read(site, case, cora["person"])


async def test_who_is_to_be_confirmed_is_told_before(site: KeyedSite) -> None:
    cora = await site.correspondent(await site.case())
    erin = await site.employee()
    site.clock.forward(hours=300 * 24)
    assert await told(site) == []
    site.clock.forward(hours=36 * 24)
    assert await told(site) == sorted([(cora["person"], "confirmation_due"), (erin, "confirmation_due")])


async def test_without_a_figure_access_holds_for_good(site: KeyedSite) -> None:
    site.programmes["cwa"] = replace(site.programmes["cwa"], recertification=Recertification())
    case = await site.case()
    cora = await site.correspondent(case)
    site.clock.forward(hours=5000 * 24)
    assert await may_read(site, case, cora["person"])
    assert await site.operator.enact("recertify", person=cora["person"])
    site.clock.forward(hours=5000 * 24)
    assert await may_read(site, case, cora["person"])
