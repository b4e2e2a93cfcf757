from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio

from tests.portal.browser import Browser
from tests.portal.clerks import Clerks, Desk, open_desk
from tests.portal.house import House, Someone, open_house


@dataclass
class Story:
    """A house where Ines (employee) has a case with Berg (may act) and Sena (may see); Otto has another case."""

    house: House
    ines: Someone
    berg: Someone
    sena: Someone
    otto: Someone
    case_id: str
    case: str
    other_case: str
    first: str


FIRST = b"""\
Received: from desk7.internal.agency.example by relay.internal.agency.example\r
From: "Ines Adler" <ines@agency.example>\r
To: Case <case@gateway.example>, "Someone Else" <else@agency.example>\r
Cc: chief@agency.example\r
Bcc: hidden@agency.example\r
Subject: =?utf-8?q?Budget_for_Z=C3=BCrich?=\r
Date: Mon, 02 Nov 2026 10:00:00 -0500\r
Message-ID: <first@agency.example>\r
X-Mailer: Internal Tool\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b1\r
\r
--b1\r
Content-Type: multipart/alternative; boundary=b2\r
\r
--b2\r
Content-Type: text/plain; charset=utf-8; format=flowed\r
\r
Two things are still \r
missing.\r
--b2\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Two <b>things</b><img src="https://tracker.example/x.gif"><script>alert(1)</script> \
<a href="https://agency.example/list">list</a></p>\r
--b2--\r
--b1\r
Content-Type: application/pdf; name="../Liste.pdf"\r
Content-Disposition: attachment; filename="../Liste.pdf"\r
Content-Transfer-Encoding: base64\r
\r
MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OWFiY2RlZmdoaWpr\r
bG1ub3BxcnN0dXZ3eHl6\r
--b1--\r
"""
LISTE = b"0123456789abcdefghijklmnopqrstuvwxyz" * 2


async def tell(house: House) -> Story:
    ines = await house.add_employee("Ines Adler")
    case_id, case = await house.open_case(ines)
    other_id, other = await house.open_case(ines)
    berg = await house.add_user("Berg Tobias", [case_id])
    sena = await house.add_user("Sena Ortiz", [case_id], "see")
    otto = await house.add_user("Otto Other", [other_id])
    first = await house.receive(ines, case_id, [berg, sena], FIRST)
    return Story(house, ines, berg, sena, otto, case_id, case, other, first)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story() -> AsyncIterator[Story]:
    """Shared by a module's tests: they add to it and take nothing away."""
    async with open_house() as house:
        yield await tell(house)


@pytest_asyncio.fixture(loop_scope="module")
async def berg(story: Story) -> AsyncIterator[Browser]:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.berg)
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def ines(story: Story) -> AsyncIterator[Browser]:
    async with Browser(story.house) as browser:
        await browser.sign_in(story.ines)
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def anyone(story: Story) -> AsyncIterator[Browser]:
    """A browser that nobody has signed in with."""
    async with Browser(story.house) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clerks() -> AsyncIterator[Clerks]:
    async with open_desk() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def edda(clerks: Clerks) -> AsyncIterator[Desk]:
    async with clerks.at_work() as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def emil(clerks: Clerks) -> AsyncIterator[Desk]:
    async with clerks.at_work(clerks.emil) as desk:
        yield desk
