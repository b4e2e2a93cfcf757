"""Times as fax servers write them, which is in many ways and seldom with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from gateway.mime.headers import parse_date

_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})[-:/.](?P<month>\d{1,2})[-:/.](?P<day>\d{1,2})[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?(?:[.,]\d{1,6})?\s*(?P<zone>Z|GMT|UTC|[+-]\d{2}:?\d{2})?"
)
_MONTH_FIRST = re.compile(
    r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})[ ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?\s*(?P<half>[AaPp])?(?:\.?[Mm]\.?)?\s*(?P<zone>Z|GMT|UTC|[+-]\d{2}:?\d{2})?"
)
_OFFSET = re.compile(rb"([+-])(\d{2})(\d{2})\s*(?:\(|\Z)")
_MAX = 80


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """Return the instant in UTC that a text begins with, None where there is none; without a zone it is in `zone`.

    Where the year comes last the month comes first, as systems of the United States write it.
    """
    text = text.strip()[:_MAX]
    found = _YEAR_FIRST.match(text) or _MONTH_FIRST.match(text)
    if found is None:
        return parse_date(text.encode("utf-8"))
    told = found.groupdict()
    hour = int(told["hour"])
    if half := told.get("half"):
        hour = hour % 12 + (12 if half in "Pp" else 0)
    try:
        local = datetime(
            int(told["year"]), int(told["month"]), int(told["day"]), hour, int(told["minute"]),
            min(int(told["second"] or 0), 59), tzinfo=_zone(told["zone"]) or zone,
        )  # fmt: skip
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def offset_of(date: bytes) -> tzinfo | None:
    """Return the offset that a Date field ends with, None where it has none."""
    found = _OFFSET.search(date.strip())
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == b"-" else offset)


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    return UTC if text in ("Z", "GMT", "UTC") else offset_of(text.replace(":", "").encode("ascii"))
