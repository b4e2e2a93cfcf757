"""Codes by text message or call: what is sent to whom, what the page tells, and how often a code may be tried."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
import structlog
from structlog.testing import capture_logs

from gateway.authenticator.code_sender import LogSender, WebhookSender
from gateway.domain.errors import Malformed
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import PASSWORD, Someone, make_certificate, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Kept:
    """A sender that keeps what it is given."""

    codes: list[tuple[str, str, str]] = field(default_factory=list)

    async def send(self, number: str, channel: str, code: str) -> None:
        self.codes.append((number, channel, code))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sender() -> Kept:
    return Kept()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(sender: Kept) -> AsyncIterator[Story]:
    async with open_house(sender=sender) as house:
        yield await tell(house)


@pytest.fixture
def everything_told() -> Iterator[None]:
    """Without a configuration only warnings are told."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    yield
    structlog.configure(**before)


async def give_telephone(
    story: Story, someone: Someone, number: str = "+1 (202) 555-0142", channel: str = "text"
) -> str:
    data, label = await story.house.authenticator_operator.make_telephone(someone.id, number, channel)
    await story.house.operator.enact("add_credential", person=someone.id, kind="telephone", label=label, data=data)
    assert "2025550142" not in data
    return label


async def ask(browser: Browser, username: str, password: str = PASSWORD) -> httpx2.Response:
    page = await browser.see("/sign-in")
    browser.house.clock.advance(31)
    return await browser.http.post(
        "/sign-in/code", data={**hidden(page.text), "username": username, "password": password, "code": ""}
    )


async def answer(browser: Browser, page: httpx2.Response, code: str, **other: str) -> int:
    return (await browser.http.post("/sign-in", data={**hidden(page.text), "code": code, **other})).status_code


async def test_a_code_is_sent_to_the_known_number_and_signs_in_once(story: Story, sender: Kept) -> None:
    assert await give_telephone(story, story.berg) == "texts to …42"
    async with Browser(story.house) as browser:
        page = await ask(browser, story.berg.username)
        number, channel, code = sender.codes[-1]
        assert (number, channel, len(code)) == ("+12025550142", "text", 6)
        assert code not in page.text
        assert await answer(browser, page, code) == 303
        assert "a passkey is surer" in (await browser.see("/account/sign-in")).text
    async with Browser(story.house) as again:
        fields = hidden((await again.see("/sign-in")).text)
        assert await answer(again, page, code, form_token=fields["form_token"]) == 422


async def test_the_answer_is_the_same_whatever_is_wrong_and_nothing_is_sent(story: Story, sender: Kept) -> None:
    await give_telephone(story, story.berg)
    before, pages = len(sender.codes), []
    async with Browser(story.house) as browser:
        for username, password in (
            (story.berg.username, "not the password"),
            ("nobody", PASSWORD),
            (story.otto.username, PASSWORD),
        ):
            page = await ask(browser, username, password)
            pages.append((page.status_code, len(page.text.replace(f'value="{username}"', ""))))
            assert await answer(browser, page, "000000") == 422
    assert len(sender.codes) == before
    assert len(set(pages)) == 1


async def test_a_code_is_for_its_own_person_and_its_own_page(story: Story, sender: Kept) -> None:
    await give_telephone(story, story.berg)
    await give_telephone(story, story.sena)
    async with Browser(story.house) as browser:
        first = await ask(browser, story.berg.username)
        code = sender.codes[-1][2]
        second = await ask(browser, story.sena.username)
        assert await answer(browser, second, code) == 422
        assert await answer(browser, first, code, username=story.sena.username) == 422
        assert await answer(browser, first, code, sent="") == 422
        story.house.clock.advance(60)
        assert await answer(browser, first, code) == 303


async def test_a_code_may_be_tried_five_times(story: Story, sender: Kept) -> None:
    await give_telephone(story, story.berg)
    async with Browser(story.house) as browser:
        page = await ask(browser, story.berg.username)
        code = sender.codes[-1][2]
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for _ in range(5):
            story.house.clock.advance(90)
            assert await answer(browser, page, wrong) == 422
        story.house.clock.advance(90)
        assert await answer(browser, page, code) == 422


async def test_a_code_is_good_for_ten_minutes(story: Story, sender: Kept) -> None:
    story.house.clock.advance(3600)
    await give_telephone(story, story.berg)
    async with Browser(story.house) as browser:
        page = await ask(browser, story.berg.username)
        story.house.clock.advance(601)
        assert await answer(browser, page, sender.codes[-1][2]) == 422


async def test_only_so_many_codes_are_sent_in_an_hour_and_not_at_once(story: Story, sender: Kept) -> None:
    story.house.clock.advance(3600)
    await give_telephone(story, story.sena)
    before = len(sender.codes)
    async with Browser(story.house) as browser:
        for _ in range(8):
            story.house.clock.advance(240)
            assert (await ask(browser, story.sena.username)).status_code == 200
    assert len(sender.codes) - before == 5


@pytest.mark.parametrize("number", ["2025550142", "+1", "+0123456789", "+1202555014x", "tel:+12025550142"])
async def test_what_is_no_number_is_refused(story: Story, number: str) -> None:
    with pytest.raises(Malformed, match="country"):
        await story.house.authenticator_operator.make_telephone(story.berg.id, number, "text")


async def test_a_site_without_a_sender_takes_no_numbers() -> None:
    async with open_house() as house:
        with pytest.raises(Malformed, match="Nothing sends codes"):
            await house.authenticator_operator.make_telephone("p", "+12025550142", "text")
        async with Browser(house) as browser:
            assert "Send a code" not in (await browser.see("/sign-in")).text


async def test_a_web_service_is_asked_over_tls_with_the_token(tmp_path: Path, everything_told: None) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        asked.append(head + await reader.readexactly(length))
        status = b"302 Found\r\nlocation: https://evil.example/" if len(asked) == 2 else b"204 No Content"
        writer.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "tls.key")
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    address = f"https://localhost:{server.sockets[0].getsockname()[1]}/codes"
    trusting = WebhookSender(address, "a token", "The site", ssl.create_default_context(cafile=certificate))
    with capture_logs() as told:
        await trusting.send("+12025550142", "call", "123456")
        await trusting.send("+12025550142", "text", "123456")
        await WebhookSender(address, "a token", "The site").send("+12025550142", "text", "123456")
        server.close()
        await server.wait_closed()
        await trusting.send("+12025550142", "text", "123456")
    assert [line["outcome"] for line in told if line["event"] == "code sent"] == ["sent", "refused", "failed", "failed"]
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert b"authorization: bearer a token" in head.lower()
    assert json.loads(body)["to"] == "+12025550142"
    assert "123456" in json.loads(body)["text"]
    assert "123456" not in str(told)


async def test_a_trial_shows_the_code_in_its_log_and_not_the_number(everything_told: None) -> None:
    with capture_logs() as told:
        await LogSender().send("+12025550142", "text", "123456")
    assert [line.get("code") for line in told] == ["123456"]
    assert "555" not in str(told)
