"""Revocation takes hold at once: on the next page, on open sessions, on downloads that are running."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from tests.portal.browser import Browser
from tests.portal.conftest import Story, tell
from tests.portal.house import House, open_house

LARGE = 30_000_000


async def revoke(story: Story) -> None:
    place = story.house.people["berg/place"].id
    await story.house.operator.enact("revoke_designated_user", designated_user=place)


async def end_sessions(story: Story) -> None:
    await story.house.operator.enact("end_sessions", person=story.berg.id)


async def end_person(story: Story) -> None:
    await story.house.operator.enact("end_person", person=story.berg.id)


async def test_a_revoked_user_reads_nothing_on_an_open_page() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        page = await berg.see(f"/messages/{story.first}")
        assert "Answer this message" in page.text
        await revoke(story)
        for path in (
            f"/messages/{story.first}",
            f"/messages/{story.first}/parts/2",
            f"/messages/{story.first}/copy.eml",
            f"/cases/{story.case}",
            f"/cases/{story.case}/write",
        ):
            assert (await berg.see(path)).status_code == 404
        assert story.case not in (await berg.see("/cases")).text
        fields = {"form_token": "x", "subject": "s", "text": "t"}
        assert (await berg.send(f"/cases/{story.case}/write", fields)).status_code == 404


@pytest.mark.parametrize("end", [end_sessions, end_person])
async def test_an_ended_session_leads_to_the_sign_in(end) -> None:  # noqa: ANN001
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        await end(story)
        answer = await berg.see(f"/messages/{story.first}")
        assert answer.headers["location"] == "/sign-in?ended"
        assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_an_idle_session_ends_and_a_used_one_does_not() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        for _ in range(4):
            house.clock.advance(20 * 60)
            assert (await berg.see("/cases")).status_code == 200
        house.clock.advance(31 * 60)
        assert (await berg.see("/cases")).status_code == 303


@pytest.mark.parametrize("end", [revoke, end_sessions])
async def test_a_running_download_ends_with_the_right_to_it(end) -> None:  # noqa: ANN001
    async with open_house(recheck_seconds=0.05) as house, Browser(house) as berg:
        story = await tell(house)
        octets = large_mail()
        reference = await house.receive(story.ines, story.case_id, [story.berg], octets)
        await berg.sign_in(story.berg)
        path = f"/messages/{reference}/parts/1"
        reader, writer = await ask(house, path, berg.http.cookies)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        announced = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        assert announced > LARGE - 1_000
        await end(story)
        await asyncio.sleep(0.1)
        got = len(await read_all(reader))
        writer.close()
        assert got < announced


async def test_a_download_without_a_change_comes_whole() -> None:
    async with open_house(recheck_seconds=0.0) as house, Browser(house) as berg:
        story = await tell(house)
        octets = large_mail()
        reference = await house.receive(story.ines, story.case_id, [story.berg], octets)
        await berg.sign_in(story.berg)
        whole = await berg.see(f"/messages/{reference}/parts/1")
        assert len(whole.content) == int(whole.headers["content-length"])
        assert whole.content == octets.partition(b"\r\n\r\n")[2]


def large_mail() -> bytes:
    head = b"From: ines@agency.example\r\nTo: x@gateway.example\r\nSubject: Large\r\n"
    return (
        head + b"Content-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\n" + b"x" * 998 * (LARGE // 998)
    )


async def ask(house: House, path: str, cookies) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:  # noqa: ANN001
    """Ask and read nothing yet: what does not fit into the sockets waits in the portal."""
    trusted = ssl.create_default_context(cafile=house.certificate)
    reader, writer = await asyncio.open_connection("localhost", house.portal.port, ssl=trusted, limit=2**16)
    cookie = "; ".join(f"{name}={value}" for name, value in dict(cookies).items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def read_all(reader: asyncio.StreamReader) -> bytes:
    got = bytearray()
    while piece := await reader.read(2**16):
        got += piece
    return bytes(got)
