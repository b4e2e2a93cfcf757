from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.domain.errors import NotAllowed
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story
from tests.portal.test_own_sign_in import decoded, session_of, sign_in_again

PATH = "/account/absence"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_employee_names_a_deputy_who_reads_the_case_until_it_is_ended(story: Story, ines: Browser) -> None:
    house = story.house
    page = (await ines.see(PATH)).text
    assert "You are in no team" in page
    house.clock.begin_a_day(house.programmes["cwa"].zone)
    await ines.sign_in(story.ines)
    nora = await house.add_employee("Nora Deputy")
    team = await house.operator.enact("add_team", programme="cwa", name="Desk", address="desk@agency.example")
    for one in (story.ines, nora):
        await house.operator.enact("add_team_member", team=team["team"], person=one.id)
    day = house.clock().astimezone(house.programmes["cwa"].zone).date()
    page = (await ines.see(PATH)).text
    assert "Nora Deputy" in page
    wish = {**hidden(page), "deputy": nora.id, "first": str(day), "last": str(day + timedelta(days=1))}
    async with Browser(house) as deputy:
        await deputy.sign_in(nora)
        assert (await deputy.see(f"/cases/{story.case}")).status_code in {403, 404}
        refused = await ines.http.post(PATH, data={**wish, "first": "2020-01-01"})
        assert refused.status_code == 422
        assert "An absence begins today" in refused.text
        stranger = await ines.http.post(PATH, data={**wish, "deputy": story.berg.id})
        assert (stranger.status_code, "a team of yours" in stranger.text) == (422, True)
        answer = await ines.http.post(PATH, data=wish)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?saved")
        assert "Your absence is entered" in (await ines.see(f"{PATH}?saved")).text
        seen = (await deputy.see(f"/cases/{story.case}")).text
        assert story.first in seen
        assert "You stand in for a colleague" in seen
        assert (await deputy.see(f"/messages/{story.first}")).status_code == 200
        assert "Ines Adler" in (await deputy.see(PATH)).text
        own = (await ines.see(PATH)).text
        end = re.search(rf'action="({PATH}/[0-9a-z]+/end)"', own)
        assert end is not None
        assert (await deputy.http.post(end[1], data=hidden((await deputy.see(PATH)).text))).status_code == 303
        assert story.first in (await deputy.see(f"/cases/{story.case}")).text  # it was not theirs to end
        assert (await ines.http.post(end[1], data=hidden(own))).status_code == 303
        assert (await deputy.see(f"/cases/{story.case}")).status_code in {403, 404}


async def test_nobody_names_a_deputy_without_a_fresh_sign_in(story: Story) -> None:
    house = story.house
    async with Browser(house) as browser:
        await browser.sign_in(story.ines)
        house.clock.advance(11 * 60)
        page = (await browser.see(PATH)).text
        assert "asked to sign in once more" in page
        day = str(house.clock().astimezone(house.programmes["cwa"].zone).date() + timedelta(days=30))
        deputy = re.search(r'<option value="([^"]+)">Nora Deputy', page)
        assert deputy is not None
        wish = {**hidden(page), "deputy": deputy[1], "first": day, "last": day}
        asked = await browser.http.post(PATH, data=wish)
        assert asked.headers["location"] == "/sign-in?again=absence"
        days = {"from_day": day, "until_day": day}
        token = decoded(session_of(browser))  # behind the page the keyholder holds to it, too
        with pytest.raises(NotAllowed, match="once more"):
            await house.keyholder.enact(token, "add_absence", person=story.ines.id, deputy=deputy[1], **days)
        again = await sign_in_again(browser, story.ines, "absence")
        assert again.headers["location"] == PATH
        page = (await browser.see(PATH)).text
        assert "asked to sign in once more" not in page
        assert (await browser.http.post(PATH, data={**wish, **hidden(page)})).headers["location"] == f"{PATH}?saved"


async def test_a_form_of_another_page_enters_nothing(ines: Browser) -> None:
    assert (await ines.http.post(PATH, data={"form_token": "x"})).status_code == 403


async def test_the_other_side_has_no_such_page(berg: Browser) -> None:
    assert (await berg.see(PATH)).status_code == 404
