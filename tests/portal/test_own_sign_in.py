"""A person's own sign-in: sessions elsewhere, recovery codes, and the fresh sign-in before anything is added."""

from __future__ import annotations

import base64
import html
import re

import httpx2
import pytest
from sqlalchemy import select

from gateway.domain.errors import NotAllowed
from gateway.portal import own_sign_in
from gateway.portal.security import SESSION_COOKIE
from gateway.store import tables
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story
from tests.portal.house import PASSWORD, Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGE = "/account/sign-in"


async def test_one_sees_where_one_is_signed_in_and_ends_it_there(story: Story) -> None:
    async with Browser(story.house) as telephone, Browser(story.house) as desk:
        await telephone.sign_in(story.sena)
        await desk.sign_in(story.sena)
        page = await desk.see(PAGE)
        assert "You signed in before this on" in page.text
        (other,) = re.findall(r'name="session" value="([0-9a-f]{64})"', page.text)
        ended = await desk.http.post(f"{PAGE}/sessions/end", data={**hidden(page.text), "session": other})
        assert ended.headers["location"] == PAGE
        assert (await telephone.see("/cases")).status_code == 303
        assert (await desk.see("/cases")).status_code == 200


async def test_no_sign_ins_that_are_over_hide_one_that_is_open(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_sign_in, "MAX_SESSIONS", 3)
    await story.house.operator.enact("end_sessions", person=story.sena.id)
    async with Browser(story.house) as elsewhere, Browser(story.house) as desk:
        await elsewhere.sign_in(story.sena)
        for _ in range(3):
            async with Browser(story.house) as passing:
                await passing.sign_in(story.sena)
                token = hidden((await passing.see("/cases")).text)["form_token"]
                await passing.http.post("/sign-out", data={"form_token": token})
        await desk.sign_in(story.sena)
        (other,) = re.findall(r'name="session" value="([0-9a-f]{64})"', (await desk.see(PAGE)).text)
        token = hidden((await desk.see(PAGE)).text)["form_token"]
        await desk.http.post(f"{PAGE}/sessions/end", data={"form_token": token, "session": other})
        assert (await elsewhere.see("/cases")).status_code == 303


async def test_signing_out_everywhere_ends_every_session(story: Story) -> None:
    async with Browser(story.house) as telephone, Browser(story.house) as desk:
        await telephone.sign_in(story.otto)
        await desk.sign_in(story.otto)
        token = hidden((await desk.see(PAGE)).text)["form_token"]
        ended = await desk.http.post(f"{PAGE}/sessions/end", data={"form_token": token})
        assert ended.headers["location"] == "/signed-out"
        assert (await telephone.see("/cases")).status_code == 303
        assert (await desk.see("/cases")).status_code == 303


async def test_nobody_ends_another_persons_session(story: Story, berg: Browser) -> None:
    async with Browser(story.house) as other:
        await other.sign_in(story.otto)
        session = await story.house.database.read(
            lambda connection: connection.execute(
                select(tables.session.c.id)
                .where(tables.session.c.person_id == story.otto.id)
                .order_by(tables.session.c.issued_us.desc())
            ).scalar()
        )
        token = hidden((await berg.see(PAGE)).text)["form_token"]
        await berg.http.post(f"{PAGE}/sessions/end", data={"form_token": token, "session": session})
        assert (await other.see("/cases")).status_code == 200


