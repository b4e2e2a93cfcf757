"""Every route, asked by everyone on docs/rights.md: who is let in is what the one function says, cell by cell.

A route stands for one thing that is there: a case with its messages, an agreement with a designated user who is about
to be met, holds an authorisation, and has a paper from the intake tray. A form is sent without its own word, so that
whoever may send it is told so (403) and nothing changes.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio

from gateway.domain.address import Address
from gateway.domain.clock import to_microseconds
from gateway.domain.intake import month_of
from gateway.domain.rights import Side, Thing, may
from gateway.domain.session import session_id
from gateway.domain.summary import Arrival
from gateway.inbound.tray import IntakeTray, OutsideMail
from gateway.keyholder import keys
from gateway.portal.admission import ADMISSION, Of, Whoever
from gateway.portal.security import SESSION_COOKIE
from tests.agreed import write_agreed
from tests.papers import CONSENT, INFORMATION
from tests.personas import CASE, ELSEWHERE, NOW_US, Persona, Settlement, personas
from tests.portal.browser import Browser
from tests.portal.clerks import USER
from tests.portal.conftest import Story, tell
from tests.portal.house import DOMAIN, open_house

NOTHING_THERE = {
    "POST /cases/{reference}/notices/{id}/retry",
    "POST /account/app-passwords/{id}/revoke",
    "GET /account/sign-in/passkeys",  # for who signs in by a password
    "GET /messages/{reference}/sent",
    "GET /drafts/{reference}",
    "POST /drafts/{reference}",
    "GET /messages/{reference}/parts/{path}/inside/{inner}",
}
"""Routes to what this case does not have: nobody gets more there than those who may not."""
REFUSED = {"POST /account/sign-in/link": 422}  # what the authenticator has signed stands for the form's own word
"""What a form without its word comes to, where that is not 403."""
ASKED = [route for route, what in ADMISSION.items() if what is not Whoever.ANYBODY]
BEFORE = "terms not agreed to"
BEFORE_TERMS = {"POST /terms", "POST /sign-out"}
PAPER = (
    b"From: x@y.example\r\nSubject: Papers\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
)
DAY_US = 24 * 3_600_000_000


@dataclass
class Corridor:
    """A house with everyone in it, each with a session, who share a browser by turns.

    `things` is what stands for what a path names.
    """

    story: Story
    browser: Browser
    tokens: dict[str, bytes]
    things: dict[str, str]

    def address(self, route: str, **other: str) -> str:
        """The address of a route, about what is there, or about what a test names."""
        path = route.split()[1]
        known = {**self.things, "reference": self.reference(route), **other}
        if "/authorisations/" in path:
            known["id"] = self.things["authorisation"]
        if path.startswith("/messages"):
            known["path"] = "2"
        return path.format(**known)

    def reference(self, route: str) -> str:
        path = route.split()[1]
        kind = "case" if path.startswith("/cases") else "agreement" if path.startswith("/desk") else "message"
        return self.things[kind]

    async def ask(self, route: str, persona: str | None, **other: str) -> httpx2.Response:
        path, browser = self.address(route, **other), self.browser
        browser.http.cookies.clear()
        if persona is not None:
            word = base64.urlsafe_b64encode(self.tokens[persona]).rstrip(b"=").decode()
            browser.http.cookies.set(SESSION_COOKIE, word)
        if route.startswith("GET"):
            return await browser.see(path)
        if path.endswith(("/write", "/full-copy/key")):
            return await browser.send(path, {"form_token": "x", "subject": "s", "text": "t"})
        return await browser.http.post(path, data={"form_token": "x"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def corridor() -> AsyncIterator[Corridor]:
    async with open_house() as house, Browser(house) as browser:
        story = await tell(house)
        loaded = keys.load(house.folder / "keys", keys.FileKeyProvider(house.folder / "keys"))
        other = (await house.operator.enact("open_case", programme="cwa", series="SM", trial=True))["case"]
        now_us = to_microseconds(house.clock())
        settlement = Settlement(loaded.authority, {CASE: story.case_id, ELSEWHERE: other}, now_us)
        tokens = {}
        for persona in personas():
            for name, has_agreed in ((persona.name, True), (f"{persona.name}, {BEFORE}", False)):
                token = tokens[name] = secrets.token_bytes(32)
                person = await house.database.run(settlement.write, persona)
                if has_agreed and persona.holder.side is Side.CORRESPONDENT:
                    await house.database.run(write_agreed, loaded.authority, person, house.programmes["cwa"])
                await house.database.run(settlement.sign_in, person, session_id(token))
        things = {**await enrolment(story), **NAMES, "case": story.case, "message": story.first}
        yield Corridor(story, browser, tokens, things)


NAMES = {"path": "1", "inner": "1", "id": "0" * 32, "provider": "none", "name": "none", "number": "1"}


async def enrolment(story: Story) -> dict[str, str]:
    """Open an agreement that everything about enrolment can be asked of; return its names."""
    house, enact = story.house, story.house.operator.enact
    await enact("add_intake_key", month=month_of(house.clock()))
    tray = IntakeTray(house.database, house.blobs, house.authority, DOMAIN, house.deposit_key)
    arrival = Arrival("x@y.example", (f"forms@{DOMAIN}",), "y.example", "192.0.2.9")
    item = (await tray.take(OutsideMail(PAPER, arrival, (Address("forms", DOMAIN),)))).text.split()[0]
    opened = await enact(
        "open_agreement", programme="cwa", received="2026-01-05", cases=[story.case_id], fields=CONSENT
    )
    reference = opened["reference"]
    await house.operator.paper_link(reference, item)
    user = (await enact("name_user", agreement=reference, **{**USER, "role": "designee"}))["designated_user"]
    form = {"kind": "authorisation-see", "received": "2026-01-05", "fields": INFORMATION, "cases": []}
    authorisation = (await enact("add_authorisation", designated_user=user, **form))["authorisation"]
    await enact("schedule_meeting", designated_user=user, starts_us=to_microseconds(house.clock()) + DAY_US)
    return {"agreement": reference, "authorisation": authorisation, "item": item}


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
            is_right = answer.status_code == (200 if route.startswith("GET") else REFUSED.get(route, 403))
        else:
            is_right = answer.status_code in {403, 404} and (route in NOTHING_THERE or answer.status_code == 404)
        if not is_right:
            differs.append(f"{route}: {answer.status_code}")
    assert differs == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "persona",
    {one.role: one for one in personas() if one.holder.side is Side.CORRESPONDENT}.values(),
    ids=lambda persona: persona.name,
)
async def test_who_has_not_agreed_to_the_terms_is_led_to_them_from_everywhere(
    corridor: Corridor, persona: Persona
) -> None:
    differs = []
    for route in ASKED:
        answer = await corridor.ask(route, f"{persona.name}, {BEFORE}")
        led = answer.status_code == 303 and answer.headers["location"] == "/terms"
        if led is (route in BEFORE_TERMS):
            differs.append(f"{route}: {answer.status_code}")
    assert differs == []


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", ASKED)
async def test_without_a_session_one_is_asked_to_sign_in(corridor: Corridor, route: str) -> None:
    answer = await corridor.ask(route, None)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", [route for route in ASKED if "{reference}" in route and route.startswith("GET")])
@pytest.mark.parametrize("persona", ["designated user by a form: suspended", "employee of another case: now"])
async def test_what_is_forbidden_looks_like_what_is_absent(corridor: Corridor, route: str, persona: str) -> None:
    forbidden = await corridor.ask(route, persona)
    absent = await corridor.ask(route, persona, reference=re.sub(r"....\Z", "2222", corridor.reference(route)))
    assert forbidden.status_code == absent.status_code == 404
    assert forbidden.text == absent.text
