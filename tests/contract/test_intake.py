"""The intake tray behind the keyholder: whose its mail is before it is filed, and after; and its keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.intake import month_of
from gateway.frames import FrameClient
from gateway.store import tables
from gateway.store.intake import NoIntakeKey, intake_sealing_key, waiting
from gateway.store.keystore import private_key
from gateway.store.sealing import body_key, summary_key
from tests.keyed_site import Deposited, KeyedSite


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        await running.operator.enact("add_intake_key", month=month_of(running.clock()))
        yield running


async def refused(call: object) -> None:
    with pytest.raises(NotAllowed):
        await call  # type: ignore[misc]


async def rows(site: KeyedSite, table: Table, *conditions: Any) -> list[Any]:
    return await site.database.read(lambda connection: list(connection.execute(select(table).where(*conditions))))


async def reference_of(site: KeyedSite, message: Deposited) -> str:
    (row,) = await rows(site, tables.intake, tables.intake.c.message_id == message.id)
    return str(row.reference)


# ---- whose it is


async def test_nobody_opens_what_is_not_filed_but_the_operators(site: KeyedSite) -> None:
    root, erin = await site.employee("root", role="administrator"), await site.employee("erin")
    case = await site.case(erin)
    cora = await site.correspondent(case)
    message = await site.take_in(case)
    for person in (root, erin, cora["person"]):
        token = await site.signed_in(person)
        await refused(site.keyholder.open(token, message.id))
        if person != root:
            assert await site.keyholder.list(token, case) == ()
    grant = await site.operator.intake_open(await reference_of(site, message))
    assert grant.key == body_key(message.content_key, message.id)
    (entry,) = await site.leaves("intake_opened")
    assert json.loads(entry)["by"] == "operator"
    assert json.loads(entry)["facts"] == {"message": message.id}


async def test_the_portals_socket_knows_no_operators_verb_of_the_tray(site: KeyedSite) -> None:
    message = await site.take_in()
    client = FrameClient(site.folder / "keyholder.sock", away=Malformed)  # type: ignore[arg-type]
    for verb in ("intake_open", "intake_file", "intake_put_back", "intake_discard"):
        with pytest.raises(Malformed, match="no such verb"):
            await client.ask(verb, item=message.id, messages=[message.id], case="x")
    await client.close()


async def test_a_list_opens_summaries_only_and_is_one_entry(site: KeyedSite) -> None:
    first, second = await site.take_in(), await site.take_in(tray="operators")
    other = await site.deposit(await site.case())
    grants = await site.operator.intake_summaries([first.id, second.id, other.id])
    assert {one.message_id: one.summary_key for one in grants} == {
        one.id: summary_key(one.content_key, one.id) for one in (first, second)
    }
    (entry,) = await site.leaves("intake_listed")
    assert json.loads(entry)["facts"]["count"] == 2
    with pytest.raises(Malformed):
        await site.operator.intake_summaries([first.id] * 101)


async def test_the_operators_open_no_message_of_a_case_this_way(site: KeyedSite) -> None:
    message = await site.deposit(await site.case())
    await refused(site.operator.intake_open(message.id))
    assert await site.leaves("intake_opened") == []


# ---- filing


async def test_filed_mail_stands_in_the_case_and_its_employees_are_told(site: KeyedSite) -> None:
    erin, omar = await site.employee("erin"), await site.employee("omar")
    case = await site.case(erin)
    cora = await site.correspondent(case)
    message = await site.take_in(case)
    done = await site.operator.intake_file(await reference_of(site, message), case)
    assert (done["told"], done["repeated"]) == (1, False)
    grant = await site.keyholder.open(await site.signed_in(erin), message.id)
    assert grant.key == body_key(message.content_key, message.id)
    (notice,) = await rows(site, tables.outbox, tables.outbox.c.message_id == message.id)
    assert (notice.kind, notice.person_id) == ("outside_mail_filed", erin)
    assert json.loads(notice.fields) == {"count": 1, "reference": done["reference"]}
    (row,) = await rows(site, tables.message, tables.message.c.id == message.id)
    assert (row.case_id, row.reference, row.side, row.author_id) == (case, done["reference"], "outside", None)
    (entry,) = await site.leaves("filed")
    assert json.loads(entry)["facts"]["recipients"] == [erin]
    for other in (omar, cora["person"]):
        await refused(site.keyholder.open(await site.signed_in(other), message.id))
    assert await site.keyholder.list(await site.signed_in(cora["person"]), case) == ()


async def test_filed_mail_is_sealed_to_its_case_alone(site: KeyedSite) -> None:
    case = await site.case(await site.employee())
    message = await site.take_in()
    await site.operator.intake_file(message.id, case)
    (wrap,) = await rows(site, tables.message_wrap, tables.message_wrap.c.message_id == message.id)
    (key,) = await rows(site, tables.sealing_key, tables.sealing_key.c.id == wrap.key_id)
    assert key.case_id == case
    await refused(site.operator.intake_open(message.id))


async def test_filing_twice_changes_nothing_and_into_another_case_is_refused(site: KeyedSite) -> None:
    erin = await site.employee()
    case, other = await site.case(erin), await site.case(erin)
    message = await site.take_in()
    first = await site.operator.intake_file(message.id, case)
    second = await site.operator.intake_file(message.id, case)
    assert second == {"reference": first["reference"], "told": 0, "repeated": True}
    with pytest.raises(Malformed, match="another case"):
        await site.operator.intake_file(message.id, other)
    of_mail = tables.outbox.c.message_id == message.id
    assert len(await site.leaves("filed")) == len(await rows(site, tables.outbox, of_mail)) == 1


async def test_two_filings_at_once_file_it_once(site: KeyedSite) -> None:
    erin = await site.employee()
    cases = [await site.case(erin) for _ in range(3)]
    message = await site.take_in()
    done = await asyncio.gather(
        *(site.operator.intake_file(message.id, case) for case in cases), return_exceptions=True
    )
    assert sum(isinstance(one, dict) for one in done) == 1
    assert all(isinstance(one, dict | Malformed) for one in done)
    assert len(await rows(site, tables.message_wrap, tables.message_wrap.c.message_id == message.id)) == 1


async def test_nothing_is_filed_into_a_closed_case_or_none(site: KeyedSite) -> None:
    case = await site.case(await site.employee())
    message = await site.take_in(case)
    await site.operator.enact("close_case", case=case)
    for where in (case, "T-SM-2222", "nowhere"):
        await refused(site.operator.intake_file(message.id, where))
    await refused(site.operator.intake_file("U-2222-2222", case))


async def test_under_a_session_only_what_is_proposed_to_an_own_case_is_filed(site: KeyedSite) -> None:
    root, erin = await site.employee("root", role="administrator"), await site.employee("erin")
    case, other = await site.case(erin), await site.case()
    cora = await site.correspondent(case)
    reader, clerk = await site.signed_in(erin), await site.signed_in(root)
    proposed, elsewhere = await site.take_in(case), await site.take_in(other)
    role = await site.take_in(case, tray="operators")
    await refused(site.keyholder.file(await site.signed_in(cora["person"]), proposed.id, case))
    await refused(site.keyholder.file(reader, elsewhere.id, case))
    await refused(site.keyholder.file(reader, elsewhere.id, other))
    await refused(site.keyholder.file(reader, role.id, case))
    await refused(site.keyholder.file(clerk, role.id, case))
    await site.keyholder.file(reader, proposed.id, case)
    await site.keyholder.file(clerk, elsewhere.id, other)
    assert [json.loads(one)["by"] for one in await site.leaves("filed")] == [erin, root]


async def test_what_was_put_back_is_the_cases_no_more_and_can_be_filed_elsewhere(site: KeyedSite) -> None:
    erin, omar = await site.employee("erin"), await site.employee("omar")
    case, other = await site.case(erin), await site.case(omar)
    message = await site.take_in()
    await site.operator.intake_file(message.id, case)
    assert await site.operator.intake_put_back(message.id)
    assert not await site.operator.intake_put_back(message.id)
    await refused(site.keyholder.open(await site.signed_in(erin), message.id))
    assert (await site.operator.intake_open(message.id)).key == body_key(message.content_key, message.id)
    await site.operator.intake_file(message.id, other)
    await refused(site.keyholder.open(await site.signed_in(erin), message.id))
    opened = await site.keyholder.open(await site.signed_in(omar), message.id)
    assert opened.key == body_key(message.content_key, message.id)
    assert len(await site.leaves("intake_put_back")) == 1


async def test_what_was_discarded_is_hidden_and_kept_and_comes_back(site: KeyedSite) -> None:
    case = await site.case(await site.employee())
    message = await site.take_in()
    assert await site.operator.intake_discard(message.id)
    assert not await site.operator.intake_discard(message.id)
    assert [one.count for one in await site.database.read(waiting)] == [0, 0]
    with pytest.raises(Malformed, match="Put it back first"):
        await site.operator.intake_file(message.id, case)
    assert await site.operator.intake_put_back(message.id)
    assert [one.count for one in await site.database.read(waiting)] == [1, 0]
    await site.operator.intake_file(message.id, case)
    with pytest.raises(Malformed, match="is filed"):
        await site.operator.intake_discard(message.id)
    assert len(await site.leaves("intake_discarded")) == 1


async def test_a_wrap_to_a_key_that_nobody_signed_opens_nothing(site: KeyedSite) -> None:
    message = await site.take_in()
    table = tables.sealing_key
    await site.execute(update(table).where(table.c.month == month_of(site.clock())).values(suite=7))
    await refused(site.operator.intake_open(message.id))


# ---- keys


async def keys_of(site: KeyedSite) -> set[str]:
    """The months with a key that can be sealed to."""
    table = tables.sealing_key
    return {row.month for row in await rows(site, table, table.c.month.is_not(None), table.c.retired_us.is_(None))}


async def test_this_months_key_and_the_next_are_made_by_themselves(site: KeyedSite) -> None:
    now = site.clock()
    wanted = {month_of(now), month_of(now.replace(day=28) + timedelta(days=4))}
    async with asyncio.timeout(60):
        while await keys_of(site) != wanted:
            await asyncio.sleep(0.05)
    with pytest.raises(NoIntakeKey):
        await site.database.read(intake_sealing_key, site.authority, "1999-12")


async def test_a_spent_key_is_retired_and_one_with_mail_is_kept(site: KeyedSite) -> None:
    case = await site.case(await site.employee())
    for month in ("2020-01", "2020-02"):
        await site.operator.enact("add_intake_key", month=month)
    message = await site.take_in(month="2020-02")
    spent = (await site.operator.enact("retire_intake_keys"))["retired"]
    assert len(spent) == 1
    assert {"2020-02"} == await keys_of(site) - {one for one in await keys_of(site) if one > "2021"}
    assert site.keystore.remove(spent) == 1
    assert (await site.operator.intake_open(message.id)).message_id == message.id
    await site.operator.intake_file(message.id, case)
    again = (await site.operator.enact("retire_intake_keys"))["retired"]
    assert set(spent) < set(again)
    assert len(await site.leaves("intake_key_retired")) == 2


async def test_last_months_key_is_kept_for_a_week(site: KeyedSite) -> None:
    first = site.clock().replace(day=1, hour=0, minute=0)
    last = month_of(first - timedelta(days=1))
    await site.operator.enact("add_intake_key", month=last)
    site.clock.ahead = first + timedelta(days=6) - (site.clock() - site.clock.ahead)
    assert (await site.operator.enact("retire_intake_keys"))["retired"] == []
    site.clock.ahead += timedelta(days=2)
    assert len((await site.operator.enact("retire_intake_keys"))["retired"]) == 1


async def test_a_key_that_somebody_else_retired_is_not_destroyed(site: KeyedSite) -> None:
    await site.operator.enact("add_intake_key", month="2020-01")
    table = tables.sealing_key
    await site.execute(update(table).where(table.c.month == "2020-01").values(retired_us=1))
    assert (await site.operator.enact("retire_intake_keys"))["retired"] == []


async def test_a_spent_keys_private_half_is_gone_at_the_next_look(tmp_path: Path, store_url: str) -> None:
    async with KeyedSite(tmp_path, store_url).running() as site:
        made = await site.operator.enact("add_intake_key", month="2020-01")
    again = KeyedSite(tmp_path, store_url)
    async with again.running() as site, asyncio.timeout(60):
        while site.keystore.wrapped([made["key"]]):
            await asyncio.sleep(0.05)
        assert site.keystore.database.read_now(lambda c: c.execute(select(private_key.c.id)).all())
