"""An invitation to a meeting for a calendar (RFC 5545): when, where, whom to ask; no name, no case, no address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.domain.content_lines import escaped, written


@dataclass(frozen=True, slots=True)
class Appointment:
    """One meeting. `meeting_id` and `host` name it for calendars, so that a new time takes the place of the old one."""

    meeting_id: str
    host: str
    starts: datetime
    ends: datetime
    made: datetime
    title: str
    text: str
    link: str = ""

    def __post_init__(self) -> None:
        if self.link and not self.link.startswith("https://"):
            raise ValueError("the link to a meeting begins with https://")


def invitation(one: Appointment) -> bytes:
    """Return the octets of an `.ics` file: one VEVENT without attendees, published (RFC 5546 section 3.2.1)."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Secure Mail Gateway//Enrolment//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{one.meeting_id}@{one.host}",
        f"DTSTAMP:{_utc(one.made)}",
        f"DTSTART:{_utc(one.starts)}",
        f"DTEND:{_utc(one.ends)}",
        f"SUMMARY:{escaped(one.title)}",
        f"DESCRIPTION:{escaped(one.text)}",
        *([f"URL:{one.link}", f"LOCATION:{escaped(one.link)}"] if one.link else []),
        "STATUS:CONFIRMED",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return written(lines)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
