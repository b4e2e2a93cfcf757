"""Every route, asked by everyone on docs/rights.md: who is let in is what the one function says, cell by cell."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from gateway.domain.clock import to_microseconds
from gateway.domain.rights import Thing, may
from gateway.domain.session import session_id
from gateway.keyholder import keys
from gateway.portal.admission import ADMISSION, Of, Whoever
from gateway.portal.security import SESSION_COOKIE
from tests.personas import CASE, ELSEWHERE, NOW_US, Persona, Settlement, personas
from tests.portal.browser import Browser
from tests.portal.conftest import Story, tell
from tests.portal.house import open_house

NOTHING_THERE = {
    "POST /cases/{reference}/notices/{id}/retry",
    "POST /account/app-passwords/{id}/revoke",
    "GET /account/sign-in/passkeys",  # for who signs in by a password
    "GET /messages/{reference}/sent",
    "GET /messages/{reference}/parts/{path}/inside/{inner}",
}
"""Routes to what this case does not have: nobody gets more there than those who may not."""
ASKED = [route for route, what in ADMISSION.items() if what is not Whoever.ANYBODY]


@dataclass
class Corridor:
    """A house with everyone in it, each with a session."""

    story: Story
    tokens: dict[str, bytes]

    async def ask(self, route: str, persona: str | None, reference: str = "") -> httpx2.Response:
        method, path = route.split()
        known = reference or (self.story.case if path.startswith("/cases") else self.story.first)
        path = path.format(reference=known, path="2", inner="1", id="0" * 32, provider="none", name="none")
        async with Browser(self.story.house) as browser:
            if persona is not None:
                word = base64.urlsafe_b64encode(self.tokens[persona]).rstrip(b"=").decode()
                browser.http.cookies.set(SESSION_COOKIE, word)
            if method == "GET":
                return await browser.see(path)
            if path.endswith("/write"):
                return await browser.send(path, {"form_token": "x", "subject": "s", "text": "t"})
            return await browser.http.post(path, data={"form_token": "x"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def corridor() -> AsyncIterator[Corridor]:
    async with open_house() as house:
        story = await tell(house)
        loaded = keys.load(house.folder / "keys", keys.FileKeyProvider(house.folder / "keys"))
        other = (await house.operator.enact("open_case", programme="cwa", series="SM", trial=True))["case"]
        now_us = to_microseconds(house.clock())
        settlement = Settlement(loaded.authority, {CASE: story.case_id, ELSEWHERE: other}, now_us)
        tokens = {}
        for persona in personas():
            token = tokens[persona.name] = secrets.token_bytes(32)
            person = await house.database.run(settlement.write, persona)
            await house.database.run(settlement.sign_in, person, session_id(token))
        yield Corridor(story, tokens)


def expected(persona: Persona, route: str) -> bool:
    what = ADMISSION[route]
    if isinstance(what, Whoever):
        return True
    thing = Thing("cwa", CASE) if what.of is Of.CASE else Thing("cwa", person_id="p" if what.of is Of.ONESELF else None)
    return may(persona.holder, what.verb, thing, NOW_US)


def routes_of(story: Story) -> Iterator[str]:
    for route in story.house.portal.routes:
        yield from (f"{method} {route.path}" for method in route.methods or () if method != "HEAD")


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_has_its_row_and_every_row_its_route(corridor: Corridor) -> None:
    assert set(routes_of(corridor.story)) == set(ADMISSION)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("persona", personas(), ids=lambda persona: persona.name)
async def test_who_is_let_in_is_what_the_function_says(corridor: Corridor, persona: Persona) -> None:
    differs = []
    for route in ASKED:
        answer = await corridor.ask(route, persona.name)
        if persona.holder.is_ended:
            is_right = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        elif expected(persona, route) and route not in NOTHING_THERE:
            is_right = answer.status_code in ({200} if route.startswith("GET") else {403})
        else:
            is_right = answer.status_code in {403, 404} and (route in NOTHING_THERE or answer.status_code == 404)
        if not is_right:
            differs.append(f"{route}: {answer.status_code}")
    assert differs == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", ASKED)
async def test_without_a_session_one_is_asked_to_sign_in(corridor: Corridor, route: str) -> None:
    answer = await corridor.ask(route, None)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", [route for route in ASKED if "{reference}" in route and route.startswith("GET")])
async def test_what_is_forbidden_looks_like_what_is_absent(corridor: Corridor, route: str) -> None:
    forbidden = await corridor.ask(route, "designated user by a form: suspended")
    known = corridor.story.case if "/cases" in route else corridor.story.first
    absent = await corridor.ask(route, "designated user by a form: suspended", re.sub(r"....\Z", "2222", known))
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.text == absent.text
