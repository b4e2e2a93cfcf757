from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.calendar import Appointment, invitation

AT = datetime(2026, 12, 1, 15, tzinfo=UTC)


def appointment(**more: str) -> Appointment:
    given = {"title": "Video meeting", "text": "Ask us: +1 202 555 0142.", **more}
    return Appointment("m1", "secure.example", AT, AT + timedelta(minutes=30), AT - timedelta(days=9), **given)


def test_an_invitation_is_one_event_in_utc_that_names_nobody() -> None:
    lines = invitation(appointment(link="https://meet.example/x,y")).decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART:20261201T150000Z" in lines
    assert "DTEND:20261201T153000Z" in lines
    assert "UID:m1@secure.example" in lines
    assert "URL:https://meet.example/x,y" in lines
    assert "LOCATION:https://meet.example/x\\,y" in lines
    assert not any(line.startswith(("ATTENDEE", "ORGANIZER")) for line in lines)


def test_lines_are_folded_at_75_octets_and_never_inside_a_character() -> None:
    text = "Reunión por vídeo; " * 20
    octets = invitation(appointment(text=text))
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))
    unfolded = octets.replace(b"\r\n ", b"").decode()
    assert f"DESCRIPTION:{text}".replace(";", "\\;") in unfolded


def test_words_cannot_begin_a_line_of_their_own() -> None:
    octets = invitation(appointment(title="Hello\nATTENDEE:mailto:x@y"))
    assert b"\r\nATTENDEE" not in octets


@pytest.mark.parametrize("link", ["http://meet.example", "javascript:x", "meet.example"])
def test_a_link_is_https(link: str) -> None:
    with pytest.raises(ValueError, match="https"):
        appointment(link=link)
