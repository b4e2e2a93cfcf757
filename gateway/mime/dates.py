"""Dates of the Internet Message Format (RFC 5322 section 3.3, obsolete forms of section 4.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from gateway.mime.parameters import strip_comments
from gateway.mime.words import unfold

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NUMBERS = {name.encode("ascii"): number for number, name in enumerate(_MONTHS, 1)}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DATE = re.compile(
    rb"(?:[a-z]{3,9}[ ,]{1,4})?([0-9]{1,2})[ -]([a-z]{3})[a-z]{0,6}[ ,-]{1,2}([0-9]{2,4}) "
    rb"([0-9]{1,2}) ?: ?([0-9]{2})(?: ?: ?([0-9]{2}))?(?:\.[0-9]{1,9})? ?([+-][0-9]{4}|[a-z]{1,5})?"
)
# As RFC 5322 section 3.3 has it, after the colon and one blank: nothing in it needs to be taken out or put right first.
_PLAIN = re.compile(
    rb" [A-Za-z]{3}, ([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})"
)
_NAMED_ZONES = {b"edt": -4, b"est": -5, b"cdt": -5, b"cst": -6, b"mdt": -6, b"mst": -7, b"pdt": -7, b"pst": -8}


def parse_date(value: bytes) -> datetime | None:
    """The instant of a raw Date value, in UTC, or None. Military and unknown zones count as UTC (section 4.3)."""
    match = _PLAIN.fullmatch(value)
    if match is None:
        match = _DATE.match(b" ".join(strip_comments(unfold(value)[:200])[0].split()).lower())
    if match is None:
        return None
    day, name, year, hour, minute, second, zone = match.groups()
    month = _MONTH_NUMBERS.get(name.lower())
    if month is None:
        return None
    try:
        clock = (int(hour), int(minute), min(int(second or 0), 59))  # a leap second is read as :59
        return datetime(_year(year), month, int(day), *clock, tzinfo=_zone(zone or b"")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_date(instant: datetime) -> str:
    """A Date value in UTC, for an aware datetime."""
    moment = instant.astimezone(UTC)
    month = _MONTHS[moment.month - 1].capitalize()
    return f"{_DAYS[moment.weekday()]}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} +0000"


def _year(digits: bytes) -> int:
    """Two digits are 2000–2049 or 1950–1999, three count from 1900 (section 4.3)."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _zone(zone: bytes) -> timezone:
    if zone in (b"+0000", b"-0000"):
        return UTC
    if zone[:1] in (b"+", b"-"):
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        return timezone(-offset if zone.startswith(b"-") else offset)
    return timezone(timedelta(hours=_NAMED_ZONES.get(zone, 0)))
