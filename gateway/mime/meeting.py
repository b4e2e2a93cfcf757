"""What a meeting request asks for (RFC 5545, RFC 5546), read for whoever is shown it: text in, facts out.

Trusts nothing: what cannot be read is left out, nothing is fetched, no rule of recurrence is worked out. How it fails:
without a beginning there is no meeting. Only as much is read as one event needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MAX_CHARACTERS: Final = 256 * 1024
_MAX_LINES: Final = 5_000
_MAX_WORDS: Final = 500
_LINE = re.compile(r"([A-Za-z0-9-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)\Z", re.DOTALL)
_PARAMETER = re.compile(r";([A-Za-z0-9-]{1,40})=(\"[^\"]*\"|[^;\"]*)")
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ASKS: Final = frozenset({"REQUEST", "ADD", "PUBLISH", ""})


@dataclass(frozen=True, slots=True)
class Moment:
    """When something begins or ends: an instant where its zone is known, a day alone, or the words as they stand."""

    at: datetime | None = None
    day: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One event as its organiser describes it; a word that is not there is empty."""

    title: str
    place: str
    organiser: str
    begins: Moment
    ends: Moment | None
    repeats: bool


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    parameters: Mapping[str, str]
    value: str


def read_meeting(text: str) -> Meeting | None:
    """Return the first event of a calendar object that asks for a meeting, None for any other object. Never raises."""
    found: dict[str, _Line] = {}
    depth: list[str] = []
    for line in _lines(text[:MAX_CHARACTERS]):
        if line.name == "BEGIN":
            depth.append(line.value.upper())
        elif line.name == "END" and depth:
            if depth.pop() == "VEVENT":
                break
        elif depth in (["VCALENDAR"], ["VCALENDAR", "VEVENT"]):
            found.setdefault(line.name, line)
    begins = _moment(found.get("DTSTART"))
    method = found["METHOD"].value.strip().upper() if "METHOD" in found else ""
    if begins is None or method not in _ASKS:
        return None
    return Meeting(
        title=_words(found.get("SUMMARY")),
        place=_words(found.get("LOCATION")),
        organiser=_person(found.get("ORGANIZER")),
        begins=begins,
        ends=_moment(found.get("DTEND")),
        repeats="RRULE" in found,
    )


def _lines(text: str) -> Iterator[_Line]:
    """Yield content lines, folded ones joined (RFC 5545 section 3.1)."""
    joined = re.sub(r"\r?\n[ \t]", "", text)
    for written in joined.splitlines()[:_MAX_LINES]:
        match = _LINE.match(written)
        if match is not None:
            parameters = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(match[2])}
            yield _Line(match[1].upper(), parameters, match[3])


def _words(line: _Line | None) -> str:
    if line is None:
        return ""
    plain = _ESCAPED.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], line.value)
    return " ".join(plain.split())[:_MAX_WORDS]


def _person(line: _Line | None) -> str:
    if line is None:
        return ""
    address = line.value.partition(":")[2] if line.value.lower().startswith("mailto:") else ""
    return " ".join((line.parameters.get("CN") or address).split())[:_MAX_WORDS]


def _moment(line: _Line | None) -> Moment | None:
    match = None if line is None else _DATE.match(line.value.strip())
    if line is None or match is None:
        return None
    year, month, day, hour, minute, second, is_utc = match.groups()
    try:
        on = date(int(year), int(month), int(day))
        if hour is None:
            return Moment(day=on)
        local = datetime(on.year, on.month, on.day, int(hour), int(minute), min(int(second), 59))  # noqa: DTZ001
    except ValueError:
        return None
    if is_utc:
        return Moment(at=local.replace(tzinfo=UTC))
    named = line.parameters.get("TZID", "")
    zone = _zone(named)
    if zone is not None:
        return Moment(at=local.replace(tzinfo=zone).astimezone(UTC))
    return Moment(words=f"{local:%Y-%m-%d %H:%M} {named}".strip()[:_MAX_WORDS])


def _zone(name: str) -> ZoneInfo | None:
    """Return a zone of the IANA database; Exchange names its own, which are shown as they stand."""
    try:
        return ZoneInfo(name) if name and "/" in name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
