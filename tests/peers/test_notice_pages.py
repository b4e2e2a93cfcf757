"""The pages on notices, and each notification's own HTML, in a real browser on a desk and a phone, judged by axe."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import async_playwright

from gateway.domain.notice import NoticeKind
from gateway.outbound.samples import sample_notice
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from tests.peers.test_browser import CHROMIUM, DESK, PATIENCE, PHONE, SWITCHES, visit
from tests.portal.specimens import TEMPLATES

PROGRAMME = load_programme(programmes_folder() / "cwa")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_a_person_sees_what_was_sent_and_chooses_how_to_be_told(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        page, story = visiting.page, visiting.story
        await visiting.go("/genuine")
        await visiting.judge()
        for typed, said in (
            (story.first, "A reference alone does not tell"),
            ("0" * 32, "No e-mail with this number left us"),
            ("nonsense", "This is no reference and no number of ours"),
        ):
            await page.get_by_label("Reference or number of the e-mail").fill(typed)
            await visiting.send("Look it up")
            assert said in await page.inner_text("main")
            if typed != "nonsense":  # that answer has the status of an error, which the browser tells of
                await visiting.judge()
        await visiting.sign_in(story.berg)
        await visiting.follow("E-mail notices")
        await visiting.judge()
        assert story.first in await page.inner_text("table")
        await page.get_by_label("Language").select_option("es")
        await page.get_by_label("without a link: I type the address myself").check()
        await page.get_by_label("Your time zone").select_option("Europe/Zurich")
        await visiting.send("Keep this")
        await visiting.judge()
        assert await page.get_by_label("Language").input_value() == "es"
        assert await page.get_by_label("without a link: I type the address myself").is_checked()
        await visiting.go("/genuine")
        await page.get_by_label("Reference or number of the e-mail").fill(story.first)
        await visiting.send("Look it up")
        await visiting.judge()
        assert "Yes, we sent you this" in await page.inner_text("main")
        assert visiting.asked <= {story.house.url.removeprefix("https://"), ""}


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_an_administrator_sees_notices_as_they_look_and_sends_a_sample(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        page, story = visiting.page, visiting.story
        await visiting.sign_in(await story.house.add_employee("Ada Admin", role="administrator"))
        await visiting.follow("E-mail notices")
        await visiting.follow("See how each notice looks, and have a sample sent to you")
        await visiting.judge()
        await page.get_by_label("Notice").select_option("meeting")
        await page.get_by_label("Language").select_option("es")
        await visiting.send("Show")
        await visiting.judge()
        frame = page.frame_locator("iframe")
        assert "Su reunión con nosotros" in await frame.locator("h1").inner_text()
        assert "Esta es una muestra que alguien pidió." in await frame.locator("body").inner_text()
        # The frame leads nowhere and nothing in it runs.
        assert await page.locator("iframe").get_attribute("sandbox") == ""
        await visiting.send("Send me a sample")
        await visiting.judge()
        assert "A sample is on its way to you" in await page.inner_text("main")
        assert visiting.asked <= {story.house.url.removeprefix("https://"), ""}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_each_notification_reads_well_in_both_schemes(size: tuple[int, int], scheme: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES, timeout=PATIENCE)
        window = await browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
        window.set_default_timeout(PATIENCE)
        page = await window.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        try:
            for kind in NoticeKind:
                for language in ("en", "es"):
                    notice = sample_notice(
                        kind, language, PROGRAMME, portal="https://gateway.example/", environment="trial", at=AT
                    )
                    await page.set_content(TEMPLATES.fill(notice, PROGRAMME).html)
                    # The ground that the browser paints by itself in this scheme, told to axe.
                    await page.add_style_tag(content="html { background: Canvas; color: CanvasText }")
                    found = await Axe().run(page)
                    assert found.violations_count == 0, f"{kind} {language}\n{found.generate_report()}"
                    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        finally:
            await browser.close()
        assert asked == []
