"""What is forged, planted or set wrong: other sites' forms, addresses that lead elsewhere, sessions, the clock."""

from __future__ import annotations

import base64
import secrets
from urllib.parse import urlsplit

import pyotp
import pytest

from gateway.portal.admission import ADMISSION
from gateway.portal.security import SESSION_COOKIE
from tests.portal.browser import Browser
from tests.portal.conftest import Story
from tests.portal.house import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")
THINGS = {"path": "2", "inner": "1", "id": "0" * 32, "provider": "none", "name": "none", "number": "1", "item": "none"}
ELSEWHERE = ("https://evil.example/", "//evil.example/", "/\\evil.example")
NAMED = ("again", "to", "next", "return", "return_to", "redirect", "url", "case", "item", "language", "said", "at")
"""Names of parameters, those that pages here have and those that are usual elsewhere."""


def address(route: str, story: Story) -> str:
    return route.split()[1].format(reference=story.first if "/messages" in route else story.case, **THINGS)


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
    ids=["origin", "cross-site", "same-site"],
)
async def test_another_sites_form_is_refused_on_every_route_whoever_sends_it(
    story: Story, anyone: Browser, berg: Browser, ines: Browser, headers: dict[str, str]
) -> None:
    for route in (one for one in ADMISSION if one.startswith("POST")):
        for browser in (anyone, berg, ines):
            answer = await browser.http.post(address(route, story), data={"form_token": "x"}, headers=headers)
            assert answer.status_code == 403, route
            assert "location" not in answer.headers


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_no_address_that_somebody_names_leads_out_of_the_portal(
    story: Story, anyone: Browser, berg: Browser, ines: Browser, elsewhere: str
) -> None:
    hostile = dict.fromkeys(NAMED, elsewhere)
    for route in ADMISSION:
        if route == "POST /sign-out":
            continue
        for browser in (anyone, berg, ines):
            method, path = route.split()[0], address(route, story)
            data = hostile if method == "POST" else None
            answer = await browser.http.request(method, path, params=hostile, data=data)
            location = answer.headers.get("location", "/")
            assert location.startswith("/"), (route, location)
            assert not location.startswith(("//", "/\\")), (route, location)
            assert urlsplit(location).netloc == "", (route, location)
            assert "refresh" not in answer.headers


async def test_a_session_that_was_planted_before_a_sign_in_is_nobodys_after_it(story: Story) -> None:
    planted = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    async with Browser(story.house) as victim, Browser(story.house) as thief:
        victim.http.cookies.set(SESSION_COOKIE, planted, domain="localhost.local")
        thief.http.cookies.set(SESSION_COOKIE, planted)
        await victim.sign_in(story.berg)
        assert (await victim.see("/cases")).status_code == 200
        assert (await thief.see("/cases")).status_code == 303


async def test_a_clock_that_is_set_back_lets_no_code_be_used_twice(story: Story) -> None:
    clock, berg = story.house.clock, story.berg
    code = story.house.code(berg)
    async with Browser(story.house) as browser:
        assert (await browser.try_sign_in(berg.username, PASSWORD, code)).status_code == 303
        for seconds in (-30, -30, -600):
            clock.advance(seconds)
            used, older = code, pyotp.TOTP(berg.seed).at(clock())
            async with Browser(story.house) as thief:
                for one in (used, older):
                    assert (await thief.try_sign_in(berg.username, PASSWORD, one)).status_code in {422, 429}
        clock.advance(660 + 3_600)
        async with Browser(story.house) as later:
            await later.sign_in(berg)


async def test_a_clock_that_is_set_back_makes_nobody_wait_until_it_has_caught_up(story: Story) -> None:
    clock = story.house.clock
    clock.advance(24 * 3_600)
    async with Browser(story.house) as browser:
        with clock.standing():
            for _ in range(5):
                await browser.try_sign_in(story.otto.username, "wrong", "000000")
            assert (await browser.try_sign_in(story.otto.username, PASSWORD, "000000")).status_code == 429
        clock.advance(-23 * 3_600)
        await browser.sign_in(story.otto)
