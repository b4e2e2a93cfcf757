"""Those who administer see every notification as it will look, and have samples sent to themselves alone."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from gateway.domain.notice import NoticeKind
from gateway.portal.wording import PATH
from gateway.store.tables import outbox
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story
from tests.portal.house import Someone

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def administrator(story: Story, name: str) -> Someone:
    return await story.house.add_employee(name, role="administrator")


async def test_each_kind_is_shown_in_each_language_and_says_that_it_is_a_sample(story: Story) -> None:
    ada = await administrator(story, "Ada Admin")
    async with Browser(story.house) as browser:
        await browser.sign_in(ada)
        assert PATH in (await browser.see("/account/notices")).text
        for kind in NoticeKind:
            for language, mark in (("en", "This is a sample"), ("es", "Esta es una muestra")):
                page = await browser.see(f"{PATH}?kind={kind.value}&language={language}")
                assert page.status_code == 200
                assert mark in page.text
                frame = await browser.see(f"{PATH}/frame?kind={kind.value}&language={language}")
                assert mark in frame.text
                assert f'<html lang="{language}">' in frame.text
        assert "sandbox" in frame.headers["content-security-policy"]
        assert "default-src 'none'" in frame.headers["content-security-policy"]
        for wrong in ("kind=none&language=en", "kind=reminder&language=fr", "kind=reminder&language=../en"):
            assert (await browser.see(f"{PATH}?{wrong}")).status_code == 404


async def test_a_sample_goes_to_whoever_asks_and_to_nobody_else(story: Story) -> None:
    house = story.house
    ana = await administrator(story, "Ana Admin")
    async with Browser(house) as browser:
        await browser.sign_in(ana)
        page = await browser.see(f"{PATH}?kind=reminder&language=es")
        assert "a•••@agency.example" in page.text
        house.woken.clear()
        sent = await browser.http.post(
            f"{PATH}/sample", data={**hidden(page.text), "address": story.berg.address, "person": story.berg.id}
        )
        assert sent.status_code == 303
        assert house.woken == ["notifier"]
        assert "A sample is on its way to you" in (await browser.see(sent.headers["location"])).text
        listed = (await browser.see("/account/notices")).text
        assert "A message is still waiting for you" in listed
        assert ">sample</span>" in listed
    rows = await house.database.read(
        lambda connection: connection.execute(select(outbox).where(outbox.c.kind == "reminder")).all()
    )
    assert [(row.person_id, json.loads(row.fields)) for row in rows] == [
        (ana.id, {"sample": "es", "address": ana.address})
    ]


async def test_a_sample_needs_the_page_s_own_form(story: Story) -> None:
    ala = await administrator(story, "Ala Admin")
    async with Browser(story.house) as browser:
        await browser.sign_in(ala)
        wrong = {"form_token": "x", "kind": "reminder", "language": "en"}
        assert (await browser.http.post(f"{PATH}/sample", data=wrong)).status_code == 403


async def test_samples_have_a_bound(story: Story) -> None:
    abe = await administrator(story, "Abe Admin")
    async with Browser(story.house) as browser:
        await browser.sign_in(abe)
        fields = hidden((await browser.see(PATH)).text)
        answers = [(await browser.http.post(f"{PATH}/sample", data=fields)).status_code for _ in range(61)]
        assert set(answers[:60]) == {303}
        assert answers[60] == 429


async def test_the_page_is_for_nobody_else(story: Story, ines: Browser, berg: Browser, anyone: Browser) -> None:
    for browser in (ines, berg):
        assert (await browser.see(PATH)).status_code == 404
        assert (await browser.see(f"{PATH}/frame")).status_code == 404
        assert (await browser.http.post(f"{PATH}/sample", data={"kind": "reminder"})).status_code == 404
        assert PATH not in (await browser.see("/account/notices")).text
    assert (await anyone.see(PATH)).headers["location"] == "/sign-in"
