"""What the keyholder lets clerks of the tray do, whatever the portal says; and what is overdue, told once a day."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from gateway.casework import filing
from gateway.casework.waiting import tell_waiting
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, Moved, NotAllowed, RateExceeded
from gateway.domain.intake import month_of
from gateway.store import tables
from gateway.store.handling import queue
from gateway.store.intake import intake_sealing_key, item
from gateway.store.sealing import summary_key
from tests.keyed_site import Deposited, KeyedSite

DAY_US = 24 * 3600 * 1_000_000


@pytest_asyncio.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        await running.operator.enact("add_intake_key", month=month_of(running.clock()))
        yield running


async def facts(site: KeyedSite, kind: str) -> list[dict[str, object]]:
    return [json.loads(one)["facts"] for one in await site.leaves(kind)]


async def rows(site: KeyedSite, table: object) -> list[object]:
    return await site.database.read(lambda connection: connection.execute(select(table)).all())  # type: ignore[call-overload]


async def wrapped_to(site: KeyedSite, message: Deposited) -> set[str]:
    """What the keys are of that an item is sealed to now."""
    wraps, keys = tables.message_wrap, tables.sealing_key
    wanted = select(keys).join(wraps, wraps.c.key_id == keys.c.id).where(wraps.c.message_id == message.id)
    found = await site.database.read(lambda connection: connection.execute(wanted).all())
    return {"case" if one.case_id else "agreement" if one.agreement_id else "month" for one in found}


async def test_who_works_the_tray_sees_summaries_of_what_is_theirs_and_nobody_else_any(site: KeyedSite) -> None:
    edda, erin = await site.employee("edda", role="enroller"), await site.employee("erin")
    away = await site.employee("away", role="enroller", programme="other")
    plain, role = await site.take_in(), await site.take_in(tray="operators")
    proposed = await site.take_in(await site.case(erin))
    ids = [plain.id, role.id, proposed.id]
    token = await site.signed_in(edda)
    grants = await site.keyholder.intake_summaries(token, ids)
    assert {one.message_id: one.summary_key for one in grants} == {
        one.id: summary_key(one.content_key, one.id) for one in (plain, proposed)
    }
    assert [one["units"] for one in await facts(site, "intake_listed")] == [2]
    assert {one.message_id for one in await site.keyholder.intake_summaries(await site.signed_in(away), ids)} == {
        plain.id
    }
    with pytest.raises(NotAllowed):
        await site.keyholder.intake_summaries(await site.signed_in(erin), ids)
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(await site.signed_in(away), "claim_item", item=proposed.id)
    with pytest.raises(NotAllowed):
        await site.keyholder.enact(token, "misdirect_item", item=role.id, reason="other")


async def test_items_of_another_programme_do_not_take_the_places_of_a_queues_page(site: KeyedSite) -> None:
    away = await site.case(await site.employee("away", programme="other"), programme="other")
    for _ in range(3):
        await site.take_in(away)
    plain, own = await site.take_in(), await site.take_in(await site.case())
    now_us = to_microseconds(site.clock())
    (first,) = await site.database.read(queue, "cwa", now_us, 1)
    assert first.row.id == plain.id
    (next_one,) = await site.database.read(queue, "cwa", now_us, 1, (first.row.received_us, first.row.id))
    assert next_one.row.id == own.id


async def test_summaries_count_at_the_rate_of_their_session(site: KeyedSite) -> None:
    message, edda = await site.take_in(), await site.employee("edda", role="enroller")
    token = await site.signed_in(edda)
    site.server._rates._sessions.limit = 3
    for _ in range(3):
        await site.keyholder.intake_summaries(token, [message.id])
    with pytest.raises(RateExceeded):
        await site.keyholder.intake_summaries(token, [message.id])


async def test_of_two_who_claim_at_once_one_has_it_until_it_ends_is_given_back_or_taken_over(site: KeyedSite) -> None:
    edda, emil = await site.employee("edda", role="enroller"), await site.employee("emil", role="enroller")
    message, tokens = await site.take_in(), [await site.signed_in(one) for one in (edda, emil)]
    claims = [site.keyholder.enact(token, "claim_item", item=message.id, minutes=15) for token in tokens]
    done = await asyncio.gather(*claims, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Moved", "dict"]
    has, other = tokens if isinstance(done[0], dict) else reversed(tokens)
    with pytest.raises(Moved):
        await site.keyholder.enact(other, "discard_item", item=message.id)
    with pytest.raises(Moved):
        await site.keyholder.file(other, message.id, await site.case())
    assert (await site.keyholder.enact(other, "release_item", item=message.id))["released"] is False
    assert (await site.keyholder.enact(other, "claim_item", item=message.id, take_over=True))["taken_over"]
    site.clock.forward(minutes=16)
    await site.keyholder.enact(has, "claim_item", item=message.id)
    assert (await site.operator.enact("release_item", item=message.id))["released"]
    with pytest.raises(Malformed):
        await site.keyholder.enact(has, "claim_item", item=message.id, minutes=241)


async def test_each_act_is_undone_within_ten_minutes_and_once(site: KeyedSite) -> None:
    edda = await site.employee("edda", role="enroller")
    message, case, token = await site.take_in(), await site.case(), await site.signed_in(edda)
    await site.keyholder.file(token, message.id, case)
    assert await wrapped_to(site, message) == {"case"}
    assert await site.keyholder.intake_undo(token, message.id) == "filed"
    assert await wrapped_to(site, message) == {"month"}
    assert (await site.operator.intake_open(message.id)).message_id == message.id
    with pytest.raises(Malformed):
        await site.keyholder.intake_undo(token, message.id)
    for verb, more in (("discard_item", {}), ("misdirect_item", {"reason": "other-office"})):
        await site.keyholder.enact(token, verb, item=message.id, **more)
        await site.keyholder.intake_undo(token, message.id)
    await site.keyholder.enact(token, "discard_item", item=message.id)
    site.clock.forward(minutes=11)
    with pytest.raises(Malformed):
        await site.keyholder.intake_undo(token, message.id)
    assert [one["act"] for one in await facts(site, "intake_undone")] == ["filed", "discarded", "misdirected"]


async def test_one_document_shows_several_papers_and_goes_back_when_the_last_is_taken(site: KeyedSite) -> None:
    edda, message = await site.employee("edda", role="enroller"), await site.take_in()
    token, case = await site.signed_in(edda), await site.case()
    opened = {"programme": "cwa", "received": "2026-01-05", "cases": [], "fields": {}}
    first, second = [(await site.operator.enact("open_agreement", **opened))["reference"] for _ in range(2)]
    for agreement in (first, second, second):
        await site.keyholder.paper_link(token, agreement, message.id)
    assert await wrapped_to(site, message) == {"agreement"}
    assert len(await rows(site, tables.form_document)) == 2
    await site.keyholder.file(token, message.id, case)
    assert await wrapped_to(site, message) == {"agreement", "case"}
    with pytest.raises(Malformed):
        await site.keyholder.paper_link(token, first, message.id)
    assert await site.keyholder.intake_undo(token, message.id) == "filed"
    assert await wrapped_to(site, message) == {"agreement"}
    papers = [one.form_id for one in await rows(site, tables.form_document)]  # type: ignore[attr-defined]
    for number, paper in enumerate(papers):
        assert await wrapped_to(site, message) == {"agreement"}, number
        await site.keyholder.paper_unlink(token, message.id, paper)
    assert await wrapped_to(site, message) == {"month"}
    assert (await site.operator.intake_open(message.id)).message_id == message.id


@pytest.mark.parametrize("at_once", ["two papers", "a paper and the case"])
async def test_who_takes_an_items_last_two_places_at_once_leaves_it_one(site: KeyedSite, at_once: str) -> None:
    edda, message = await site.employee("edda", role="enroller"), await site.take_in()
    token = await site.signed_in(edda)
    opened = {"programme": "cwa", "received": "2026-01-05", "cases": [], "fields": {}}
    for _ in range(1 if at_once == "a paper and the case" else 2):
        agreement = (await site.operator.enact("open_agreement", **opened))["reference"]
        await site.keyholder.paper_link(token, agreement, message.id)
    papers = [one.form_id for one in await rows(site, tables.form_document)]  # type: ignore[attr-defined]
    places: list[str | None] = [*papers]
    if len(papers) == 1:
        await site.keyholder.file(token, message.id, await site.case())
        places.append(None)
    key, month = site.server._key, month_of(site.clock())

    def look(connection: Connection) -> list[tuple[object, filing.Move | None]]:
        to, row = intake_sealing_key(connection, key, month), item(connection, message.id)
        return [(row, filing.find_place_taken(connection, key, row, place, to)) for place in places]

    first, second = await site.database.read(look)  # both look, and then both act
    await site.database.run(filing.enter_place_taken, edda, first[0], places[0], first[1], b"")
    with pytest.raises(Moved):
        await site.database.run(filing.enter_place_taken, edda, second[0], places[1], second[1], b"")
    assert await wrapped_to(site, message) == {"agreement" if places[1] else "case"}


async def test_what_a_case_has_alone_is_no_clerks_to_link(site: KeyedSite) -> None:
    edda, message = await site.employee("edda", role="enroller"), await site.take_in()
    token = await site.signed_in(edda)
    opened = {"programme": "cwa", "received": "2026-01-05", "cases": [], "fields": {}}
    agreement = (await site.operator.enact("open_agreement", **opened))["reference"]
    await site.keyholder.file(token, message.id, await site.case())
    for asked in (
        site.keyholder.paper_look(token, message.id),
        site.keyholder.paper_link(token, agreement, message.id),
    ):
        with pytest.raises(NotAllowed):
            await asked


async def test_pages_are_put_by_number_and_nothing_else(site: KeyedSite) -> None:
    message = await site.take_in()
    put = {"item": message.id, "kind": "split", "turns": {"2": "90"}}
    await site.operator.enact("arrange_item", **put, sections=["1", "2 3"])
    with pytest.raises(Moved):
        await site.operator.enact("arrange_item", **put, sections=["1"])
    for wrong in (["1 1"], ["1", "1"], ["0"], ["x"], [""], ["1001"]):
        with pytest.raises(Malformed):
            await site.operator.enact("arrange_item", **put, sections=wrong, version=1)
    with pytest.raises(Malformed):
        await site.operator.enact("arrange_item", **{**put, "turns": {"1": "45"}}, sections=["1"], version=1)
    assert await site.operator.intake_undo(message.id) == "split"


async def test_what_is_overdue_is_told_to_who_works_the_tray_once_a_day(site: KeyedSite) -> None:
    edda, _ = await site.employee("edda", role="enroller"), await site.employee("erin")
    await site.take_in()
    await site.take_in(tray="operators")

    async def tell() -> int:
        return await site.database.run(tell_waiting, site.authority, site.programmes, 3 * DAY_US)

    assert await tell() == 0
    site.clock.forward(days=4)
    assert await tell() == 1
    assert await tell() == 0
    site.clock.forward(days=1, minutes=1)
    assert await tell() == 1
    told = [one for one in await rows(site, tables.outbox) if one.kind == "intake_waiting"]  # type: ignore[attr-defined]
    assert {(one.person_id, json.loads(one.fields)["count"]) for one in told} == {(edda, 1)}  # type: ignore[attr-defined]
