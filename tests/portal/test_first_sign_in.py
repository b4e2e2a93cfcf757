"""From a first code to a password and a second factor, and every way in which that may not be."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
from sqlalchemy import select

from gateway.authenticator import keys as authenticator_keys
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import NotAuthenticated
from gateway.domain.proof import Binding
from gateway.store import tables
from gateway.store.ids import new_id
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story
from tests.portal.house import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")
GOOD = "a few words of my own"


async def new_code(story: Story, someone: Someone, hours: float = 24) -> tuple[str, str]:
    """Return a fresh code in clear, and the id of its row."""
    made = await story.house.authenticator_operator.make_first_code()
    expires = to_microseconds(story.house.clock()) + int(hours * 3_600_000_000)
    row = await story.house.operator.enact(
        "add_credential", person=someone.id, kind="first_code", label="code", lookup=made.lookup, expires_us=expires
    )
    return made.clear, row["credential"]


async def type_code(browser: Browser, code: str) -> httpx2.Response:
    page = await browser.see("/first-sign-in")
    return await browser.http.post("/first-sign-in", data={**hidden(page.text), "first_code": code, "provider": ""})


async def choose(browser: Browser, page: httpx2.Response, password: str = GOOD, **other: str) -> httpx2.Response:
    fields = hidden(page.text)
    shown = pyotp.TOTP(seed_of(page)).at(browser.house.clock())
    return await browser.http.post(
        "/first-sign-in/password", data={**fields, "password": password, "code": shown, **other}
    )


def seed_of(page: httpx2.Response) -> str:
    uri = hidden(page.text)["uri"].replace("&amp;", "&")
    return parse_qs(urlsplit(uri).query)["secret"][0]


async def test_a_code_leads_to_a_password_and_an_app_and_into_the_inbox(story: Story) -> None:
    code, _ = await new_code(story, story.sena)
    async with Browser(story.house) as browser, Browser(story.house) as before:
        await before.sign_in(story.sena)
        page = await type_code(browser, code)
        assert page.status_code == 200
        assert f'value="{story.sena.username}"' in page.text
        assert "<svg" in page.text
        answer = await choose(browser, page)
        assert answer.headers["location"] == "/cases"
        assert story.case in (await browser.see("/cases")).text
        assert (await before.see("/cases")).status_code == 303, "what signed in before has ended"
    story.house.clock.advance(31)
    async with Browser(story.house) as later:
        shown = pyotp.TOTP(seed_of(page)).at(story.house.clock())
        assert (await later.try_sign_in(story.sena.username, GOOD, shown)).status_code == 303
        assert (await type_code(later, code)).status_code == 422


async def test_a_poor_password_or_a_wrong_code_costs_nothing_but_a_try(story: Story) -> None:
    code, _ = await new_code(story, story.otto)
    async with Browser(story.house) as browser:
        page = await type_code(browser, code)
        poor = await choose(browser, page, "password")
        assert "Please choose another password" in poor.text
        wrong = await choose(browser, page, code="000000")
        assert "second proof is not right" in wrong.text
        assert "second proof is not right" in (await choose(browser, page, passkey="{}")).text
        assert seed_of(wrong) == seed_of(page)
        assert (await choose(browser, wrong)).status_code == 303


async def test_a_password_cannot_be_chosen_without_a_code_in_force(story: Story) -> None:
    code, _ = await new_code(story, story.berg)
    async with Browser(story.house) as browser:
        page = await type_code(browser, code)
        forged = await choose(browser, page, ticket=base64.b64encode(b"x" * 200).decode())
        assert forged.status_code == 422
        assert "This code is not valid" in forged.text
        await new_code(story, story.berg)  # a new one ends the old
        assert "This code is not valid" in (await choose(browser, page)).text
        later, _ = await new_code(story, story.berg)
        page = await type_code(browser, later)
        story.house.clock.advance(31 * 60)
        assert "This code is not valid" in (await choose(browser, page)).text
        assert (await choose(browser, page, form_token="x")).status_code == 403


async def test_the_keyholder_makes_nothing_by_half_and_nothing_twice(story: Story) -> None:
    keys = authenticator_keys.load(story.house.folder / "keys")
    _, row = await new_code(story, story.berg)

    def stated(kind: str, **other: str) -> tuple[Binding, bytes]:
        now_us = to_microseconds(story.house.clock())
        one = replace(Binding(now_us, new_id(), story.berg.id, row, kind, "x", "", "x"), **other)
        return one, one.sign(keys.session)

    password, totp = stated("password"), stated("totp")
    for bindings in (
        [],
        [password],
        [totp],
        [password, stated("app_password")],
        [stated("first_code")],
        [stated("identity")],
        [password, totp, stated("passkey")],
        [password, stated("totp", person_id=story.otto.id)],
        [password, stated("totp", first_code_id="0" * 32)],
        [(password[0], totp[1]), totp],
        [stated("password", issued_us=1), totp],
    ):
        with pytest.raises(NotAuthenticated):
            await story.house.keyholder.bind(bindings)
    await story.house.keyholder.bind([password, totp])
    with pytest.raises(NotAuthenticated):
        await story.house.keyholder.bind([password, totp])
    told = await story.house.database.read(
        lambda connection: list(
            connection.execute(select(tables.leaf.c.body).where(tables.leaf.c.kind == "first_credential")).scalars()
        )
    )
    assert [json.loads(body)["facts"]["type"] for body in told[-2:]] == ["password", "totp"]
