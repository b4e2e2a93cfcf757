"""Whom notices did not reach: employees of the case see it there, with what to do, and try again by a button."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.casework.bounces import Arrived, Means, apply_reports, enter
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.reach import Report, ReportKind
from gateway.domain.return_path import ReturnPaths
from gateway.store import tables
from gateway.store.claims import claim
from gateway.store.settlements import settle
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import FIRST, Story, tell
from tests.portal.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = ReturnPaths("gateway.example", b"r" * 32)
HEADING = "Notices that did not arrive"
DELIVERED = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")


@dataclass
class Unreached:
    story: Story
    notice: str


async def send_all(house: House) -> None:
    """Take every notice that is due to the next host."""
    while entries := await house.database.run(claim, 300_000_000, 50):
        for entry in entries:
            await house.database.run(settle, house.authority, b"k" * 32, entry, DELIVERED, None)


async def bounce(house: House, notice: str, report: Report) -> None:
    await house.database.run(enter, "outside", Arrived(notice, (report,), "outside"))
    await house.database.run(apply_reports, Means(house.authority, b"k" * 32, PATHS.named))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unreached() -> AsyncIterator[Unreached]:
    async with open_house() as house:
        story = await tell(house)
        await send_all(house)
        of_berg = (tables.outbox.c.person_id == story.berg.id) & (tables.outbox.c.case_id == story.case_id)
        notice = house.database.read_now(lambda rows: rows.execute(select(tables.outbox.c.id).where(of_berg)).scalar())
        await bounce(house, notice, Report(ReportKind.FAILED, "5.1.1", (PATHS.named(story.berg.address),)))
        yield Unreached(story, notice)


@pytest_asyncio.fixture(loop_scope="module")
async def ines(unreached: Unreached) -> AsyncIterator[Browser]:
    async with Browser(unreached.story.house) as browser:
        await browser.sign_in(unreached.story.ines)
        yield browser


async def test_the_case_says_who_since_when_why_and_what_to_do(unreached: Unreached, ines: Browser) -> None:
    page = html.unescape((await ines.see(f"/cases/{unreached.story.case}")).text)
    assert HEADING in page
    for words in ("Berg Tobias", "There is no mailbox of this name.", "known since", "by telephone or by letter"):
        assert words in page
    assert unreached.story.berg.address not in page
    assert HEADING not in (await ines.see(f"/cases/{unreached.story.other_case}")).text


async def test_the_other_side_does_not_see_it(unreached: Unreached) -> None:
    async with Browser(unreached.story.house) as sena:
        await sena.sign_in(unreached.story.sena)
        assert HEADING not in (await sena.see(f"/cases/{unreached.story.case}")).text


async def test_only_an_employee_of_the_case_with_the_page_s_own_form_may_try_again(unreached: Unreached) -> None:
    story = unreached.story
    path = f"/cases/{story.case}/notices/{unreached.notice}/retry"
    stranger = story.house.people.get("other") or await story.house.add_employee("Other Clerk")
    async with Browser(story.house) as browser:
        assert (await browser.http.post(path, data={})).status_code in {303, 401}
        await browser.sign_in(stranger)
        token = hidden((await browser.see("/account/app-passwords")).text)
        assert (await browser.http.post(path, data=token)).status_code == 403
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        assert (await browser.http.post(path, data={"form_token": "x"})).status_code in {403, 404}
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        assert (await browser.http.post(path, data={"form_token": "x"})).status_code == 403
        assert (await browser.see(path)).status_code == 405
        fields = hidden((await browser.see(f"/cases/{story.case}")).text)
        elsewhere = f"/cases/{story.other_case}/notices/{unreached.notice}/retry"
        assert (await browser.http.post(elsewhere, data=fields)).status_code in {403, 404}
        assert (await browser.http.post(path.replace(unreached.notice, "x"), data=fields)).status_code in {403, 404}
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        assert HEADING in (await browser.see(f"/cases/{story.case}")).text


async def test_the_button_tries_again_and_the_page_forgets(unreached: Unreached, ines: Browser) -> None:
    story = unreached.story
    page = (await ines.see(f"/cases/{story.case}")).text
    action = re.search(r'action="([^"]+/retry)"', page)
    assert action is not None
    story.house.woken.clear()
    answer = await ines.http.post(action[1], data=hidden(page))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{story.case}")
    assert story.house.woken == ["notifier"]
    assert HEADING not in (await ines.see(f"/cases/{story.case}")).text
    entries = await story.house.database.run(claim, 300_000_000, 50)
    assert (unreached.notice, story.berg.address) in {(entry.id, entry.address) for entry in entries}
    for entry in entries:
        await story.house.database.run(settle, story.house.authority, b"k" * 32, entry, DELIVERED, None)
    assert (await ines.http.post(action[1], data=hidden(page))).status_code in {403, 404}


async def test_a_complaint_and_a_notice_that_waits_are_shown_in_their_words(
    unreached: Unreached, ines: Browser
) -> None:
    house, story = unreached.story.house, unreached.story
    await house.receive(story.ines, story.case_id, [story.sena], FIRST)
    await send_all(house)
    of_sena = (tables.outbox.c.person_id == story.sena.id) & (tables.outbox.c.case_id == story.case_id)
    newest = select(tables.outbox.c.id).where(of_sena).order_by(tables.outbox.c.id.desc())
    notice = house.database.read_now(lambda rows: rows.execute(newest).scalars().first())
    await bounce(house, notice, Report(ReportKind.COMPLAINT, "", (PATHS.named(story.sena.address),)))
    page = html.unescape((await ines.see(f"/cases/{story.case}")).text)
    assert "a notice was reported as unwanted" in page
    assert "Reminders are not sent there." in page
    assert "Try again to reach Sena" not in page
