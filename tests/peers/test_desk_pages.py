"""The enrolment desk in a real browser, on a desk and a phone, judged by axe: from a fax to a code that is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from gateway.domain.intake import month_of
from tests.papers import CONSENT, INFORMATION
from tests.peers.test_browser import DESK, PHONE, Visit, visit
from tests.portal.clerks import CHECKS, Clerks, Desk
from tests.portal.house import House

PICTURES = os.environ.get("DESK_PICTURES", "")
"""A folder for pictures of the pages, for whoever wants to look at them."""


async def clerks_of(house: House, case_id: str, case: str) -> Clerks:
    await house.operator.enact("add_intake_key", month=month_of(house.clock()))
    edda = await house.add_employee("Edda Enroller", role="enroller")
    emil = await house.add_employee("Emil Enroller", role="enroller")
    return Clerks(house, edda, emil, house.people["ines"], case_id, case)


async def picture(page: Page, name: str, size: tuple[int, int]) -> None:
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}-{size[0]}.png", full_page=True)


async def look(visiting: Visit, name: str, size: tuple[int, int]) -> None:
    await visiting.judge()
    await picture(visiting.page, name, size)


async def to_agreement(visiting: Visit) -> None:
    await visiting.follow("Back to the agreement")


async def type_form(page: Page, fields: dict[str, str]) -> None:
    for key, value in fields.items():
        await page.locator(f"[name='f-{key}']").fill(value)


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_clerk_enrols_somebody_from_a_fax_and_everybody_can_use_the_pages(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        page, story = visiting.page, visiting.story
        clerks = await clerks_of(story.house, story.case_id, story.case)
        desk = Desk(None, clerks)  # type: ignore[arg-type]
        item = await clerks.fax(pages=2, words="Form 15410 of Vale Tours")
        await visiting.sign_in(clerks.edda)
        await visiting.follow("Enrolment")
        await look(visiting, "list-empty", size)
        await visiting.follow("Open an agreement")
        await look(visiting, "choose", size)
        await visiting.follow(f"Look at {item}")
        await look(visiting, "open", size)
        await type_form(page, {"agent-name": CONSENT["agent-name"], "agent-tin": "12"})
        await visiting.send("Open the agreement")
        await look(visiting, "open-problems", size)
        await type_form(page, {**CONSENT, "signature-date": "2026-01-05"})
        await page.get_by_label("Cases").fill(story.case)
        await visiting.send("Open the agreement")
        assert "The agreement is open" in await page.inner_text("main")
        await look(visiting, "form", size)
        await visiting.follow("Next page")
        assert "Page 2 of 2" in await page.inner_text("main")
        await visiting.send("Show what is sealed")
        assert "123456789" in await page.inner_text("main")
        await look(visiting, "form-opened", size)
        await to_agreement(visiting)
        await look(visiting, "agreement-received", size)
        await visiting.follow("Name a designated user")
        await page.get_by_label("Name", exact=True).fill("Cora Vale")
        await page.get_by_label("E-mail address").fill("cora@vale.example")
        await page.get_by_label("Telephone").fill("+1 202 555 0100")
        await page.get_by_label("Role").select_option("designee")
        await look(visiting, "user-new", size)
        await visiting.send("Name this user")
        await visiting.send("Accept the form")
        await look(visiting, "agreement", size)
        await visiting.follow("Cora Vale")
        await look(visiting, "user-named", size)
        await page.get_by_label("Begins").fill(desk.at(days=1))
        await page.get_by_label("Address of the video meeting").fill("https://video.example/room")
        await visiting.send("Arrange the meeting")
        await look(visiting, "user-meeting", size)
        await page.get_by_label("identified", exact=True).check()
        await page.get_by_label("Kind of document shown").select_option("passport")
        for one in CHECKS:
            await page.locator(f"[name='check-{one}']").check()
        await visiting.send("Note the outcome")
        await look(visiting, "user-identified", size)
        await visiting.send("Invite and show the code")
        await look(visiting, "code", size)
        await visiting.follow("I have told the code")
        await look(visiting, "user-invited", size)
        await visiting.follow("Enter an authorization")
        await type_form(page, INFORMATION)
        await look(visiting, "authorise", size)
        await visiting.send("Enter the authorization")
        await visiting.press(page.get_by_role("link", name="Form 8821", exact=True))
        await look(visiting, "paper", size)
        await visiting.follow("Back to Cora Vale")
        await visiting.follow("Revoke")
        await look(visiting, "revoke", size)
        await visiting.follow("Keep it")
        await visiting.go("/desk/agreements")
        await look(visiting, "list", size)
        for path, name in (("/desk/funnel", "funnel"), ("/desk/report", "report"), ("/desk/agreements?waits", "waits")):
            await visiting.go(path)
            await look(visiting, name, size)
        assert visiting.asked <= {story.house.url.removeprefix("https://"), ""}


@pytest.mark.slow
async def test_by_keyboard_a_clerk_comes_from_the_list_to_the_first_field_and_to_what_is_wrong() -> None:
    async with visit(DESK) as visiting:
        page, story = visiting.page, visiting.story
        clerks = await clerks_of(story.house, story.case_id, story.case)
        await visiting.sign_in(clerks.edda)
        await visiting.go("/desk/agreements/new?by-hand")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")  # skip to the content
        reached: dict[str, None] = {}  # in order; a date has several stops
        for _ in range(10):
            await page.keyboard.press("Tab")
            reached[await page.evaluate("document.activeElement.name || ''")] = None
        assert [one for one in reached if one][:4] == ["received", "cases", "f-agent-name", "f-agent-tin"]
        await page.get_by_label("Taxpayer identification number").fill("12")
        await visiting.send("Open the agreement")
        await page.get_by_role("link", name="Taxpayer identification number").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == "f-agent-tin"
