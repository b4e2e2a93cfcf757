"""Terms, own agreements, a stated purpose and the warning before a session ends, in a real browser, desk and phone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.peers.test_browser import DESK, PHONE, Visit, visit
from tests.portal.house import PASSWORD
from tests.portal.test_own_agreements import Desk

PICTURES = os.environ.get("GATEWAY_TEST_PICTURES", "")
"""A folder, for whoever wants to look at the pages."""


async def picture(visiting: Visit, name: str) -> None:
    if PICTURES:
        assert visiting.page.viewport_size
        width = visiting.page.viewport_size["width"]
        await visiting.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_the_way_from_the_terms_to_a_further_agreement(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        house, story, page = visiting.story.house, visiting.story, visiting.page
        nova = await house.add_user("Nova Neu", [story.case_id], agreed=False)
        other = (await house.open_case(story.ines))[1]
        further = await Desk(story).further(nova, other)
        await visiting.sign_in(nova, "**/terms")
        await visiting.judge()
        await picture(visiting, "terms")
        await visiting.follow("Leer esto en español")
        await visiting.judge()
        await visiting.send("I have read this and agree")
        assert page.url.endswith("/cases")
        await visiting.judge()
        await picture(visiting, "cases")
        await visiting.follow("1 further agreement names you: is it yours?")
        await visiting.judge()
        await picture(visiting, "agreements")
        await visiting.send("Yes, it is mine")
        await visiting.judge()
        await picture(visiting, "confirmed")
        assert further["reference"] in await page.locator("main").inner_text()
        await visiting.follow(other)
        assert page.url.endswith(f"/cases/{other}")


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_session_that_ends_warns_before_and_loses_nothing_that_was_typed(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        house, story, page = visiting.story.house, visiting.story, visiting.page
        await visiting.sign_in(story.berg)
        await visiting.go(f"/cases/{story.case}/write")
        await visiting.judge()
        frame = page.frame_locator(".time-left-frame")
        await frame.get_by_text("you are signed in until").wait_for()
        await picture(visiting, "write")
        await page.get_by_label("Subject").fill("A long letter")
        await page.get_by_label("Text", exact=True).fill("Written slowly")
        house.clock.advance(26 * 60)
        await come_again(visiting)
        await frame.get_by_role("button", name="Stay signed in").wait_for()
        await visiting.judge()
        await picture(visiting, "warned")
        await frame.get_by_role("button", name="Stay signed in").click()
        await frame.get_by_text("you are signed in until").wait_for()
        assert await page.get_by_label("Subject").input_value() == "A long letter"
        house.clock.advance(31 * 60)
        await come_again(visiting)
        await frame.get_by_text("Your sign-in has ended.").wait_for()
        await picture(visiting, "ended")
        await visiting.send("Send")
        await visiting.judge()
        await picture(visiting, "kept")
        assert await page.get_by_label("Text", exact=True).input_value() == "Written slowly"
        async with page.context.expect_page() as opened:
            await page.get_by_role("link", name="Sign in, in a new tab").click()
        tab = await opened.value
        await tab.get_by_label("User name").fill(story.berg.username)
        await tab.get_by_label("Password", exact=True).fill(PASSWORD)
        await tab.get_by_label("Code").fill(house.code(story.berg))
        await tab.get_by_role("button", name="Sign in", exact=True).click()
        await tab.wait_for_url("**/cases")
        await visiting.send("I have signed in: go on")
        await visiting.judge()
        await picture(visiting, "again")
        assert await page.get_by_label("Text", exact=True).input_value() == "Written slowly"
        await visiting.send("Send")
        assert page.url.endswith("/sent")


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_an_employee_says_why_they_look_into_a_case(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        house, story, page = visiting.story.house, visiting.story, visiting.page
        await visiting.sign_in(await house.add_employee("Eve Elsewhere"))
        await visiting.follow("Look into a case that is not yours")
        await page.get_by_label("Reference of the case").fill("T-SM-2222-2222")
        await page.get_by_label("I audit").check()
        await visiting.send("Show me the case")
        await visiting.judge()
        await picture(visiting, "purpose")
        await page.get_by_label("Reference of the case").fill(story.case)
        await visiting.send("Show me the case")
        assert page.url.endswith(story.case)
        await visiting.judge()
        await picture(visiting, "visited")


async def come_again(visiting: Visit) -> None:
    """Let the frame do now what it does by itself at its time: the clock of these programs was put forward by hand."""
    await visiting.page.locator(".time-left-frame").evaluate("frame => { frame.src = frame.src }")
