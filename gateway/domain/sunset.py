"""Sunsets: the last day on which a group of people signs in by a password. A value and the rule over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.domain.clock import to_microseconds


@dataclass(frozen=True, slots=True)
class Sunset:
    """People of these sides (`gateway.domain.rights.Side`) and programmes (none: of every one), their last day, and how
    many days before it they are told.
    """

    name: str
    sides: frozenset[str]
    programmes: frozenset[str]
    last_day: date
    tell_days: tuple[int, ...]

    def covers(self, side: str, programme: str) -> bool:
        """Tell whether a person of this side and programme is meant."""
        return side in self.sides and (not self.programmes or programme in self.programmes)

    def ends_us(self, zone: ZoneInfo) -> int:
        """Return the instant from which the password counts no more: the end of the last day, in microseconds."""
        return to_microseconds(datetime.combine(self.last_day + timedelta(days=1), time(), zone))


@dataclass(frozen=True, slots=True)
class Sunsets:
    """All of a site, and the time zone of each of its programmes by its key."""

    listed: tuple[Sunset, ...] = ()
    zones: Mapping[str, ZoneInfo] = field(default_factory=dict)

    def of(self, side: str, programme: str) -> Sunset | None:
        """Return the one that comes first for a person of this side and programme, or None."""
        return min((one for one in self.listed if one.covers(side, programme)), key=_day, default=None)

    def ends_us(self, side: str, programme: str) -> int | None:
        """Return when the password counts no more for such a person, in microseconds, or None."""
        found = self.of(side, programme)
        return None if found is None else found.ends_us(self.zone(programme))

    def zone(self, programme: str) -> ZoneInfo:
        """Return the time zone that days of a programme are meant in."""
        return self.zones.get(programme, ZoneInfo("UTC"))


def _day(sunset: Sunset) -> date:
    return sunset.last_day
