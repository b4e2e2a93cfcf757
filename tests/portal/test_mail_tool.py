from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from gateway.store import tables
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story
from tests.portal.house import DOMAIN

PATH = "/account/mail-tool"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_employee_reads_what_to_type(ines: Browser) -> None:
    page = (await ines.see(PATH)).text
    for value in (DOMAIN, ">465<", "STARTTLS on port 587", "ines@agency.example", "TLS certificate", "OAuth2"):
        assert value in page, value
    assert 'href="/account/app-passwords"' in page
    assert 'aria-current="page">Your mail tool' in page


async def test_a_test_goes_to_ones_own_address_and_holds_nothing_of_a_case(story: Story, ines: Browser) -> None:
    page = await ines.see(PATH)
    sent = await ines.http.post(PATH, data=hidden(page.text), follow_redirects=True)
    assert "A test is on its way" in sent.text
    assert "ines@agency.example" not in sent.text.split("<table")[0]
    rows = await story.house.database.read(lambda c: c.execute(select(tables.outbox)).all())
    [row] = [one for one in rows if "sample" in one.fields]
    assert (row.kind, row.person_id, row.case_id) == ("message_waiting", story.house.people["ines"].id, None)
    assert set(json.loads(row.fields)) == {"sample", "address"}
    assert "notifier" in story.house.woken


async def test_a_form_of_another_page_sends_nothing(ines: Browser) -> None:
    assert (await ines.http.post(PATH, data={"form_token": "x"})).status_code == 403


async def test_correspondents_have_no_such_page(berg: Browser) -> None:
    assert (await berg.see(PATH)).status_code == 404
    assert "Your mail tool" not in (await berg.see("/cases")).text
