"""The portal's side of places and looks: agreements that a person sees and confirms, a case that is not one's own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.domain.clock import to_microseconds
from gateway.domain.enrolment import DAY_US
from gateway.store import tables
from tests.contract.test_enrolment import PROGRAMME
from tests.papers import CONSENT, INFORMATION
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import Someone, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/account/agreements"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house() as house:
        yield await tell(house)


class Desk:
    """What a clerk does by commands, up to somebody known here being invited to a further agreement."""

    def __init__(self, story: Story) -> None:
        self.house = story.house
        self.story = story

    async def further(
        self, who: Someone, *cases: str, role: str = "agent", name: str = "Harbour Tours"
    ) -> dict[str, str]:
        do = self.house.operator.enact
        day = self.house.clock().astimezone(PROGRAMME.zone).date().isoformat()
        fields = {**CONSENT, "agent-name": name}
        made = await do("open_agreement", programme="cwa", received=day, cases=list(cases), fields=fields)
        said = {"name": who.name, "address": who.address, "telephone": "+1 202 555 0100", "role": role}
        user = await do("name_user", agreement=made["agreement"], person=who.id, **said)
        await do("review_agreement", agreement=made["agreement"])
        place = user["designated_user"]
        if role == "designee":
            await do(
                "add_authorisation", designated_user=place, kind="authorisation-see", received=day, fields=INFORMATION,
                cases=[], last_day=day,
            )  # fmt: skip
        state = await self.house.database.read(
            lambda c: c.execute(
                select(tables.designated_user.c.state).where(tables.designated_user.c.id == place)
            ).scalar_one()
        )
        if state == "named":
            starts = to_microseconds(self.house.clock()) + DAY_US
            await do("schedule_meeting", designated_user=place, starts_us=starts)
            held = {"outcome": "identified", "document": "passport", "checks": list(PROGRAMME.enrolment.checklist)}
            await do("hold_meeting", designated_user=place, **held)
        await do("invite_user", designated_user=place)
        return {"place": place, "reference": made["reference"], "agreement": made["agreement"]}

    async def case(self) -> str:
        return (await self.house.open_case(self.story.ines))[1]


async def confirm(browser: Browser, place: str, token: str = "") -> int:
    page = await browser.see(PATH)
    token = token or hidden(page.text).get("form_token", "")
    return (await browser.http.post(f"{PATH}/{place}/confirm", data={"form_token": token})).status_code


async def cases_seen(browser: Browser) -> set[str]:
    return set(re.findall(r'href="/cases/([A-Z0-9-]+)"', (await browser.see("/cases")).text))


async def test_a_known_person_is_asked_after_signing_in_and_has_access_once_they_say_yes(story: Story) -> None:
    desk = Desk(story)
    case = await desk.case()
    further = await desk.further(story.berg, case)
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        assert "is it yours?" in (await browser.see("/cases")).text
        assert case not in await cases_seen(browser)
        assert (await browser.see(f"/cases/{case}")).status_code == 404
        page = await browser.see(PATH)
        assert "Is this agreement yours?" in page.text
        assert "Harbour Tours" in page.text
        assert further["reference"] in page.text
        assert case not in page.text
        assert await confirm(browser, further["place"], "x") == 403
        assert case not in await cases_seen(browser)
        assert await confirm(browser, further["place"]) == 303
        assert case in await cases_seen(browser)
        assert "is it yours?" not in (await browser.see("/cases")).text
        page = await browser.see(f"{PATH}?confirmed")
        assert "Thank you" in page.text
        assert case in page.text


async def test_nobody_confirms_for_another_or_twice(story: Story) -> None:
    desk = Desk(story)
    further = await desk.further(story.berg, await desk.case())
    async with Browser(story.house) as sena, Browser(story.house) as ines, Browser(story.house) as berg:
        await sena.sign_in(story.sena)
        await ines.sign_in(story.ines)
        await berg.sign_in(story.berg)
        token = hidden((await sena.see("/cases")).text).get("form_token", "")
        assert token
        own = hidden((await berg.see(PATH)).text)["form_token"]
        assert await confirm(sena, further["place"], own) == 403
        page = await sena.see(PATH)
        assert "Harbour Tours" not in page.text
        assert (await ines.see(PATH)).status_code == 404
        assert await confirm(berg, further["place"], own) == 303
        assert await confirm(berg, further["place"], own) == 404
        assert await confirm(berg, "0" * 32, own) == 404


async def test_an_invitation_that_was_withdrawn_asks_no_more(story: Story) -> None:
    desk = Desk(story)
    further = await desk.further(story.berg, await desk.case(), name="Withdrawn Ltd")
    await story.house.operator.enact("revoke_user", designated_user=further["place"])
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        page = await browser.see(PATH)
        assert "Withdrawn Ltd" not in page.text


async def test_two_people_with_one_address_see_their_own_agreements_alone(story: Story) -> None:
    desk = Desk(story)
    made = await story.house.operator.enact(
        "add_designated_user", programme="cwa", cases=[story.case_id], name="Second Berg",
        address=story.berg.address, username="second",
    )  # fmt: skip
    second = await story.house._with_credentials(made["person"], "Second Berg", story.berg.address, "second")
    await story.house.agree(second)
    await desk.further(story.berg, await desk.case(), name="First Of Two")
    async with Browser(story.house) as browser:
        await browser.sign_in(second)
        assert "First Of Two" not in (await browser.see(PATH)).text
        assert "is it yours?" not in (await browser.see("/cases")).text


async def test_a_person_in_nine_agreements_signs_in_once_sees_nine_and_loses_exactly_one_at_its_midnight() -> None:
    async with open_house() as house:
        story = await tell(house)
        desk = Desk(story)
        house.clock.begin_a_day(PROGRAMME.zone)
        person = await house.add_user("Nina Nine", [story.case_id])
        cases = [await desk.case() for _ in range(8)]
        for number, case in enumerate(cases):
            role = "designee" if number == 3 else "agent"
            made = await desk.further(person, case, role=role, name=f"Firm {number}")
            async with Browser(house) as browser:
                await browser.sign_in(person)
                assert await confirm(browser, made["place"]) == 303
        async with Browser(house) as browser:
            await browser.sign_in(person)
            everything = {story.case, *cases}
            assert await cases_seen(browser) == everything
            page = await browser.see(PATH)
            assert page.text.count('<tr>\n<th scope="row"') == 9
            now = house.clock().astimezone(PROGRAMME.zone)
            midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            await stay_until(browser, midnight - timedelta(minutes=9))
            assert await cases_seen(browser) == everything
            assert (await browser.see(f"/cases/{cases[3]}")).status_code == 200
            house.clock.advance(9 * 60)
            assert await cases_seen(browser) == everything - {cases[3]}
            assert (await browser.see(f"/cases/{cases[3]}")).status_code == 404
            assert (await browser.see(PATH)).text.count('<tr>\n<th scope="row"') == 8


async def stay_until(browser: Browser, instant: datetime) -> None:
    """Let the clock go on to an instant, in steps that no session falls asleep over; sign in anew where it ends."""
    house = browser.house
    while (left := (instant.astimezone(UTC) - house.clock()).total_seconds()) > 0:
        house.clock.advance(min(left, 600))
        if (await browser.see("/cases")).status_code != 200:
            await browser.sign_in(house.people["nina"])


async def test_an_employee_sees_a_case_that_is_not_theirs_for_an_hour_after_saying_why() -> None:
    async with open_house() as house, Browser(house) as browser:
        story = await tell(house)
        eve = await house.add_employee("Eve Elsewhere")
        await browser.sign_in(eve)
        path = f"/cases/{story.case}"
        assert (await browser.see(path)).status_code == 404
        page = await browser.see("/desk/look")
        token = hidden(page.text)["form_token"]
        form = {"form_token": token, "case": story.case.lower(), "purpose": "cover"}
        assert (await browser.http.post("/desk/look", data={**form, "form_token": "x"})).status_code == 403
        missing = await browser.http.post("/desk/look", data={**form, "purpose": "curiosity"})
        assert (missing.status_code, "Please say why" in missing.text) == (422, True)
        absent = await browser.http.post("/desk/look", data={**form, "case": "T-SM-2222"})
        unread = await browser.http.post("/desk/look", data={**form, "case": "<b>"})
        assert (absent.status_code, unread.status_code) == (422, 422)
        assert "<b>" not in unread.text
        assert (await browser.see(path)).status_code == 404
        answer = await browser.http.post("/desk/look", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        shown = await browser.see(path)
        assert "This case is not yours" in shown.text
        assert (await browser.see(f"{path}/write")).status_code == 404
        entries = await leaves(story, "purpose_stated")
        assert len(entries) == 1
        assert "cover" in entries[0]
        for _ in range(7):
            house.clock.advance(600)
            await browser.see("/cases")
        assert (await browser.see(path)).status_code == 404


async def test_ones_own_case_needs_no_purpose_and_who_is_no_employee_states_none(story: Story) -> None:
    async with Browser(story.house) as ines, Browser(story.house) as berg:
        await ines.sign_in(story.ines)
        await berg.sign_in(story.berg)
        token = hidden((await ines.see("/desk/look")).text)["form_token"]
        form = {"form_token": token, "case": story.case, "purpose": "audit"}
        assert (await ines.http.post("/desk/look", data=form)).headers["location"] == f"/cases/{story.case}"
        assert await leaves(story, "purpose_stated") == []
        assert (await berg.see("/desk/look")).status_code == 404
        assert (await berg.http.post("/desk/look", data=form)).status_code == 404


async def leaves(story: Story, kind: str) -> list[str]:
    table = tables.leaf
    wanted = select(table.c.body).where(table.c.kind == kind)
    return list(await story.house.database.read(lambda c: list(c.execute(wanted).scalars())))
