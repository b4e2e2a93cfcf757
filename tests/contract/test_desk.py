"""What the enrolment desk rests on: verbs that know what was looked at, documents under a session, lists, matches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.address import parse_address
from gateway.domain.enrolment import DAY_US, AgreementState
from gateway.domain.errors import Malformed, Moved, NotAllowed, RateExceeded
from gateway.store import tables
from gateway.store.enrolment_list import Wish, count_before, count_waiting, list_agreements
from gateway.store.ids import new_id
from gateway.store.matches import people_like
from tests.contract.test_enrolment import PROGRAMME, Desk
from tests.keyed_site import KeyedSite
from tests.papers import CONSENT, INFORMATION


@pytest.fixture
async def site(tmp_path: Path, store_url: str) -> AsyncIterator[KeyedSite]:
    async with KeyedSite(tmp_path, store_url).running() as running:
        yield running


@pytest.fixture
def desk(site: KeyedSite) -> Desk:
    return Desk(site)


async def version(site: KeyedSite, agreement: str) -> int:
    wanted = select(tables.enrolment.c.version).where(tables.enrolment.c.agreement_id == agreement)
    return int(await site.database.read(lambda rows: rows.execute(wanted).scalar_one()))


async def listed(site: KeyedSite, wish: Wish, most: int = 25) -> tuple[list[dict[str, Any]], str]:
    now_us = site.clock.now_us
    return await site.database.read(list_agreements, site.authority, PROGRAMME, wish, now_us, most)


async def test_a_step_is_refused_to_who_saw_another_version(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    user = (await desk.named(agreement))["designated_user"]
    seen = await version(site, agreement)
    await desk.do("review_agreement", agreement=agreement, version=seen)
    with pytest.raises(Moved):
        await desk.do("suspend_agreement", agreement=agreement, version=seen)
    await desk.do("suspend_agreement", agreement=agreement, version=seen + 1)
    await desk.do("resume_agreement", agreement=agreement, version=seen + 2)
    meeting = {"designated_user": user, "starts_us": site.clock.now_us + DAY_US}
    await desk.do("schedule_meeting", **meeting, version=1)
    with pytest.raises(Moved):
        await desk.do("schedule_meeting", **meeting, version=1)
    held = {"designated_user": user, "outcome": "identified", "document": "passport"}
    checks = list(PROGRAMME.enrolment.checklist)
    await desk.do("hold_meeting", **held, checks=checks, version=2)
    code = {"designated_user": user, "expires_us": site.clock.now_us + 2 * DAY_US, "version": 3}
    await desk.do("invite_user", **code, lookup="one")
    with pytest.raises(Moved):
        await desk.do("invite_user", **code, lookup="two")


async def test_what_is_opened_by_one_key_is_opened_once(site: KeyedSite, desk: Desk) -> None:
    arguments = {"programme": "cwa", "received": await desk.today(), "cases": [], "fields": {}, "key": new_id()}
    first = await desk.do("open_agreement", **arguments)
    assert await desk.do("open_agreement", **arguments) == first
    with pytest.raises(Malformed):
        await desk.do("open_agreement", **{**arguments, "key": "mine"})
    by_hand = await site.correspondent(await site.case())
    with pytest.raises(Malformed):
        await desk.do("open_agreement", **{**arguments, "key": by_hand["agreement"]})


async def test_an_authorisation_with_one_key_is_entered_once(site: KeyedSite, desk: Desk) -> None:
    made = await desk.active(await site.case(), role="designee")
    key = new_id()
    arguments = {
        "designated_user": made["user"],
        "kind": "authorisation-see",
        "received": await desk.today(),
        "fields": INFORMATION,
        "cases": [],
        "key": key,
    }
    first = await desk.do("add_authorisation", **arguments)
    assert (await desk.do("add_authorisation", **arguments))["authorisation"] == first["authorisation"]
    other = await desk.active(await site.case(), name="dora", role="designee")
    with pytest.raises(Malformed):
        await desk.do("add_authorisation", **{**arguments, "designated_user": other["user"]})


async def test_a_field_that_somebody_else_has_written_meanwhile_is_not_written_over(
    site: KeyedSite, desk: Desk
) -> None:
    agreement = await desk.opened(fields={"agent-name": "Vale", "matter": "Tour"})
    await desk.do("set_fields", agreement=agreement, fields={"agent-name": "Vale Ltd"}, before={"agent-name": "Vale"})
    with pytest.raises(Moved):
        await desk.do("set_fields", agreement=agreement, fields={"agent-name": "V."}, before={"agent-name": "Vale"})
    await desk.do("set_fields", agreement=agreement, fields={"matter": "Season"}, before={"matter": "Tour"})
    await desk.do("set_fields", agreement=agreement, fields={"signer-name": "I"}, before={"signer-name": ""})


async def test_one_line_of_the_appendix_is_named_once(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case())
    await desk.named(agreement)
    with pytest.raises(Malformed):
        await desk.named(agreement)
    await desk.named(agreement, role="designee")


async def test_a_clerk_opens_what_waits_and_what_shows_a_paper_and_nothing_else(site: KeyedSite, desk: Desk) -> None:
    clerk = await site.employee("edda", role="enroller")
    token = await site.signed_in(clerk)
    case = await site.case(clerk)
    agreement = await desk.opened(case)
    waiting, other = await site.take_in(), await site.take_in(tray="operators")
    assert (await site.keyholder.paper_look(token, waiting.id)).message_id == waiting.id
    with pytest.raises(NotAllowed):
        await site.keyholder.paper_look(token, other.id)
    with pytest.raises(NotAllowed):
        await site.keyholder.paper_link(token, agreement, other.id)
    with pytest.raises(Malformed):
        await site.keyholder.paper_unlink(token, waiting.id)
    await site.keyholder.paper_link(token, agreement, waiting.id)
    assert (await site.keyholder.paper_look(token, waiting.id)).message_id == waiting.id
    await site.keyholder.paper_unlink(token, waiting.id)
    assert len(await site.leaves("document_opened")) == 2
    filed = await site.take_in()
    await site.operator.intake_file(filed.id, case)
    discarded = await site.take_in()
    await site.operator.intake_discard(discarded.id)
    for gone in (filed, discarded, await site.deposit(case)):
        with pytest.raises(NotAllowed):
            await site.keyholder.paper_look(token, gone.id)


async def test_a_document_is_nothing_to_who_does_not_enrol_here(site: KeyedSite, desk: Desk) -> None:
    agreement = await desk.opened(await site.case(), fields=CONSENT)
    waiting, linked = await site.take_in(), await site.take_in()
    await site.operator.paper_link(agreement, linked.id)
    people = [await site.employee("plain"), await site.employee("away", role="enroller", programme="other")]
    people.append((await site.correspondent(await site.case()))["person"])
    for person in people:
        token = await site.signed_in(person)
        with pytest.raises(NotAllowed):
            await site.keyholder.paper_look(token, linked.id)
        with pytest.raises(NotAllowed):
            await site.keyholder.paper_unlink(token, linked.id)
        with pytest.raises(NotAllowed):
            await site.keyholder.paper_open(token, agreement)
        with pytest.raises(NotAllowed):
            await site.keyholder.paper_link(token, agreement, waiting.id)
    assert await site.leaves("document_opened") == []


async def test_a_document_that_points_to_another_agreement_is_not_opened(site: KeyedSite, desk: Desk) -> None:
    token = await site.signed_in(await site.employee("edda", role="enroller"))
    mine, other = await desk.opened(), await desk.opened()
    document = await site.take_in()
    await site.operator.paper_link(mine, document.id)
    forms = tables.form
    papers = await site.database.read(lambda rows: dict(rows.execute(select(forms.c.agreement_id, forms.c.id)).all()))
    link = tables.form_document
    await site.execute(link.update().where(link.c.message_id == document.id).values(form_id=papers[other]))
    with pytest.raises(NotAllowed):
        await site.keyholder.paper_look(token, document.id)


async def test_openings_at_the_desk_count_at_the_rate_of_a_session(site: KeyedSite) -> None:
    token = await site.signed_in(await site.employee("edda", role="enroller"))
    document = await site.take_in()
    site.clock.stand()
    with pytest.raises(RateExceeded):
        for _ in range(61):
            await site.keyholder.paper_look(token, document.id)
    assert len(await site.leaves("document_opened")) == 60


async def test_the_list_says_what_a_clerk_can_go_on_with(site: KeyedSite, desk: Desk) -> None:
    received = await desk.opened(await site.case())
    accepted = await desk.opened(await site.case())
    user = (await desk.named(accepted))["designated_user"]
    await desk.do("review_agreement", agreement=accepted)

    async def waits() -> dict[str, list[str]]:
        lines, _ = await listed(site, Wish(waits=True, clerk="somebody"))
        return {line["id"]: line["waits_for"] for line in lines}

    assert await waits() == {received: ["check"], accepted: ["meet"]}
    assert await site.database.read(count_before, PROGRAMME, site.clock.now_us) == {
        "named": 1,
        "meeting": 0,
        "authenticated": 0,
    }
    await desk.do("schedule_meeting", designated_user=user, starts_us=site.clock.now_us + DAY_US)
    assert await waits() == {received: ["check"]}
    site.clock.forward(days=2)
    assert (await waits())[accepted] == ["outcome"]
    await desk.do("hold_meeting", designated_user=user, outcome="nobody-came")
    assert (await waits())[accepted] == ["meet"]
    await desk.met(user)
    assert (await waits())[accepted] == ["invite"]
    await desk.invited(user)
    assert await waits() == {received: ["check"]}
    assert await site.database.read(count_waiting, PROGRAMME, "somebody", site.clock.now_us) == 1


async def test_the_list_is_paged_without_a_gap_and_narrowed(site: KeyedSite, desk: Desk) -> None:
    made = [await desk.opened(fields={"agent-name": f"Agent {number}"}) for number in range(5)]
    seen, after = [], ""
    for _ in range(3):
        lines, after = await listed(site, Wish(after=after), most=2)
        seen += [line["id"] for line in lines]
    assert (sorted(seen), after) == (sorted(made), "")
    assert (await listed(site, Wish(state=AgreementState.ENDED)))[0] == []
    assert (await listed(site, Wish(days=1)))[0] == []
    site.clock.forward(days=2)
    lines, _ = await listed(site, Wish(days=1, waits=True))
    assert [line["id"] for line in lines] == made
    assert [line["title"] for line in lines] == [f"Agent {number}" for number in range(5)]


async def test_people_with_the_same_name_or_address_are_proposed(site: KeyedSite, desk: Desk) -> None:
    made = await desk.active(await site.case(), name="cora")

    async def found(name: str, address: str) -> list[tuple[str, bool, int]]:
        matches = await site.database.read(people_like, "cwa", name, parse_address(address).key, site.clock.now_us)
        return [(one.person_id, one.same_address, one.agreements) for one in matches]

    assert await found("Nobody", "nobody@outside.example") == []
    assert await found("CORA", "nobody@outside.example") == [(made["person"], False, 1)]
    assert await found("Somebody", "Cora@outside.example") == [(made["person"], True, 1)]
