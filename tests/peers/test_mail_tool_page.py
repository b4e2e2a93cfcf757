"""The page with the values for a mail tool, in a real browser, judged by axe."""

from __future__ import annotations

import pytest

from tests.peers.test_browser import DESK, PHONE, visit


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_an_employee_finds_the_values_and_sends_a_test(size: tuple[int, int]) -> None:
    async with visit(size) as visiting:
        await visiting.sign_in(visiting.story.ines)
        await visiting.go("/account/mail-tool")
        await visiting.judge()
        assert "465" in await visiting.page.locator("table").inner_text()
        await visiting.send("Send me a test")
        await visiting.judge()
        assert "A test is on its way" in await visiting.page.locator("main").inner_text()
