"""The page of a draft in a real browser, judged by axe: read, chosen, and found in its case."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.peers.test_browser import DESK, PHONE, visit
from tests.portal.test_drafts import settle_in

SHOTS = os.environ.get("PAGE_SHOTS", "")
"""A folder for pictures of the page, for whoever wants to look at them."""


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_the_author_of_a_draft_finds_it_reads_it_and_chooses_its_case(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        held = await settle_in(visiting.story)
        draft = await held.hold()
        await visiting.sign_in(visiting.story.ines)
        await visiting.judge()
        await visiting.follow(draft)
        await visiting.judge()
        assert "The figures of the tour." in await visiting.page.locator("main").inner_text()
        if SHOTS:
            await visiting.page.screenshot(path=Path(SHOTS) / f"draft-{size[0]}.png", full_page=True)
        await visiting.page.get_by_label(visiting.story.case).check()
        await visiting.send("Send it in this case")
        await visiting.judge()
        assert visiting.story.case in await visiting.page.locator("main").inner_text()
