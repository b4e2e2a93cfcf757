"""The portal in a real browser: on a desk and on a telephone, with scripts on and off, judged by axe."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, async_playwright

from gateway.casework.turning_away import turn_away
from gateway.domain.refusal import new_reference
from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.portal.signatures import Signatures
from tests.portal.conftest import LISTE, Story, tell
from tests.portal.house import PASSWORD, Someone, open_house
from tests.portal.test_signatures import EVE_CARD, INES_CARD, STRANGER, TRUST, clear, opaque_beside, told, wrapped
from tests.signing import ENTITY, header, signer

DESK = (1280, 800)
PHONE = (360, 740)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
PATIENCE = 120_000.0
"""Milliseconds for the browser to start and for each thing it does, on however busy a machine."""

if CHROMIUM is None:
    pytest.skip("needs chromium: make peers", allow_module_level=True)


@dataclass
class Visit:
    """One person's window. `asked`: the hosts that pages asked for anything; `complaints`: the browser's own words."""

    page: Page
    story: Story
    with_script: bool
    asked: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(self.story.house.url + path)

    async def follow(self, link: str) -> None:
        """Press a link and wait for the page behind it: until that has come, the old one or none is there to judge."""
        await self.press(self.page.get_by_role("link", name=link))

    async def send(self, button: str) -> None:
        """Press a button that sends a form, and wait for the answer."""
        await self.press(self.page.get_by_role("button", name=button))

    async def press(self, where: Locator) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await where.click()

    async def sign_in(self, someone: Someone, lands: str = "**/cases") -> None:
        await self.go("/")
        await self.follow("Sign in to read your messages")
        await self.judge()
        await self.page.get_by_label("User name").fill(someone.username)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_label("Code").fill(self.story.house.code(someone))
        await self.send("Sign in")
        await self.page.wait_for_url(lands)

    async def judge(self) -> None:
        """Nothing hidden shows, nothing is wider than the screen, neither axe nor the browser has a word to say."""
        assert self.page.viewport_size
        assert await self.page.locator("[hidden]:visible").all_inner_texts() == [], self.page.url
        if not self.with_script:
            return
        wide = await self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], self.page.url
        found = await Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        assert self.complaints == []


@contextlib.asynccontextmanager
async def visit(
    size: tuple[int, int], *, with_script: bool = True, signatures: Signatures | None = None
) -> AsyncIterator[Visit]:
    async with open_house(signatures=signatures) as house, async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES, timeout=PATIENCE)
        window = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, ignore_https_errors=True, java_script_enabled=with_script
        )
        window.set_default_timeout(PATIENCE)
        page = await window.new_page()
        visiting = Visit(page, await tell(house), with_script)

        def asked(request: Request) -> None:
            visiting.asked.add(request.url.split("/")[2] if request.url.startswith("http") else "")

        def said(message: ConsoleMessage) -> None:
            if "status of 4" not in message.text:
                visiting.complaints.append(message.text)

        page.on("request", asked)
        page.on("console", said)
        try:
            yield visiting
        finally:
            await browser.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "with_script"),
    [(DESK, True), (PHONE, True), (DESK, False), (PHONE, False)],
    ids=["desk", "phone", "desk-without-script", "phone-without-script"],
)
async def test_a_person_reads_downloads_and_answers(size: tuple[int, int], with_script: bool, tmp_path: Path) -> None:
    async with visit(size, with_script=with_script) as visiting:
        page, story = visiting.page, visiting.story
        await visiting.go("/")
        await visiting.judge()
        await visiting.follow("Is this e-mail genuine?")
        await visiting.judge()
        await visiting.sign_in(story.berg)
        await visiting.judge()

        await visiting.follow(story.case)
        await visiting.judge()
        await visiting.follow("Budget for Zürich")
        await visiting.judge()
        assert "Two things are still missing." in await page.locator(".message-text").inner_text()

        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Liste.pdf").click()
        download = await downloading.value
        assert download.suggested_filename == "Liste.pdf"
        assert Path(await download.path()).read_bytes() == LISTE
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download a copy").click()
        assert (await downloading.value).suggested_filename == f"{story.first}.eml"

        await visiting.follow("Show with formatting")
        await visiting.judge()
        frame = page.frame_locator("iframe.message-frame")
        assert (await frame.locator("b").inner_text()) == "things"
        assert await frame.locator("img, script").count() == 0

        file = tmp_path / "Vertrag für Zürich.pdf"
        file.write_bytes(b"%PDF-1.4 " + bytes(200_000))
        other = tmp_path / "list.txt"
        other.write_text("two lines")
        await page.get_by_label("Text", exact=True).fill("Here they are.\n\nRegards")
        await page.get_by_label("Files (optional)").set_input_files([file, other])
        await visiting.send("Send")
        await page.wait_for_url("**/sent")
        await visiting.judge()
        assert await page.get_by_role("heading", level=1).inner_text() == "Your message was received"

        await visiting.follow("See what you sent")
        await visiting.judge()
        text = await page.locator("main").inner_text()
        for word in (
            "Re: Budget for Zürich",
            "Here they are.",
            "Vertrag für Zürich.pdf",
            "200 KB",
            "list.txt",
            "not so far",
        ):
            assert word in text
        await visiting.send("Sign out")
        await page.wait_for_url("**/signed-out")
        await visiting.judge()
        await page.go_back()
        assert "/sign-in" in page.url
        await visiting.judge()
        assert visiting.asked == {f"localhost:{story.house.portal.port}"}


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_an_employees_pages_and_every_refusal_are_for_everyone(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        page, story = visiting.page, visiting.story
        await visiting.go("/sign-in")
        await page.get_by_label("User name").fill("ines")
        await page.get_by_label("Password", exact=True).fill("wrong")
        await page.get_by_label("Code").fill("123456")
        await visiting.send("Sign in")
        assert "That did not work" in await page.get_by_role("alert").inner_text()
        await visiting.judge()
        await visiting.sign_in(story.ines)
        await visiting.go(f"/messages/{story.first}")
        assert "hidden@agency.example" in await page.locator("main").inner_text()
        await visiting.judge()
        await visiting.follow("App passwords")
        await visiting.judge()
        await page.get_by_label("Name").fill("Thunderbird")
        await page.get_by_label("Networks (optional)").fill("nonsense")
        await visiting.send("Make an app password")
        await visiting.judge()
        await page.get_by_label("Networks (optional)").fill("192.0.2.0/24")
        await visiting.send("Make an app password")
        assert await page.locator(".secret").inner_text()
        await visiting.judge()
        await visiting.send("Revoke Thunderbird")
        assert "You have no app password." in await page.locator("main").inner_text()
        await visiting.go(f"/cases/{story.case}/write")
        await visiting.judge()
        await page.get_by_label("Subject").fill(" ")
        await page.get_by_label("Text", exact=True).fill("x")
        await visiting.send("Send")
        await visiting.judge()
        await page.get_by_role("link", name="Subject").click()
        assert await page.evaluate("document.activeElement.id") == "subject"
        await visiting.go("/cases/T-SM-2222")
        await visiting.judge()
        await story.house.stop("keyholder")
        await visiting.go(f"/messages/{story.first}")
        visiting.complaints.clear()  # the browser tells of the 503
        await visiting.judge()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "with_script"),
    [(DESK, True), (PHONE, True), (PHONE, False)],
    ids=["desk", "phone", "phone-without-script"],
)
async def test_every_result_of_a_signature_is_for_everyone(size: tuple[int, int], with_script: bool) -> None:
    changed = clear(signer(INES_CARD, ENTITY), signer(EVE_CARD, ENTITY)).replace(b"figures", b"numbers")
    mails = {
        "Good": clear(),
        "Another": clear(signer(EVE_CARD, ENTITY)),
        "Not known here": clear(signer(STRANGER, ENTITY)),
        "Broken": changed,
        "Good for a part": opaque_beside(),
        "Not checked": clear(*[signer(INES_CARD, ENTITY)] * 9),
        "Good S/MIME": header() + wrapped(),
    }
    async with visit(size, with_script=with_script, signatures=Signatures(TRUST)) as visiting:
        story = visiting.story
        await visiting.sign_in(story.berg)
        for words, octets in mails.items():
            reference = await story.house.receive(story.ines, story.case_id, [story.berg], octets)
            await visiting.go(f"/messages/{reference}")
            assert told(await visiting.page.content())[0].startswith(words)
            await visiting.judge()
            assert await visiting.page.get_by_text("you asked for.").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "with_script"),
    [(DESK, True), (PHONE, True), (PHONE, False)],
    ids=["desk", "phone", "phone-without-script"],
)
async def test_a_refusal_is_explained_to_anybody(size: tuple[int, int], with_script: bool) -> None:
    async with visit(size, with_script=with_script) as visiting:
        page, reference = visiting.page, new_reference()
        verdict = Verdict(
            tuple(Finding(kind, "subject", Strength.PROOF) for kind in (Kind.SSN, Kind.IBAN)),
            (Unreadable("attachment 1", Unread.ENCRYPTED),),
        )
        await visiting.story.house.database.run(turn_away, reference, verdict, "")
        await visiting.go("/refused")
        await visiting.judge()
        await page.get_by_label("Reference", exact=True).fill(reference.replace("-", " ").lower())
        await visiting.send("Look it up")
        told = await page.get_by_role("alert").inner_text()
        for words in (reference, "a U.S. taxpayer number", "a bank account", "password-protected or encrypted"):
            assert words in told
        await visiting.judge()
        await page.get_by_label("Reference", exact=True).fill("R-3333-3333")
        await visiting.send("Look it up")
        assert "We know nothing under this reference" in await page.get_by_role("alert").inner_text()
        await visiting.judge()
        await visiting.follow("Sign in to send it here")
        assert visiting.asked == {f"localhost:{visiting.story.house.portal.port}"}


@pytest.mark.slow
async def test_by_keyboard_one_skips_to_the_content_and_sees_where_one_is() -> None:
    async with visit(DESK) as visiting:
        await visiting.sign_in(visiting.story.berg)
        page = visiting.page
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "usa-skipnav"
        assert await page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == visiting.story.case
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.slow
async def test_a_revocation_ends_an_open_page() -> None:
    async with visit(PHONE) as visiting:
        page, story = visiting.page, visiting.story
        await visiting.sign_in(story.berg)
        await visiting.go(f"/messages/{story.first}")
        place = story.house.people["berg/place"].id
        await story.house.operator.enact("revoke_designated_user", designated_user=place)
        await page.reload()
        assert await page.get_by_role("heading", level=1).inner_text() == "There is nothing here for you"
        await visiting.follow("To your cases")
        assert story.case not in await page.content()