async def test_a_recovery_code_signs_in_once_and_new_ones_end_the_old(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        codes = await make_codes(browser)
        assert len(set(codes)) == 10
        assert "Recovery codes, 10 left" in (await browser.see(PAGE)).text
        assert await tried(story, story.berg.username, codes[3]) == 303
        assert await tried(story, story.berg.username, codes[3]) == 422
        typed = codes[4].lower().replace("-", " ")
        assert await tried(story, story.berg.username, typed) == 303
        assert "Recovery codes, 8 left" in (await browser.see(PAGE)).text
        newer = await make_codes(browser)
        assert await tried(story, story.berg.username, codes[5]) == 422
        assert await tried(story, story.berg.username, newer[0]) == 303
        assert await tried(story, story.sena.username, newer[1]) == 422


async def test_nothing_is_added_without_a_fresh_sign_in(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        story.house.clock.advance(11 * 60)
        page = await browser.see(PAGE)
        assert "asked to sign in once more" in page.text
        asked = await browser.http.post(f"{PAGE}/recovery-codes", data=hidden(page.text))
        assert asked.headers["location"] == "/sign-in?again=sign-in"
        assert (await browser.see(f"{PAGE}/passkeys")).headers["location"] == "/sign-in?again=sign-in"
        fields = {**hidden((await browser.see("/account/app-passwords")).text), "label": "mutt"}
        asked = await browser.http.post("/account/app-passwords", data=fields)
        assert asked.headers["location"] == "/sign-in?again=app-passwords"
        # Behind the pages the keyholder holds to it, too.
        token = session_of(browser)
        with pytest.raises(NotAllowed, match="once more"):
            await story.house.keyholder.enact(
                decoded(token), "add_credential", person=story.ines.id, kind="recovery", label="x", data="x"
            )
        again = await sign_in_again(browser, story.ines, "app-passwords")
        assert again.headers["location"] == "/account/app-passwords"
        assert session_of(browser) != token, "a new session stands in place of the old one"
        with pytest.raises(Exception, match="not signed in"):
            await story.house.keyholder.enact(decoded(token), "end_sessions", person=story.ines.id)
        assert len(await make_codes(browser)) == 10


async def test_signing_in_once_more_leads_nowhere_else(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        answer = await sign_in_again(browser, story.ines, "https://evil.example")
        assert answer.headers["location"] == "/cases"


async def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(story: Story) -> None:
    async with Browser(story.house) as attacker, Browser(story.house) as victim:
        await attacker.sign_in(story.otto)
        planted = attacker.http.cookies[SESSION_COOKIE]
        victim.http.cookies.set(SESSION_COOKIE, planted, domain="localhost.local", path="/")
        page = await victim.see("/sign-in?again=sign-in")
        fields = {"username": story.berg.username, "password": PASSWORD, "code": story.house.code(story.berg)}
        signed_in = await victim.http.post("/sign-in", data={**hidden(page.text), **fields})
        assert signed_in.status_code == 303
        assert planted not in signed_in.headers["set-cookie"]
        attacker.http.cookies.clear()
        attacker.http.cookies.set(SESSION_COOKIE, planted)
        assert (await attacker.see("/cases")).headers["location"].startswith("/sign-in")


async def test_the_inbox_says_when_one_signed_in_before(story: Story) -> None:
    anna = await story.house.add_employee("Anna Anew")
    async with Browser(story.house) as first:
        await first.sign_in(anna)
        assert "You signed in before this on" not in (await first.see("/cases")).text
    async with Browser(story.house) as second:
        await second.sign_in(anna)
        assert "You signed in before this on" in (await second.see("/cases")).text


async def test_what_is_not_ones_own_is_not_there_to_revoke(story: Story, berg: Browser) -> None:
    token = hidden((await berg.see(PAGE)).text)["form_token"]
    answer = await berg.http.post(f"{PAGE}/factors/{'0' * 32}/revoke", data={"form_token": token})
    assert answer.status_code == 404


async def tried(story: Story, username: str, code: str) -> int:
    """Sign in from elsewhere; return the status."""
    async with Browser(story.house) as elsewhere:
        return (await elsewhere.try_sign_in(username, PASSWORD, code)).status_code


async def make_codes(browser: Browser) -> list[str]:
    page = await browser.see(PAGE)
    made = await browser.http.post(f"{PAGE}/recovery-codes", data={"form_token": hidden(page.text)["form_token"]})
    assert made.status_code == 200
    return [html.unescape(code) for code in re.findall(r'<span class="secret">([^<]+)</span>', made.text)]


async def sign_in_again(browser: Browser, someone: Someone, word: str) -> httpx2.Response:
    page = await browser.http.get("/sign-in", params={"again": "sign-in"})
    fields = {**hidden(page.text), "username": someone.username, "password": PASSWORD}
    return await browser.http.post(
        "/sign-in", data={**fields, "code": browser.house.code(someone), "again": word, "passkey": ""}
    )


def session_of(browser: Browser) -> str:
    return [cookie.value or "" for cookie in browser.http.cookies.jar if cookie.name == "__Host-session"][-1]


def decoded(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=")
