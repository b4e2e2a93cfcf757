"""The page of a draft: its author reads it and chooses, once; for everybody else there is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.casework.addressing import Mailroom
from gateway.casework.drafts import DAY_US
from gateway.domain.errors import NotAllowed
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.portal.security import SESSION_COOKIE, cookie_secret
from gateway.store import tables
from tests.contract.test_relay import relay
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import DOMAIN, Someone, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = (
    b"From: Ines Adler <ines@agency.example>\r\nTo: zoe@firm.example\r\nSubject: Budget of the tour\r\n"
    b"Message-ID: <%d@agency.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nThe figures of the tour.\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=figures.pdf\r\n\r\nx\r\n"
    b"--b--\r\n"
)


@dataclass
class Held:
    """A house where Zoe stands in two cases of Ines, who writes to her by the site's mail system."""

    story: Story
    zoe: Someone
    way: RelayDoor
    number: int = 0

    async def hold(self) -> str:
        self.number += 1
        reply = await relay(self.way, "ines@agency.example", MAIL % self.number, "zoe@firm.example")
        assert reply.code == 250
        return reply.text.split()[0]

    async def rows(self, table: Any) -> list[Any]:
        return await self.story.house.database.read(lambda c: c.execute(select(table)).all())


async def settle_in(story: Story) -> Held:
    """Let Zoe stand in two cases of Ines, and the site's mail system bring mail."""
    house = story.house
    named = select(tables.case.c.id).where(tables.case.c.reference == story.other_case)
    other_id = await house.database.read(lambda c: c.execute(named).scalar_one())
    zoe = await house.add_user("Zoe Kern", [story.case_id, other_id])
    mailroom = Mailroom(DOMAIN, frozenset({"agency.example"}), "Ask.", house.authority)
    nobody: Any = None
    door = SubmissionDoor(
        house.database, house.blobs, nobody, {"cwa": mailroom}, house.deposit_key, lambda: None,
        draft_us={"cwa": 14 * DAY_US},
    )  # fmt: skip
    return Held(story, zoe, RelayDoor(door, "mta", DOMAIN))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held() -> AsyncIterator[Held]:
    async with open_house() as house:
        yield await settle_in(await tell(house))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def author(held: Held) -> AsyncIterator[Browser]:
    async with Browser(held.story.house) as browser:
        await browser.sign_in(held.story.ines)
        yield browser


async def choose(browser: Browser, draft: str, page: str, **fields: str) -> Any:
    return await browser.http.post(f"/drafts/{draft}", data={**hidden(page), **fields})


async def test_the_author_reads_a_draft_and_chooses_its_case(held: Held, author: Browser) -> None:
    draft, case = await held.hold(), held.story.case
    listed = (await author.see("/cases")).text
    assert f'href="/drafts/{draft}"' in listed
    page = (await author.see(f"/drafts/{draft}")).text
    for shown in ("Budget of the tour", "The figures of the tour.", "figures.pdf", case, held.story.other_case):
        assert shown in page
    assert (await choose(author, draft, page)).status_code == 422
    answer = await choose(author, draft, page, case=case)
    assert answer.status_code == 303
    message = answer.headers["location"]
    assert message.startswith(f"/messages/{case}-")
    assert (await choose(author, draft, page, case=case)).headers["location"] == message
    assert (await choose(author, draft, page, case=held.story.other_case)).headers["location"] == f"/drafts/{draft}"
    assert (await author.see(f"/drafts/{draft}")).headers["location"] == message
    received = await author.see(f"{message}/received.eml")
    assert received.content == MAIL % held.number
    async with Browser(held.story.house) as zoe:
        await zoe.sign_in(held.zoe)
        assert "The figures of the tour." in (await zoe.see(message)).text
    assert draft not in (await author.see("/cases")).text


async def test_for_everybody_else_there_is_nothing(held: Held, author: Browser) -> None:
    draft, house = await held.hold(), held.story.house
    row = next(one for one in await held.rows(tables.draft) if one.reference == draft)
    page = (await author.see(f"/drafts/{draft}")).text
    chief = await house.add_employee("Karla Chief")
    await house.operator.enact("add_team", programme="cwa", name="All", address="all@agency.example")
    for person, supervisor in ((held.story.ines, False), (chief, True)):
        await house.operator.enact(
            "add_team_member", team="all@agency.example", person=person.id, supervisor=supervisor
        )
    for somebody in (chief, held.zoe):
        async with Browser(house) as browser:
            await browser.sign_in(somebody)
            assert (await browser.see(f"/drafts/{draft}")).status_code == 404
            assert (await choose(browser, draft, page, case=held.story.case)).status_code == 404
            assert draft not in (await browser.see("/cases")).text
            token = cookie_secret(dict(browser.http.cookies), SESSION_COOKIE)
            assert token is not None
            with pytest.raises(NotAllowed):
                await house.keyholder.open(token, row.message_id)
    async with Browser(house) as nobody:
        assert (await nobody.see(f"/drafts/{draft}")).status_code == 303


async def test_two_windows_at_once_make_one_message(held: Held, author: Browser) -> None:
    draft = await held.hold()
    page = (await author.see(f"/drafts/{draft}")).text
    cases = (held.story.case, held.story.other_case)
    before = len([one for one in await held.rows(tables.message) if one.case_id])
    answers = await asyncio.gather(*(choose(author, draft, page, case=case) for case in cases))
    assert {one.status_code for one in answers} == {303}
    after = len([one for one in await held.rows(tables.message) if one.case_id])
    assert after == before + 1


async def test_what_is_discarded_is_gone_for_its_author_too_and_what_closed_cannot_be_chosen(
    held: Held, author: Browser
) -> None:
    draft, house = await held.hold(), held.story.house
    page = (await author.see(f"/drafts/{draft}")).text
    assert (await choose(author, draft, page, case="T-SM-2222")).status_code == 422
    await house.operator.enact("close_case", case=held.story.case)
    refused = await choose(author, draft, page, case=held.story.case)
    assert refused.status_code == 422
    assert "It cannot go to that case" in refused.text
    assert (await choose(author, draft, page, discard="1")).headers["location"] == "/cases"
    assert (await author.see(f"/drafts/{draft}")).status_code == 404
    assert (await choose(author, draft, page, case=held.story.other_case)).status_code == 404
