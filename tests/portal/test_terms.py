"""Terms that are asked before anything is shown, and again when they change; drafts and sign-ins that end meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import select

from gateway.portal.admission import ADMISSION, Whoever
from gateway.portal.security import SESSION_COOKIE, cookie_secret, form_token
from gateway.store import tables
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import Someone, open_house
from tests.portal.test_first_sign_in import choose, new_code, type_code

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPEN = {"POST /sign-out", "POST /terms"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    async with open_house() as house:
        yield await tell(house)


@pytest_asyncio.fixture(loop_scope="module")
async def nova(story: Story) -> Someone:
    """Somebody who has never agreed to anything."""
    name = f"Nova{len(story.house.people)}"
    return await story.house.add_user(name, [story.case_id], agreed=False)


@pytest_asyncio.fixture(loop_scope="module")
async def veteran(story: Story) -> Someone:
    """Somebody who agreed to terms that are no more in force."""
    someone = await story.house.add_user(f"Vera{len(story.house.people)}", [story.case_id], agreed=False)
    await story.house.agree(someone, "1999-01")
    return someone


async def agree(browser: Browser, page: httpx2.Response) -> httpx2.Response:
    form = re.search(r'<form method="post" action="/terms">(.*?)</form>', page.text, re.DOTALL)
    assert form, page.text
    return await browser.http.post("/terms", data=hidden(form[1]))


def form_of(page: str) -> dict[str, str]:
    """The fields of the form for a message, as they stand in it."""
    form = page[page.index('enctype="multipart/form-data"') :]
    subject = re.search(r'id="subject" name="subject" value="([^"]*)"', form)
    text = re.search(r'<textarea [^>]*id="text"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    assert subject
    assert text
    found = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))
    return {**found, "subject": subject[1], "text": text[1]}


async def test_who_has_not_agreed_is_led_to_the_terms_from_every_page_and_reads_nothing(
    story: Story, nova: Someone
) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(nova)
        differs = []
        for route, what in ADMISSION.items():
            if what is Whoever.ANYBODY or route in OPEN:
                continue
            method, path = route.split()
            reference = story.case if path.startswith("/cases") else story.first
            names = re.findall(r"{(\w+)}", path)
            path = path.format(**{**dict.fromkeys(names, "1"), "reference": reference})
            answer = await (browser.see(path) if method == "GET" else browser.http.post(path, data={"x": "y"}))
            if (answer.status_code, answer.headers.get("location")) != (303, "/terms"):
                differs.append(f"{route}: {answer.status_code}")
        assert differs == []
        page = await browser.see("/terms")
        assert "last step before your messages" in page.text
        assert story.case not in page.text
        for mine in ("/cases", "/account/notices"):
            assert f'href="{mine}"' not in page.text
        assert "not open to you" not in (await browser.see("/genuine")).text


async def test_who_agrees_comes_to_the_inbox_and_is_asked_once(story: Story, nova: Someone) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(nova)
        answer = await agree(browser, await browser.see("/terms"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
        assert story.case in (await browser.see("/cases")).text
        assert "I have read this and agree" not in (await browser.see("/terms")).text
    async with Browser(story.house) as again:
        await again.sign_in(nova)
        assert story.case in (await again.see("/cases")).text
    rows = await story.house.database.read(
        lambda c: c.execute(select(tables.agreed_terms).where(tables.agreed_terms.c.person_id == nova.id)).all()
    )
    assert [(row.terms, row.language) for row in rows] == [(story.house.programmes["cwa"].terms_version, "en")]


async def test_terms_are_shown_in_each_language_of_the_programme_and_to_anybody(story: Story) -> None:
    async with Browser(story.house) as browser:
        english, spanish = await browser.see("/terms"), await browser.see("/terms?language=es")
        assert 'lang="en"' in english.text
        assert "Terms of Service" in english.text
        assert "Condiciones del servicio" in spanish.text
        assert "I have read this" not in english.text
        assert (await browser.see("/terms?language=%3Cb%3E")).status_code == 200


async def test_an_employee_is_not_asked_and_cannot_agree(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        assert (await browser.see("/cases")).status_code == 200
        assert (await browser.http.post("/terms", data={"form_token": "x"})).status_code == 404


async def test_terms_are_agreed_to_by_ones_own_form_alone(story: Story, nova: Someone) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(nova)
        page = await browser.see("/terms")
        version = hidden(page.text)["terms"]
        forged = await browser.http.post("/terms", data={"form_token": "x", "terms": version, "language": "en"})
        assert forged.status_code == 403
        fields = hidden(re.search(r'action="/terms">(.*?)</form>', page.text, re.DOTALL)[1])
        elsewhere = await browser.http.post("/terms", data=fields, headers={"sec-fetch-site": "cross-site"})
        assert elsewhere.status_code == 403
        old = await browser.http.post("/terms", data={**fields, "terms": "1999-01"})
        assert old.status_code == 422
        assert "have just changed" in old.text
        assert (await browser.see("/cases")).headers["location"] == "/terms"


async def test_terms_that_changed_are_asked_again_and_a_message_being_written_is_not_lost(
    story: Story, veteran: Someone
) -> None:
    house = story.house
    async with Browser(house) as browser:
        await browser.sign_in(veteran)
        assert (await browser.see("/cases")).headers["location"] == "/terms"
        assert "You agreed to an earlier version" in (await browser.see("/terms")).text
        # The form was open before the terms changed: its token is that of the session.
        token = write_token(browser)
        path = f"/cases/{story.case}/write"
        typed = {"form_token": token, "submission_key": "a" * 32, "subject": "Long work", "text": "Two hours of it"}
        back = await browser.send(path, typed, [("plan.txt", b"plan", "text/plain")])
        assert back.status_code == 422
        assert "have changed while you wrote" in back.text
        kept = form_of(back.text)
        assert (kept["subject"], kept["text"]) == ("Long work", "Two hours of it")
        version = house.programmes["cwa"].terms_version
        sent = await browser.send(path, {**kept, "terms": version})
        assert sent.status_code == 303
        assert sent.headers["location"].endswith("/sent")
        assert (await browser.see("/cases")).status_code == 200


async def test_who_never_agreed_sends_nothing(story: Story, nova: Someone) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(nova)
        answer = await browser.send(f"/cases/{story.case}/write", {"form_token": "x", "subject": "s", "text": "t"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/terms")


async def test_a_message_that_is_sent_after_the_session_has_ended_comes_back_and_goes_out_after_signing_in(
    story: Story,
) -> None:
    path = f"/cases/{story.case}/write"
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        fields = form_of((await browser.see(path)).text)
        await story.house.operator.enact("end_sessions", person=story.berg.id)
        typed = {**fields, "subject": "A <long> draft", "text": "First line\nsecond & last"}
        kept = await browser.send(path, typed, [("plan.txt", b"plan", "text/plain")])
        assert kept.status_code == 401
        assert "your text is still here" in kept.text
        assert "<long>" not in kept.text
        await browser.sign_in(story.berg)
        again = form_of(kept.text)
        assert again["kept"] == "1"
        unescaped = {**typed, "kept": "1", "submission_key": again["submission_key"]}
        unescaped.pop("form_token")
        shown = await browser.send(path, unescaped)
        assert shown.status_code == 200
        assert "You are signed in again" in shown.text
        last = form_of(shown.text)
        assert "kept" not in last
        sent = await browser.send(path, {**last, "subject": typed["subject"], "text": typed["text"]})
        assert sent.status_code == 303
        assert sent.headers["location"].endswith("/sent")


async def test_what_was_kept_is_never_sent_without_being_shown(story: Story) -> None:
    path = f"/cases/{story.case}/write"
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        before = await messages(story)
        forged = {"kept": "1", "submission_key": "b" * 32, "subject": "s", "text": "t"}
        shown = await browser.send(path, forged, [("a.txt", b"a", "text/plain")])
        assert shown.status_code == 200
        assert await messages(story) == before
        refused = await browser.send(path, {**forged, "kept": "0"})
        assert refused.status_code == 403
        elsewhere = await browser.http.post(path, data=forged, headers={"origin": "https://evil.example"})
        assert elsewhere.status_code == 403


async def test_without_a_session_what_is_no_message_form_leads_to_the_sign_in(story: Story) -> None:
    async with Browser(story.house) as browser:
        answer = await browser.send(f"/cases/{story.case}/write", {"subject": "s", "text": "t"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_the_frame_warns_before_the_session_is_idle_and_its_button_keeps_it(story: Story) -> None:
    house = story.house
    async with Browser(house) as browser:
        await browser.sign_in(story.sena)
        write = await browser.see("/cases")
        assert write.status_code == 200
        calm = await browser.see("/account/time-left")
        assert "you are signed in until" in calm.text
        assert "frame-ancestors 'self'" in calm.headers["content-security-policy"]
        seconds = int(re.search(r'http-equiv="refresh" content="(\d+);', calm.text)[1])
        house.clock.advance(seconds)
        warned = await browser.see("/account/time-left")
        assert 'role="alert"' in warned.text
        token = hidden(warned.text)["form_token"]
        assert (await browser.http.post("/account/time-left", data={"form_token": "x"})).status_code == 403
        stayed = await browser.http.post("/account/time-left", data={"form_token": token})
        assert stayed.headers["location"] == "/account/time-left"
        assert 'role="alert"' not in (await browser.see("/account/time-left")).text


async def test_looking_at_the_frame_is_no_use_of_the_session(story: Story) -> None:
    house = story.house
    async with Browser(house) as browser:
        await browser.sign_in(story.otto)
        for _ in range(40):
            house.clock.advance(60)
            page = await browser.see("/account/time-left")
            if "Your sign-in has ended." in page.text:
                break
        else:
            pytest.fail("the session never ended")
        assert "http-equiv" not in page.text
        assert (await browser.see("/cases")).headers["location"].startswith("/sign-in")
        over = await browser.http.post("/account/time-left", data={"form_token": "x"})
        assert over.headers["location"] == "/account/time-left"


async def test_the_form_for_a_message_has_the_frame(story: Story) -> None:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        page = await browser.see(f"/cases/{story.case}/write")
        assert '<iframe class="time-left-frame" src="/account/time-left"' in page.text


async def test_from_the_code_to_the_inbox_there_are_three_pages_of_ours(story: Story, nova: Someone) -> None:
    code, _ = await new_code(story, nova)
    pages = []
    async with Browser(story.house) as browser:
        pages.append(await browser.see("/first-sign-in"))
        pages.append(await type_code(browser, code))
        answer = await choose(browser, pages[-1])
        while answer.status_code == 303:
            answer = await browser.see(answer.headers["location"])
        pages.append(answer)
        answer = await agree(browser, pages[-1])
        inbox = await browser.see(answer.headers["location"])
    headings = [re.search("<h1>(.*?)</h1>", page.text)[1] for page in [*pages, inbox]]
    assert headings == [
        "Your first sign-in",
        "Choose your password",
        "Terms of Service and Rules of Conduct",
        "Your cases",
    ]
    assert story.case in inbox.text


async def messages(story: Story) -> int:
    return len(await story.house.database.read(lambda c: c.execute(select(tables.message.c.id)).all()))


def write_token(browser: Browser) -> str:
    """The token of a form for a message in this browser's session."""
    secret = cookie_secret(dict(browser.http.cookies), SESSION_COOKIE)
    assert secret
    return form_token(secret, "write")
