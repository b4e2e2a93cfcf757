"""What is away is said, what is broken is an incident with a number, and nothing of it is told."""

from __future__ import annotations

import asyncio
import io
import re
import ssl

import pytest
import structlog
from sqlalchemy import update

from gateway.store.tables import message, session
from tests.portal.browser import Browser, hidden
from tests.portal.conftest import tell
from tests.portal.house import COUNTY, PASSWORD, House, open_house
from tests.portal.test_rights import ask, large_mail, read_all
from tests.said import said


async def test_without_the_keyholder_cases_are_listed_and_the_rest_says_503() -> None:
    async with open_house() as house, Browser(house) as berg, Browser(house) as later:
        story = await tell(house)
        await berg.sign_in(story.berg)
        await house.stop("keyholder")
        house.clock.advance(120)
        assert story.case in (await berg.see("/cases")).text
        for path in (f"/cases/{story.case}", f"/messages/{story.first}", f"/messages/{story.first}/parts/2"):
            answer = await berg.see(path)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "30"
            assert "Nothing is lost" in answer.text
            problem = await berg.see(path, accept="application/json")
            assert problem.json()["status"] == 503
        assert (await berg.write(f"/cases/{story.case}/write", "Still", "taken")).status_code == 303
        signing_in = await later.try_sign_in("berg", PASSWORD, house.code(story.berg))
        assert signing_in.status_code == 503
        assert "__Host-session" not in str(signing_in.headers)


async def test_without_the_authenticator_live_sessions_go_on() -> None:
    async with open_house() as house, Browser(house) as berg, Browser(house) as later:
        story = await tell(house)
        await berg.sign_in(story.berg)
        await house.stop("authenticator")
        assert (await berg.see(f"/messages/{story.first}")).status_code == 200
        answer = await later.try_sign_in("berg", PASSWORD, "123456")
        assert answer.status_code == 503
        assert "retry-after" in answer.headers


async def test_without_the_store_public_pages_are_there() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        assert (await berg.see("/health")).json() == {"status": "ok"}
        hide(house)
        assert (await berg.see("/cases")).status_code == 503
        assert (await berg.see("/health")).status_code == 503
        assert (await berg.see("/")).status_code == 200
        assert (await berg.see("/genuine")).status_code == 200
        (house.folder / "gateway.db").rmdir()
        (house.folder / "away.db").rename(house.folder / "gateway.db")
        assert (await berg.see("/cases")).status_code == 200


def hide(house: House) -> None:
    """Put the database's file where nobody finds it."""
    house.database._read_engine.dispose()
    (house.folder / "gateway.db").rename(house.folder / "away.db")
    (house.folder / "gateway.db").mkdir()


async def test_a_forged_session_row_opens_nothing() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        forged = update(session).values(person_id=story.ines.id)
        await house.database.run(lambda tx: tx.execute(forged))
        assert (await berg.see("/cases")).status_code == 303


async def test_tampering_is_an_incident_that_tells_nothing() -> None:
    log = io.StringIO()
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        spoilt = update(message).values(sealed_summary=b"\0" * 64)
        await house.database.run(lambda tx: tx.execute(spoilt))
        structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log))
        try:
            page = await berg.see(f"/messages/{story.first}")
            problem = await berg.see(f"/messages/{story.first}", accept="application/json")
        finally:
            structlog.configure(logger_factory=structlog.PrintLoggerFactory())
    assert (page.status_code, problem.status_code) == (500, 500)
    number = re.search(r"<strong>([0-9a-f]{8})</strong>", page.text)[1]
    assert number in log.getvalue()
    assert problem.json()["incident"] in log.getvalue()
    for word in ("Tampered", "Traceback", "sealed"):
        assert word not in page.text
        assert word not in problem.text
    assert "Zürich" not in log.getvalue()


async def test_asking_too_fast_is_told_and_passes() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        await berg.sign_in(story.berg)
        with house.clock.standing():
            statuses = [(await berg.see(f"/messages/{story.first}/parts/2")).status_code for _ in range(70)]
            answer = await berg.see(f"/messages/{story.first}")
        assert statuses[0] == 200
        assert statuses[-1] == 429
        assert int(answer.headers["retry-after"]) > 0
        house.clock.advance(61)
        assert (await berg.see(f"/messages/{story.first}")).status_code == 200


async def test_a_stop_lets_running_requests_end_and_takes_no_more() -> None:
    async with open_house() as house, Browser(house) as berg:
        story = await tell(house)
        octets = large_mail()
        reference = await house.receive(story.ines, story.case_id, [story.berg], octets)
        await berg.sign_in(story.berg)
        reader, writer = await ask(house, f"/messages/{reference}/parts/1", berg.http.cookies)
        await reader.readuntil(b"\r\n\r\n")
        port = house.portal.port
        house.stops["portal"].set()
        async with asyncio.timeout(60):
            while await takes(port):
                await asyncio.sleep(0.05)
        assert len(await read_all(reader)) == len(octets.partition(b"\r\n\r\n")[2])
        writer.close()
        await house.tasks["portal"]


async def takes(port: int) -> bool:
    """Whether a portal takes a connection."""
    try:
        _, writer = await asyncio.open_connection("localhost", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 80_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000,
        b"\x16\x03\x01nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_head_without_measure_is_refused(octets: bytes) -> None:
    async with open_house() as house:
        trusted = ssl.create_default_context(cafile=house.certificate)
        reader, writer = await asyncio.open_connection("localhost", house.portal.port, ssl=trusted)
        writer.write(octets)
        try:
            answer = await reader.readline()
        except ConnectionError:  # it has gone before it had read all of that
            answer = b""
        assert answer in {b"HTTP/1.1 400 Bad Request\r\n", b""}
        writer.close()


async def test_another_programme_names_nothing_of_the_first() -> None:
    async with open_house(counties=True, environment="production") as house, Browser(house) as browser:
        ann = await house.add_employee("Ann Archer", programme=COUNTY.name)
        case_id, case = await house.open_case(ann, programme=COUNTY.name, series="CO")
        bob = await house.add_user("Bob Baker", [case_id], programme=COUNTY.name)
        note = b"From: ann@agency.example\r\nTo: x@gateway.example\r\nSubject: Permit\r\n\r\nx\r\n"
        reference = await house.receive(ann, case_id, [bob], note)
        pages = [await browser.see(path) for path in ("/", "/genuine", "/sign-in", "/nothing")]
        pages.append(await browser.try_sign_in("bob", "wrong", "1"))
        await browser.sign_in(bob)
        pages += [await browser.see(path) for path in ("/cases", f"/cases/{case}", f"/messages/{reference}")]
        sent = await browser.write(f"/messages/{reference}", "Re: Permit", "Thanks")
        pages += [await browser.see(sent.headers["location"]), await browser.write(f"/messages/{reference}", "", "")]
        pages.append(await browser.see(f"/messages/{reference}", accept="application/json"))
        for page in pages:
            assert not re.search(r"IRS|CWA|Internal Revenue|15410|[Ww]ithhold", said(page.text))
            assert "Not the real thing" not in page.text
        signed_out = await browser.http.post("/sign-out", data=hidden(pages[5].text))
        assert signed_out.status_code == 303
