"""The button of a case's page that gives a cover sheet: for either side, on record, and for nobody else."""

from __future__ import annotations

import json
import re

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import select

from gateway.casework.cover_sheets import MOST_A_DAY
from gateway.domain.clock import to_microseconds
from gateway.portal.cover_sheets import PURPOSE
from gateway.portal.security import SESSION_COOKIE, cookie_secret, form_token
from gateway.store.cover_sheets import case_of
from gateway.store.tables import leaf
from tests.portal.browser import Browser
from tests.portal.conftest import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
BUTTON = "Get a cover sheet for a fax (PDF)"


def code_on(octets: bytes) -> str:
    picture = pypdfium2.PdfDocument(octets)[0].render(scale=2).to_pil()
    (found,) = zxingcpp.read_barcodes(picture)
    return found.text


async def token_of(browser: Browser, case: str) -> str:
    page = (await browser.see(f"/cases/{case}")).text
    assert BUTTON in page
    return re.search(r'/cover-sheet"><input type="hidden" name="form_token" value="([^"]+)"', page)[1]


@pytest.mark.parametrize("who", ["ines", "berg"])
async def test_a_sheet_is_made_and_its_code_proposes_the_case(
    story: Story, ines: Browser, berg: Browser, who: str
) -> None:
    browser = {"ines": ines, "berg": berg}[who]
    answer = await browser.http.post(
        f"/cases/{story.case}/cover-sheet", data={"form_token": await token_of(browser, story.case)}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    reference = code_on(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="cover-sheet-{reference}.pdf"'
    assert "no-store" in answer.headers["cache-control"]
    now_us = to_microseconds(story.house.clock())
    assert await story.house.database.read(case_of, reference, now_us) == story.case_id
    made = select(leaf.c.body).where(leaf.c.kind == "cover_sheet_made")
    entries = await story.house.database.read(lambda rows: list(rows.execute(made).scalars()))
    assert getattr(story, who).id in {json.loads(one)["by"] for one in entries}


async def test_a_sheet_is_made_by_a_form_of_ours_only_and_shown_by_no_address(story: Story, ines: Browser) -> None:
    path = f"/cases/{story.case}/cover-sheet"
    assert (await ines.http.post(path, data={"form_token": "x"})).status_code == 403
    assert (await ines.see(path)).status_code == 405


async def test_who_may_only_see_a_case_has_no_button_and_no_sheet(story: Story) -> None:
    async with Browser(story.house) as sena:
        await sena.sign_in(story.sena)
        assert BUTTON not in (await sena.see(f"/cases/{story.case}")).text
        token = form_token(cookie_secret(dict(sena.http.cookies), SESSION_COOKIE), PURPOSE)
        answer = await sena.http.post(f"/cases/{story.case}/cover-sheet", data={"form_token": token})
        assert answer.status_code == 404


async def test_after_many_sheets_in_a_day_a_person_is_told_to_wait(story: Story, ines: Browser) -> None:
    token = await token_of(ines, story.case)
    path = f"/cases/{story.case}/cover-sheet"
    codes = [(await ines.http.post(path, data={"form_token": token})).status_code for _ in range(MOST_A_DAY + 1)]
    assert codes[0] == 200
    assert codes[-1] == 429
