"""A meeting request in a message, as the card that its page shows: read from the calendar part, which stays a file to
save.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.domain.clock import to_microseconds
from gateway.domain.partmap import Part, PartMap
from gateway.mime.meeting import Meeting, Moment, read_meeting
from gateway.portal.content import part_octets, shown_text
from gateway.portal.vault import Opened, Vault

_CALENDAR = "text/calendar"


@dataclass(frozen=True, slots=True)
class MeetingCard:
    """What is asked for, and where in the message: `path` is the part's."""

    meeting: Meeting
    path: str

    @property
    def begins_us(self) -> int | None:
        """When it begins, in microseconds, where that is known as an instant."""
        return _instant(self.meeting.begins)

    @property
    def ends_us(self) -> int | None:
        """When it ends, likewise."""
        return None if self.meeting.ends is None else _instant(self.meeting.ends)


async def meeting_in(vault: Vault, opened: Opened) -> MeetingCard | None:
    """Return the card of a received message that asks for a meeting, None for any other. Raises Tampered."""
    part = None if opened.found.row.composed else _calendar_part(opened.summary.part_map)
    if part is None:
        return None
    octets = await part_octets(vault, opened, part)
    text = await asyncio.to_thread(shown_text, octets)
    meeting = await asyncio.to_thread(read_meeting, text.text)
    return None if meeting is None else MeetingCard(meeting, part.path)


def _calendar_part(part_map: PartMap) -> Part | None:
    """Return the calendar object that is a form of the mail itself, not a file that is enclosed."""
    own = (part for part in part_map.own_leaves if part.media_type == _CALENDAR and part.disposition != "attachment")
    return next(own, None)


def _instant(moment: Moment) -> int | None:
    return None if moment.at is None else to_microseconds(moment.at)
