"""A meeting request is a message, and its page shows what is asked for as a card."""

from __future__ import annotations

import re

import pytest

from tests.portal.browser import Browser
from tests.portal.conftest import Story

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUEST = b"""\
From: Ines Adler <ines@agency.example>\r
To: Berg <berg@tours.example>\r
Subject: Budget, part two\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
Let us meet.\r
--b\r
Content-Type: text/calendar; charset=utf-8; method=REQUEST\r
Content-Transfer-Encoding: 8bit\r
\r
BEGIN:VCALENDAR\r
METHOD:REQUEST\r
BEGIN:VEVENT\r
ORGANIZER;CN=Ines Adler:mailto:ines@agency.example\r
SUMMARY:Budget <script>alert(1)</script>\r
LOCATION:Z\xc3\xbcrich\r
DTSTART:20261203T151500Z\r
DTEND;TZID=Eastern Standard Time:20261203T110000\r
END:VEVENT\r
END:VCALENDAR\r
--b--\r
"""


async def test_a_meeting_request_is_shown_as_a_card_with_its_file(story: Story, berg: Browser) -> None:
    reference = await story.house.receive(story.ines, story.case_id, [story.berg], REQUEST)
    page = (await berg.see(f"/messages/{reference}")).text
    assert "You are asked to a meeting" in page
    assert "Let us meet." in page
    assert "Z\u00fcrich" in page
    assert "2026-12-03 11:00 Eastern Standard Time" in page
    assert 'datetime="2026-12-03T15:15:00+00:00"' in page
    assert "Budget &lt;script&gt;alert(1)&lt;/script&gt;" in page
    link = re.search(r'href="(/messages/[^"]+/parts/[^"]+)" download>Save for your calendar', page)
    assert link is not None
    file = await berg.see(link[1])
    assert file.content.startswith(b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST")
    assert ".ics" in file.headers["content-disposition"]


async def test_a_calendar_file_that_cannot_be_read_is_a_file_and_no_card(story: Story, berg: Browser) -> None:
    broken = REQUEST.replace(b"DTSTART:20261203T151500Z", b"DTSTART:soon")
    reference = await story.house.receive(story.ines, story.case_id, [story.berg], broken)
    page = (await berg.see(f"/messages/{reference}")).text
    assert "You are asked to a meeting" not in page
    assert "1 attachment" in page
