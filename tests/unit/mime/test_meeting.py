"""Meeting requests as Exchange, Google and others write them, and what is no request."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.mime.meeting import MAX_CHARACTERS, Moment, read_meeting

EXCHANGE = """\
BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Eastern Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN="Whitfield, Dana":mailto:dana@agency.example
ATTENDEE;ROLE=REQ-PARTICIPANT;CN=Ines:mailto:ines@tours.example
SUMMARY;LANGUAGE=en-US:Budget\\, part two\\; and the itin
 erary
DTSTART;TZID=Eastern Standard Time:20260303T101500
DTEND;TZID=Eastern Standard Time:20260303T110000
LOCATION:Room 4\\nthird floor
BEGIN:VALARM
DTSTART:20200101T000000Z
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def test_a_request_of_exchange_is_read() -> None:
    for text in (EXCHANGE, EXCHANGE.replace("\n", "\r\n")):
        meeting = read_meeting(text)
        assert meeting is not None
        assert meeting.title == "Budget, part two; and the itinerary"
        assert meeting.place == "Room 4 third floor"
        assert meeting.organiser == "Whitfield, Dana"
        assert meeting.begins == Moment(words="2026-03-03 10:15 Eastern Standard Time")
        assert meeting.ends == Moment(words="2026-03-03 11:00 Eastern Standard Time")
        assert not meeting.repeats


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DTSTART:20260303T151500Z", Moment(at=datetime(2026, 3, 3, 15, 15, tzinfo=UTC))),
        ("DTSTART;TZID=America/New_York:20260303T101500", Moment(at=datetime(2026, 3, 3, 15, 15, tzinfo=UTC))),
        ('DTSTART;TZID="America/New_York":20260703T101500', Moment(at=datetime(2026, 7, 3, 14, 15, tzinfo=UTC))),
        ("DTSTART;VALUE=DATE:20260303", Moment(day=date(2026, 3, 3))),
        ("DTSTART:20260303T101500", Moment(words="2026-03-03 10:15")),
        ("DTSTART;TZID=../../etc/passwd:20260303T101500", Moment(words="2026-03-03 10:15 ../../etc/passwd")),
    ],
)
def test_moments_are_instants_where_their_zone_is_known(line: str, expected: Moment) -> None:
    meeting = read_meeting(event(line))
    assert meeting is not None
    assert meeting.begins == expected


def test_an_organiser_without_a_name_is_an_address() -> None:
    meeting = read_meeting(event("DTSTART:20260303", "ORGANIZER:MAILTO:dana@agency.example", "RRULE:FREQ=DAILY"))
    assert meeting is not None
    assert meeting.organiser == "dana@agency.example"
    assert meeting.repeats


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        event("SUMMARY:no beginning"),
        event("DTSTART:20261303T990000Z"),
        event("DTSTART:20260231"),
        EXCHANGE.replace("REQUEST", "REPLY"),
        EXCHANGE.replace("REQUEST", "CANCEL"),
        "BEGIN:VCALENDAR\n" * 6_000,
        "x" * MAX_CHARACTERS + EXCHANGE,
        'DTSTART;A="' * 10_000,
        "\x00\n:\n;:\n",
    ],
)
def test_what_asks_for_no_meeting_is_none(text: str) -> None:
    assert read_meeting(text) is None
