"""The intake desk in a real browser, on a desk and a phone, judged by axe: from a fax to an enrolment with a code."""

from __future__ import annotations

import pytest

from tests.peers.test_browser import DESK, PHONE, Visit, visit
from tests.peers.test_desk_pages import clerks_of, look
from tests.portal.clerks import CHECKS, USER, Clerks, Desk
from tests.portal.faxed import PAPERS, bring, recognised


class Clicks:
    """Counts every link that is followed and every button that is pressed; boxes are ticked by the keyboard."""

    def __init__(self, visiting: Visit) -> None:
        self.visiting = visiting
        self.made: list[str] = []

    async def follow(self, link: str) -> None:
        self.made.append(link)
        await self.visiting.follow(link)

    async def send(self, button: str) -> None:
        self.made.append(button)
        await self.visiting.send(button)

    async def tick(self, label: str) -> None:
        """Tick a box as a keyboard does."""
        await self.visiting.page.get_by_label(label, exact=True).focus()
        await self.visiting.page.keyboard.press("Space")


async def a_desk(visiting: Visit) -> tuple[Clerks, Desk]:
    story = visiting.story
    clerks = await clerks_of(story.house, story.case_id, story.case)
    return clerks, Desk(None, clerks)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_faxed_form_with_an_authorisation_becomes_an_invited_enrolment_in_under_ten_clicks(
    size: tuple[int, int],
) -> None:
    async with visit(size) as visiting:
        page, clicks = visiting.page, Clicks(visiting)
        clerks, desk = await a_desk(visiting)
        item = await bring(clerks, [f"{one} of Vale Tours" for one in PAPERS], recognised())
        await visiting.sign_in(clerks.edda)
        await clicks.follow("Intake")
        await look(visiting, "intake", size)
        await clicks.send(f"Claim and open {item}")
        await look(visiting, "intake-item", size)
        await clicks.follow("Open an enrolment")
        await look(visiting, "intake-enrol", size)
        assert await page.locator("#f-agent-name").input_value() == "Vale Tours Ltd"
        await page.locator("#cases").fill(clerks.case)
        await clicks.send("Open the enrolment")
        await look(visiting, "intake-opened", size)
        await clicks.send("Accept the form")
        await clicks.follow(USER["name"])
        await page.get_by_label("Begins").fill(desk.at(days=1))
        await page.get_by_label("Address of the video meeting").fill("https://video.example/room")
        await clicks.send("Arrange the meeting")
        await clicks.tick("identified")
        await page.get_by_label("Kind of document shown").select_option("passport")
        for one in CHECKS:
            await clicks.tick(one.replace("-", " "))
        await clicks.send("Note the outcome")
        await clicks.send("Invite and show the code")
        assert await page.locator("main .secret").inner_text()
        assert len(clicks.made) < 10, clicks.made
        await visiting.follow("I have told the code")
        said = await page.inner_text("main")
        assert "invited" in said
        assert "Form 8821" in said


@pytest.mark.slow
async def test_by_keyboard_alone_and_without_scripts_a_clerk_claims_turns_splits_files_and_undoes() -> None:
    async with visit(DESK) as visiting:
        page = visiting.page
        clerks, _ = await a_desk(visiting)
        item = await bring(clerks, found=recognised())
        await visiting.sign_in(clerks.edda)
        await visiting.go("/desk/intake")
        await by_key(visiting, "c")
        assert "You have claimed it until" in await page.inner_text("main")
        await by_key(visiting, "2")
        assert "Form 8821" in await page.inner_text("main")
        await by_key(visiting, "m")
        assert "The sections are joined." in await page.inner_text("main")
        await look(visiting, "intake-joined", DESK)
        await by_key(visiting, "u")
        assert "Undone." in await page.inner_text("main")
        await page.locator("#case").fill(clerks.case)
        await by_key(visiting, "f")
        assert "Filed." in await page.inner_text("main")
        await look(visiting, "intake-filed", DESK)
        await by_key(visiting, "u")
        assert f"Document {item}" in await page.inner_text("main")


async def by_key(visiting: Visit, key: str) -> None:
    """Press an access key, as a keyboard does: the page's own driver leaves out what it is without Alt."""
    devices = await visiting.page.context.new_cdp_session(visiting.page)
    told = {"modifiers": 1, "key": key, "windowsVirtualKeyCode": ord(key.upper()), "unmodifiedText": key}
    async with visiting.page.expect_navigation(wait_until="load"):
        await devices.send("Input.dispatchKeyEvent", {"type": "keyDown", **told})
        await devices.send("Input.dispatchKeyEvent", {"type": "keyUp", **told})
