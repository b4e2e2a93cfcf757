"""Mail from outside that was filed: employees read it with a mark, and the other side never sees that it is there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from gateway.domain.address import Address
from gateway.domain.intake import month_of
from gateway.domain.summary import Arrival
from gateway.inbound.tray import IntakeTray, OutsideMail
from tests.portal.browser import Browser
from tests.portal.conftest import Story, tell
from tests.portal.house import DOMAIN, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = (
    b'From: "The Agency" <boss@agency.example>\r\nTo: case@gateway.example\r\nSubject: Urgent concert\r\n'
    b"Message-ID: <stranger@tours.example>\r\n\r\nThe rehearsal begins at seven.\r\n"
)
MARK = "Unverified outside mail"


@dataclass
class Outside:
    """The story, with one mail from outside: its reference in the tray, and once filed in the case."""

    story: Story
    item: str
    reference: str = ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outside() -> AsyncIterator[Outside]:
    async with open_house() as house:
        told = await tell(house)
        await house.operator.enact("add_intake_key", month=month_of(house.clock()))
        tray = IntakeTray(house.database, house.blobs, house.authority, DOMAIN, house.deposit_key)
        arrival = Arrival("stranger@tours.example", (f"case@{DOMAIN}",), "mail.tours.example", "192.0.2.7", "spf=fail")
        reply = await tray.take(OutsideMail(MAIL, arrival, (Address("case", DOMAIN),)))
        yield Outside(told, reply.text.split()[0])


async def test_before_it_is_filed_nobody_finds_it(outside: Outside) -> None:
    for someone in (outside.story.ines, outside.story.berg):
        async with Browser(outside.story.house) as browser:
            await browser.sign_in(someone)
            assert "Urgent" not in (await browser.see(f"/cases/{outside.story.case}")).text
            assert (await browser.see(f"/messages/{outside.item}")).status_code == 404


async def test_filed_it_is_read_by_employees_with_a_mark_and_cannot_be_answered(outside: Outside) -> None:
    house = outside.story.house
    outside.reference = (await house.operator.intake_file(outside.item, outside.story.case))["reference"]
    async with Browser(house) as browser:
        await browser.sign_in(outside.story.ines)
        listed = (await browser.see(f"/cases/{outside.story.case}")).text
        assert re.search(rf"{MARK}</span> <span[^>]*>Unread</span> <a[^>]*>Urgent concert", listed)
        page = (await browser.see(f"/messages/{outside.reference}")).text
        assert page.index(MARK) < page.index("The rehearsal begins at seven.")
        assert "Nobody has verified who wrote it" in page
        assert "stranger@tours.example; spf=fail" in page
        assert 'id="answer"' not in page
        first = (await browser.see(f"/messages/{outside.story.first}")).text
        assert MARK not in first
        assert 'id="answer"' in first
        assert "Unread</span> <a" not in (await browser.see(f"/cases/{outside.story.case}")).text


@pytest.mark.parametrize("who", ["berg", "sena", "otto"])
async def test_the_other_side_never_sees_that_it_is_there(outside: Outside, who: str) -> None:
    house = outside.story.house
    async with Browser(house) as browser:
        await browser.sign_in(house.people[who])
        pages = [(await browser.see(path)).text for path in ("/cases", f"/cases/{outside.story.case}")]
        assert not [page for page in pages if "Urgent" in page or outside.reference in page or MARK in page]
        for path in ("", "/copy.eml", "/received.eml", "/parts/1"):
            assert (await browser.see(f"/messages/{outside.reference}{path}")).status_code == 404


async def test_put_back_it_is_gone_from_the_case(outside: Outside) -> None:
    house = outside.story.house
    assert await house.operator.intake_put_back(outside.item)
    async with Browser(house) as browser:
        await browser.sign_in(outside.story.ines)
        assert "Urgent" not in (await browser.see(f"/cases/{outside.story.case}")).text
        assert (await browser.see(f"/messages/{outside.reference}")).status_code == 404
