"""The intake desk in a real browser, on a desk and a phone, judged by axe: from a fax to an enrolment with a code."""

from __future__ import annotations

from random import Random

import pytest
from playwright.async_api import Page

from benchmarks.recognition import fax, sheets
from gateway.domain.recognition import Recognition
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from gateway.screening import landlock, seccomp
from gateway.screening.pool import Patience, Pool, Sizes
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
        clerks, desk = await a_desk(visiting)
        item = await bring(clerks, [f"{one} of Vale Tours" for one in PAPERS], recognised())
        await enrol(visiting, size, clerks, desk, item, {"agent-name": "Vale Tours Ltd"}, USER["name"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not (landlock.version() and seccomp.is_present()), reason="needs a kernel with Landlock and seccomp"
)
async def test_a_fax_read_by_machine_becomes_an_invited_enrolment_with_the_values_suggested() -> None:
    line = fax.Line(fine=True, coding="group4", specks=0.0003, threshold=150, blur=0.4)
    (form, on_form), (appendix, on_appendix) = sheets.consent(Random("desk/28"))
    ((authorisation, _),) = sheets.disclosure(Random("desk/28"))
    pages = fax.send(Random("line"), line, [(picture, 0) for picture in (form, appendix, authorisation)])
    agent = {key: value for key, _, value in on_form.values if key in {"agent-name", "agent-address", "matter"}}
    (name,) = (value for key, _, value in on_appendix.values if key == "user-name")
    async with visit(DESK) as visiting:
        clerks, desk = await a_desk(visiting)
        item = await bring(clerks, found=await read("2", pages), pages=pages)
        await enrol(visiting, DESK, clerks, desk, item, agent, name)


async def read(part: str, pages: bytes) -> Recognition:
    """Have the pages read by the children that read them in the program."""
    pool = Pool(sizes=Sizes(1, 1), patience=Patience(child=120.0, answer=120.0))
    pool.start_soon(pages=True)
    try:
        return await pool.recognise([(part, pages)], load_programme(programmes_folder() / "cwa").layouts)
    finally:
        await pool.close()


TYPED = {"date": "2026-01-05", "email": "robin@example.com", "tel": "+1 202 555 0143"}
"""What a clerk types, by a field's type."""


async def type_what_was_not_read(page: Page) -> None:
    """Fill the fields that are empty still, as a clerk does who looks at the picture beside them."""
    for field in await page.locator("main form input.usa-input").all():
        if not await field.input_value():
            await field.fill(TYPED.get(await field.get_attribute("type") or "", "withholding, 2026"))


async def enrol(
    visiting: Visit,
    size: tuple[int, int],
    clerks: Clerks,
    desk: Desk,
    item: str,
    suggested: dict[str, str],
    user: str,
) -> None:
    """Make the fax an enrolment whose user `user` is invited, in under ten clicks."""
    page, clicks = visiting.page, Clicks(visiting)
    await visiting.sign_in(clerks.edda)
    await clicks.follow("Intake")
    await look(visiting, "intake", size)
    await clicks.send(f"Claim and open {item}")
    await look(visiting, "intake-item", size)
    await clicks.follow("Open an enrolment")
    await look(visiting, "intake-enrol", size)
    for key, value in suggested.items():
        assert await page.locator(f"#f-{key}").input_value() == value
    await page.locator("#cases").fill(clerks.case)
    await type_what_was_not_read(page)
    await clicks.send("Open the enrolment")
    await look(visiting, "intake-opened", size)
    await clicks.send("Accept the form")
    await clicks.follow(user)
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
