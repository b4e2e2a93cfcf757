from __future__ import annotations

import re

import pytest

from gateway.authenticator.client import AuthenticatorClient
from gateway.domain.errors import NotAuthenticated
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/account/app-passwords"


async def make(browser: Browser, **fields: str) -> str:
    page = await browser.see(PATH)
    answer = await browser.http.post(PATH, data={**hidden(page.text), **fields})
    return answer.text


async def test_an_app_password_is_shown_once_works_and_can_be_revoked(story: Story, ines: Browser) -> None:
    page = await make(ines, label="Thunderbird", networks="192.0.2.0/24, 2001:db8::/32", expires="")
    clear = re.search(r'class="secret">([^<]+)<', page)[1]
    listed = (await ines.see(PATH)).text
    assert clear not in listed
    assert "Thunderbird" in listed
    assert "192.0.2.0/24, 2001:db8::/32" in listed
    client = AuthenticatorClient(story.house.folder / "authenticator.sock")
    try:
        assert (await client.check_app_password("ines", clear, "192.0.2.7")).person_id == story.ines.id
        with pytest.raises(NotAuthenticated):
            await client.check_app_password("ines", clear, "198.51.100.1")
        action = re.search(r'action="(/account/app-passwords/[^"]+/revoke)"', listed)[1]
        assert (await ines.http.post(action, data={"form_token": "x"})).status_code == 403
        await ines.http.post(action, data=hidden(listed))
        assert "Thunderbird" not in (await ines.see(PATH)).text
        with pytest.raises(NotAuthenticated):
            await client.check_app_password("ines", clear, "192.0.2.7")
    finally:
        await client.close()


async def test_an_app_password_ends_after_its_last_day(story: Story, ines: Browser) -> None:
    page = await make(ines, label="Short", expires="2999-11-30")
    assert "November 30, 2999" in page
    assert "future" in await make(ines, label="Past", expires="2020-01-01")
    assert "Please check this" in await make(ines, label="Odd", expires="tomorrow")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"label": " "}, "fill this in"),
        ({"label": "x" * 61}, "too long"),
        ({"label": "x", "networks": "192.0.2.0/99"}, "addresses like"),
        ({"label": "x", "networks": " ".join(["192.0.2.1"] * 11)}, "addresses like"),
    ],
)
async def test_a_wrong_wish_is_told_by_field(ines: Browser, fields: dict[str, str], words: str) -> None:
    page = await make(ines, **fields)
    assert words in page
    assert "secret" not in page


async def test_correspondents_have_no_app_passwords(berg: Browser) -> None:
    assert (await berg.see(PATH)).status_code == 404
    assert (await berg.http.post(PATH, data={"label": "x"})).status_code == 404
    assert "App passwords" not in (await berg.see("/cases")).text


async def test_nobody_revokes_anothers(story: Story, ines: Browser) -> None:
    page = await make(ines, label="Mine")
    assert "Mine" in page
    otto = await story.house.add_employee("Olga Other")
    action = re.search(r'action="(/account/app-passwords/[^"]+/revoke)"', (await ines.see(PATH)).text)[1]
    async with Browser(story.house) as browser:
        await browser.sign_in(otto)
        own = await browser.see(PATH)
        await browser.http.post(action, data=hidden(own.text))
    assert "Mine" in (await ines.see(PATH)).text
