"""What a security profile does to the pages: a banner before signing in, no app passwords, the end of passwords."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio

from gateway.authenticator.client import AuthenticatorClient
from gateway.authenticator.policy import Policy
from gateway.domain.errors import Malformed, NotAuthenticated
from gateway.domain.sunset import Sunset, Sunsets
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import PASSWORD, Rules, Someone, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
BANNER = "This is ours. You are <watched>."
DAY = 24 * 3600
LAST_DAY = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=20)
SUNSET = Sunset("agents", frozenset({"correspondent"}), frozenset(), LAST_DAY, (7,))
POLICY = Policy(
    inactive_us=60 * DAY * 1_000_000,
    app_passwords=False,
    sunsets=Sunsets((SUNSET,), {"cwa": ZoneInfo("America/New_York")}),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house(rules=Rules(POLICY, BANNER)) as house:
        yield await tell(house)


async def acknowledge(browser: Browser, to: str = "sign-in") -> httpx2.Response:
    page = await browser.see(f"/use?to={to}")
    return await browser.http.post("/use", data=hidden(page.text))


async def try_password(story: Story, someone: Someone) -> httpx2.Response:
    async with Browser(story.house) as browser:
        await acknowledge(browser)
        return await browser.try_sign_in(someone.username, PASSWORD, story.house.code(someone))


@pytest.mark.parametrize(("path", "to"), [("/sign-in", "sign-in"), ("/first-sign-in", "first-sign-in")])
async def test_the_banner_stands_before_every_way_of_signing_in(story: Story, path: str, to: str) -> None:
    async with Browser(story.house) as browser:
        for answer in (await browser.see(path), await browser.http.post(path, data={"username": "x"})):
            assert (answer.status_code, answer.headers["location"]) == (303, f"/use?to={to}")
        shown = await browser.see(f"/use?to={to}")
        assert "You are &lt;watched&gt;." in shown.text
        gone_on = await acknowledge(browser, to)
        assert gone_on.headers["location"] == path
        cookie = gone_on.headers["set-cookie"]
        assert all(word in cookie for word in ("__Host-use=", "Secure", "HttpOnly", "SameSite=strict", "Max-Age=1800"))
        assert (await browser.see(path)).status_code == 200


async def test_nobody_signs_in_who_has_not_acknowledged_and_no_other_text_counts(story: Story) -> None:
    async with Browser(story.house) as browser:
        browser.http.cookies.set("__Host-use", "0" * 32)
        for path in ("/sign-in", "/sign-in/code", "/first-sign-in/password", "/sign-in/at/any"):
            answer = await browser.http.post(path, data={"username": story.ines.username, "password": PASSWORD})
            assert answer.headers["location"].startswith("/use?to="), path


async def test_the_way_on_from_the_banner_leads_nowhere_else(story: Story) -> None:
    async with Browser(story.house) as browser:
        answer = await browser.http.post("/use", data={"to": "https://elsewhere.example/"})
        assert answer.headers["location"] == "/sign-in"


async def test_public_pages_and_a_providers_own_messages_stand_before_no_banner(story: Story) -> None:
    async with Browser(story.house) as browser:
        assert (await browser.see("/genuine")).status_code == 200
        told = await browser.http.post("/sign-in/at/none/logout", data={"logout_token": "x"})
        assert told.status_code == 404


async def test_the_page_says_until_when_a_password_signs_in(story: Story) -> None:
    async with Browser(story.house) as browser:
        await acknowledge(browser)
        page = await browser.see("/sign-in")
        assert "This way ends" in page.text
        assert f"{LAST_DAY:%B} {LAST_DAY.day}, {LAST_DAY.year}" in page.text


async def test_app_passwords_are_not_made_and_those_of_before_sign_nobody_in(story: Story) -> None:
    async with Browser(story.house) as browser:
        await acknowledge(browser)
        await browser.sign_in(story.ines)
        assert "app-passwords" not in (await browser.see("/cases")).text
        assert "App passwords are switched off here" in (await browser.see("/account/app-passwords")).text
    with pytest.raises(Malformed, match="off"):
        await story.house.authenticator_operator.make_app_password()
    client = AuthenticatorClient(story.house.folder / "authenticator.sock")
    with pytest.raises(NotAuthenticated):
        await client.check_app_password(story.ines.username, "x" * 32, "192.0.2.1")
    await client.close()


async def test_after_the_last_day_the_password_is_wrong_like_any_other_and_one_may_have_longer(story: Story) -> None:
    before = await try_password(story, story.berg)
    assert before.headers["location"] == "/cases"
    story.house.clock.advance(22 * DAY)
    over, unknown = await try_password(story, story.berg), await try_password(story, nobody(story))
    assert over.status_code == unknown.status_code == 422
    assert len(over.content) == len(unknown.content)
    assert "A person gives you a code to begin with" in over.text
    expires_us = int((story.house.clock().timestamp() + 5 * DAY) * 1_000_000)
    await story.house.operator.enact(
        "add_credential", person=story.berg.id, kind="extension", label="extension", expires_us=expires_us
    )
    assert (await try_password(story, story.berg)).headers["location"] == "/cases"
    assert (await try_password(story, story.sena)).status_code == 422, "an extension is one person's"
    assert (await try_password(story, story.ines)).headers["location"] == "/cases", "employees are another group"
    story.house.clock.advance(6 * DAY)
    assert (await try_password(story, story.berg)).status_code == 422


async def test_who_was_away_for_too_long_comes_back_by_something_new(story: Story) -> None:
    assert (await try_password(story, story.ines)).status_code == 303
    story.house.clock.advance(60 * DAY)
    assert (await try_password(story, story.ines)).status_code == 422
    data = await story.house.authenticator_operator.make_password(story.ines.id, PASSWORD)
    await story.house.operator.enact(
        "add_credential", person=story.ines.id, kind="password", label="password", data=data
    )
    assert (await try_password(story, story.ines)).status_code == 303


async def test_a_first_sign_in_by_a_password_ends_on_that_day_too(story: Story) -> None:
    made = await story.house.authenticator_operator.make_first_code()
    expires_us = int((story.house.clock().timestamp() + DAY) * 1_000_000)
    await story.house.operator.enact(
        "add_credential",
        person=story.otto.id,
        kind="first_code",
        label="code",
        lookup=made.lookup,
        expires_us=expires_us,
    )
    async with Browser(story.house) as browser:
        await acknowledge(browser, "first-sign-in")
        page = await browser.see("/first-sign-in")
        answer = await browser.http.post(
            "/first-sign-in", data={**hidden(page.text), "first_code": made.clear, "provider": ""}
        )
    assert answer.status_code == 422
    assert "Your code is still good" in answer.text


def nobody(story: Story) -> Someone:
    """Somebody with a name as long as Berg's whom nobody knows."""
    return Someone("0" * 32, "Nobody", "n@firm.example", "b0rg", story.berg.seed)
