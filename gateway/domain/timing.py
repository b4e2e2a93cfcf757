"""When people are told: what a programme sets, and the instants that follow from it. Pure; days are a zone's own days.

A reading is owed by each recipient of the other side until they have read the message, or need not any more. Reminders
come so many days after the message, at its time of day, outside of quiet hours, few a day. Daylight saving moves none
of them: the same wall clock, whatever the sun does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.notice import NoticeKind, is_zone

DAY = timedelta(days=1)
_NO_TIME = time(0)
_PLANNED = frozenset({NoticeKind.REMINDER, NoticeKind.NOT_READ})
_TOGETHER = frozenset({
    NoticeKind.MESSAGE_WAITING, NoticeKind.REPLY_RECEIVED, NoticeKind.REMINDER, NoticeKind.NOT_READ,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nobody is reminded: from one time of day until another; the same time twice: none."""

    start: time = _NO_TIME
    end: time = _NO_TIME

    def over(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours end that `now` lies in, or None outside of them."""
        local = now.astimezone(zone)
        if not self._holds(local.time()):
            return None
        day = local.date() if local.time() < self.end else local.date() + DAY
        ends = [datetime.combine(day, self.end, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
        return next((end for end in ends if end > now), now + timedelta(hours=1))

    def _holds(self, at: time) -> bool:
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True, slots=True)
class Timing:
    """What a programme sets. Raises ValueError for what makes no sense.

    Notices of one kind that come within `merge_seconds` of the last one told are told together when these are over;
    the first waits for `hold_seconds`. `reminder_days` after the message each recipient who owes a reading is reminded,
    at most `reminders_a_day` times; after `not_read_days` (0: never) the employee is told. `ending_days` before access
    ends its holder is. `unopened_hours` after a reply that nobody has opened its case's team is told; at the first its
    supervisors, too, at the others these alone; none: never.
    """

    merge_seconds: int = 60
    hold_seconds: int = 0
    reminder_days: tuple[int, ...] = (2, 5, 10)
    not_read_days: int = 7
    reminders_a_day: int = 1
    quiet: Quiet = Quiet(time(20), time(8))
    ending_days: tuple[int, ...] = (30, 7)
    digest_at: time = time(17)
    unopened_hours: tuple[int, ...] = (24, 72)

    def __post_init__(self) -> None:
        if self.merge_seconds < 0 or not 0 <= self.hold_seconds <= self.merge_seconds:
            raise ValueError("the first notice is held no longer than others are gathered")
        if self.not_read_days < 0 or self.reminders_a_day < 1:
            raise ValueError("days are counted from 0, reminders a day from 1")
        if list(self.unopened_hours) != sorted(set(self.unopened_hours)) or any(one < 1 for one in self.unopened_hours):
            raise ValueError("unopened_hours are whole, from 1 on, each once, and rise")
        for days in (self.reminder_days, tuple(reversed(self.ending_days))):
            if list(days) != sorted(set(days)) or any(day < 1 for day in days):
                raise ValueError("days are whole, from 1 on, each once; those of reminders rise, those of endings fall")

    def at_most(self, seconds: int) -> Timing:
        """Return the same, but that no notice waits longer than this for others."""
        merge = min(self.merge_seconds, seconds)
        return replace(self, merge_seconds=merge, hold_seconds=min(self.hold_seconds, merge))

    def tells_together(self, kind: NoticeKind) -> bool:
        """Tell whether notices of a kind wait for others; what is planned at one time is told together in any case."""
        return self.merge_seconds > 0 or kind in _PLANNED

    def reminder_at(self, received: datetime, number: int, zone: ZoneInfo) -> datetime | None:
        """Return when the reminder with this number (from 0) is meant for, None after the last."""
        if number >= len(self.reminder_days):
            return None
        return (received.astimezone(zone) + DAY * self.reminder_days[number]).astimezone(UTC)

    def reminders_by(self, received: datetime, by: datetime, zone: ZoneInfo) -> int:
        """Return how many reminders of a message were meant for a time up to `by`."""
        return sum((self.reminder_at(received, n, zone) or by) <= by for n in range(len(self.reminder_days)))

    def digest_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return the next time for a digest, after `now`."""
        today = datetime.combine(now.astimezone(zone).date(), self.digest_at, zone)
        return next(at for at in (today.astimezone(UTC), (today + DAY).astimezone(UTC)) if at > now)

    def unread_at(self, received: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first instant after the last day for reading, None when there is no such day."""
        if not self.not_read_days:
            return None
        return day_after(received.astimezone(zone).date() + DAY * self.not_read_days, zone)


def topic_of(kind: NoticeKind, case_id: str | None) -> str | None:
    """Return what notices are told together by, beside person and programme; None for a kind that is told alone.

    What is answered in its case is told by case, so that an answer goes where it is meant to.
    """
    if kind not in _TOGETHER:
        return None
    return f"{kind.value}:{case_id}" if kind.is_answered_in_the_case else kind.value


def zone_of(name: str | None, default: ZoneInfo) -> ZoneInfo:
    """Return the zone of a person, or the programme's where they have none that we know."""
    return ZoneInfo(name) if name and is_zone(name) else default


def day_after(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant after a day of a zone, in UTC."""
    return datetime.combine(day + DAY, _NO_TIME, zone).astimezone(UTC)
