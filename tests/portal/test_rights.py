"""Revocation takes hold at once: on the next page, on open sessions, on downloads that are running."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest
from sqlalchemy import select

from gateway.domain.address import Address
from gateway.domain.intake import month_of
from gateway.domain.summary import Arrival
from gateway.inbound.tray import IntakeTray, OutsideMail
from gateway.store.tables import message
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import Story, tell
from tests.portal.house import DOMAIN, House, Someone, open_house

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


async def end_role(house: House, clerk: Someone) -> None:
    await house.operator.enact("end_role", person=clerk.id, role="enroller")


async def end_sessions_of(house: House, clerk: Someone) -> None:
    await house.operator.enact("end_sessions", person=clerk.id)


@pytest.mark.parametrize("end", [end_role, end_sessions_of])
async def test_a_running_download_from_the_tray_ends_with_the_right_to_it(end) -> None:  # noqa: ANN001
    async with open_house(recheck_seconds=0.05) as house, Browser(house) as desk:
        await house.operator.enact("add_intake_key", month=month_of(house.clock()))
        edda = await house.add_employee("Edda Enroller", role="enroller")
        tray = IntakeTray(house.database, house.blobs, house.authority, DOMAIN, house.deposit_key)
        arrival = Arrival("fax@server.example", (f"forms@{DOMAIN}",), "fax.server.example", "192.0.2.9", "spf=none")
        taken = await tray.take(OutsideMail(large_mail(), arrival, (Address("forms", DOMAIN),)))
        await desk.sign_in(edda)
        reader, writer = await ask(house, f"/desk/documents/{taken.text.split()[0]}/parts/1", desk.http.cookies)
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        await end(house, edda)
        await asyncio.sleep(0.1)
        got = len(await read_all(reader))
        writer.close()
        assert got < LARGE - 1_000


async def test_a_form_on_its_way_is_not_sent_once_its_session_was_ended() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        path = f"/cases/{story.case}/write"
        fields = {**hidden((await berg.see(path)).text), "subject": "Half <said>", "text": "The rest"}
        form = httpx2.Request("POST", "https://localhost/", files=[(name, (None, fields[name])) for name in fields])
        body = form.read()
        began = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield body[:-10]
            began.set()
            await house.operator.enact("end_sessions", person=story.berg.id)
            yield body[-10:]

        before = await house.database.read(lambda connection: len(connection.execute(select(message)).all()))
        kind = {"content-type": form.headers["content-type"]}
        answer = await berg.http.post(path, content=slowly(), headers=kind)
        assert began.is_set()
        assert answer.status_code == 401
        assert "Half &lt;said&gt;" in answer.text
        assert await house.database.read(lambda connection: len(connection.execute(select(message)).all())) == before


async def test_a_form_that_comes_slowly_is_a_use_of_its_session() -> None:
    async with open_house(recheck_seconds=0.0) as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        path = f"/cases/{story.case}/write"
        fields = {**hidden((await berg.see(path)).text), "subject": "Long way", "text": "The rest"}
        form = httpx2.Request("POST", "https://localhost/", files=[(name, (None, fields[name])) for name in fields])
        body = form.read()

        async def slowly() -> AsyncIterator[bytes]:
            for at in range(0, len(body), len(body) // 4):
                yield body[at : at + len(body) // 4]
                await asyncio.sleep(0.2)
                house.clock.advance(20 * 60)

        answer = await berg.http.post(path, content=slowly(), headers={"content-type": form.headers["content-type"]})
        assert answer.status_code == 303
        assert answer.headers["location"].endswith("/sent")


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
