"""The table [security]: a profile gives every figure with the document it comes from; a site may be stricter.

Each figure has a bound, the weakest value that its profile lets stand. Where the document says "shall", and anywhere in
`pub1075`, a weaker one is a problem of the configuration; elsewhere `gateway config check` warns. docs/decisions/ has
why. A figure of time that may be 0 is then off, which is weaker than any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gateway.domain.programme import Programme, Recertification
from gateway.domain.rights import Side
from gateway.domain.sunset import Sunset

if TYPE_CHECKING:
    from gateway.config.reading import Table
    from gateway.config.settings import Settings
    from gateway.config.sign_in import ToolSignIn

DAY: Final = 24 * 3600
MINUTE: Final = 60
YEAR: Final = 365 * DAY
MAX_SESSION_SECONDS: Final = DAY
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")
_SIDES: Final = {"employees": Side.OFFICE.value, "correspondents": Side.CORRESPONDENT.value}
_NIST: Final = "NIST SP 800-63B-4, section"
_PUB: Final = "Publication 1075 (11-2021),"


class Profile(StrEnum):
    """Whose figures a site takes."""

    SP800_63B = "sp800-63b"
    PUB1075 = "pub1075"


class Sealing(StrEnum):
    """What new sealing keys are made of: ML-KEM-768 with X25519, or ML-KEM-1024 with P-384 (FIPS 203 and 186-5)."""

    STANDARD = "standard"
    FIPS = "fips"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a profile: its value, the weakest that may stand, where it is from, whether that is binding.

    `more_is_stricter`: as of how long something is kept.
    """

    value: int
    bound: int
    source: str
    is_binding: bool = False
    more_is_stricter: bool = False

    def is_weaker(self, value: int) -> bool:
        """Tell whether a value of the site's own is weaker than the bound."""
        if self.more_is_stricter:
            return value < self.bound
        return self.bound != 0 and (value == 0 or value > self.bound)


_OWN: Final = "no document asks for it; a default of this gateway"
FIGURES: Final[Mapping[Profile, Mapping[str, Figure]]] = MappingProxyType(
    {
        Profile.SP800_63B: MappingProxyType(
            {
                "session_idle": Figure(30 * MINUTE, 60 * MINUTE, f"{_NIST} 2.2.3 (AAL2: at most 1 hour)"),
                "session_absolute": Figure(12 * 3600, DAY, f"{_NIST} 2.2.3 (AAL2: at most 24 hours)", is_binding=True),
                "failures": Figure(100, 100, f"{_NIST} 3.2.2 (at most 100 in a row)", is_binding=True),
                "free_failures": Figure(3, 100, f"{_NIST} 3.2.2 (waits that grow)"),
                "first_wait": Figure(1, 1, f"{_NIST} 3.2.2 (waits that grow)", more_is_stricter=True),
                "count_for": Figure(3600, 60, f"{_NIST} 3.2.2 (waits that grow)", more_is_stricter=True),
                "inactive_after": Figure(0, 0, _OWN),
                "recertify_after": Figure(0, 0, _OWN),
                "recertify_privileged_after": Figure(0, 0, _OWN),
                "record_keep": Figure(0, 0, "the schedule of the agency's own records", more_is_stricter=True),
            }
        ),
        Profile.PUB1075: MappingProxyType(
            {
                "session_idle": Figure(15 * MINUTE, 15 * MINUTE, f"{_PUB} AC-11 and AC-12", is_binding=True),
                "session_absolute": Figure(
                    12 * 3600, DAY, f"{_PUB} IA-11, with {_NIST} 2.2.3 (AAL2: at most 24 hours)", is_binding=True
                ),
                "failures": Figure(100, 100, f"{_NIST} 3.2.2 (at most 100 in a row)", is_binding=True),
                "free_failures": Figure(3, 3, f"{_PUB} AC-7 a (3 in a row)", is_binding=True),
                "first_wait": Figure(
                    15 * MINUTE, 15 * MINUTE, f"{_PUB} AC-7 b (15 minutes)", is_binding=True, more_is_stricter=True
                ),
                "count_for": Figure(
                    120 * MINUTE,
                    120 * MINUTE,
                    f"{_PUB} AC-7 a (in 120 minutes)",
                    is_binding=True,
                    more_is_stricter=True,
                ),
                "inactive_after": Figure(120 * DAY, 120 * DAY, f"{_PUB} AC-2(3) (120 days)", is_binding=True),
                "recertify_after": Figure(YEAR, YEAR, f"{_PUB} AC-2 j (each year)", is_binding=True),
                "recertify_privileged_after": Figure(
                    182 * DAY, 183 * DAY, f"{_PUB} AC-2 j (each half-year)", is_binding=True
                ),
                "record_keep": Figure(
                    7 * YEAR, 7 * YEAR, f"{_PUB} AU-11 (7 years)", is_binding=True, more_is_stricter=True
                ),
            }
        ),
    }
)
"""The figures by the keys of the table; the two of sessions stand in [authenticator]. Times are seconds."""

BANNERS: Final[Mapping[Profile, tuple[str, str]]] = MappingProxyType(
    {
        Profile.SP800_63B: ("", _OWN),
        Profile.PUB1075: (
            (
                "This system holds information of the United States Government. Its use is monitored, recorded and "
                "audited. Use without authorization is prohibited, and subject to criminal and civil penalties. "
                "By going on you agree to this."
            ),
            f"{_PUB} AC-8 and exhibit 8",
        ),
    }
)
"""What people acknowledge before they sign in, "" for nothing, and where that is from."""


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """The profile and every figure as it is in force. Times are seconds, 0 where something is off.

    From `free_failures` wrong tries on an account waits, `first_wait_seconds` at first, from one network; what is older
    than `count_seconds` is not counted. After `failures` in a row, from wherever, somebody has to forgive.
    """

    profile: Profile
    session_idle_seconds: int
    session_absolute_seconds: int
    failures: int
    free_failures: int
    first_wait_seconds: int
    count_seconds: int
    inactive_seconds: int
    recertify_seconds: int
    recertify_privileged_seconds: int
    record_keep_seconds: int
    banner: str
    app_passwords: bool
    sealing: Sealing
    sunsets: tuple[Sunset, ...]


def read_security(table: Table, authenticator: Table) -> SecuritySettings:
    """Read the table, and from that of the authenticator how long a sign-in lasts."""
    profile = Profile(table.choice("profile", Profile.SP800_63B, list(Profile)))
    figures = FIGURES[profile]
    idle = _time(authenticator, "session_idle", figures)
    absolute = _time(authenticator, "session_absolute", figures)
    if idle > absolute:
        authenticator.complain(
            "session_idle", "is longer than session_absolute.", "Make it shorter, or the other longer."
        )
    return SecuritySettings(
        profile=profile,
        session_idle_seconds=idle,
        session_absolute_seconds=absolute,
        failures=_count(table, "failures", figures),
        free_failures=_count(table, "free_failures", figures),
        first_wait_seconds=_time(table, "first_wait", figures),
        count_seconds=_time(table, "count_for", figures),
        inactive_seconds=_time(table, "inactive_after", figures),
        recertify_seconds=_time(table, "recertify_after", figures),
        recertify_privileged_seconds=_time(table, "recertify_privileged_after", figures),
        record_keep_seconds=_time(table, "record_keep", figures),
        banner=_banner(table, profile),
        app_passwords=_app_passwords(table, profile),
        sealing=_sealing(table, profile),
        sunsets=table.named("sunsets", _sunset),
    )


def with_recertification(programmes: Mapping[str, Programme], own: SecuritySettings) -> dict[str, Programme]:
    """Return the programmes, each with how long access holds here until somebody confirms it."""
    rule = Recertification(own.recertify_seconds * 1_000_000, own.recertify_privileged_seconds * 1_000_000)
    return {key: replace(one, recertification=rule) for key, one in programmes.items()}


def consequences(settings: Settings) -> Iterator[str]:
    """Yield what the table means, line by line: each figure with its source, then what it turns off, then warnings."""
    own = settings.security
    yield f"security: profile {own.profile}"
    for key, words in in_force(own).items():
        yield f"security: {key} = {words}"
    if not own.app_passwords:
        yield (
            f"security: app passwords are off. Mail tools {_tool_ways(settings.submission.sign_in)}: employees hand in "
            f"mail by {_other_ways(settings)}, or write in the portal."
        )
    if settings.authenticator.codes.webhook is not None or settings.site.is_trial:
        yield (
            f"security: codes by text message and telephone call are restricted ({_NIST} 3.1.3.3): offer another way "
            "to whoever has one (gateway enrolment report counts them)."
        )
    for key, figure in FIGURES[own.profile].items():
        if figure.is_weaker(_value(own, key)):
            yield f"security: warning: {key} is weaker than {figure.source}"


def in_force(own: SecuritySettings) -> dict[str, str]:
    """Return each figure, the banner and the sealing in words, with the source: by the key of its setting."""
    told = {}
    for key, figure in FIGURES[own.profile].items():
        value = _value(own, key)
        words = str(value) if key in _COUNTS else _duration(value)
        told[key] = f"{words} ({figure.source if value == figure.value else f'of this site; {figure.source}'})"
    text, source = BANNERS[own.profile]
    shown = "none" if not own.banner else "the profile's" if own.banner == text else "the site's own"
    told["banner"] = f"{shown} ({source})"
    told["app_passwords"] = f"{'on' if own.app_passwords else 'off'} ({_APP_PASSWORD_SOURCES[own.profile]})"
    told["sealing"] = f"{own.sealing} ({_SEALING_SOURCES[own.profile]})"
    return told


_COUNTS: Final = ("failures", "free_failures")
_APP_PASSWORD_SOURCES: Final = {Profile.SP800_63B: _OWN, Profile.PUB1075: f"{_PUB} IA-2(1) and IA-2(2)"}
_SEALING_SOURCES: Final = {Profile.SP800_63B: _OWN, Profile.PUB1075: f"{_PUB} SC-13"}
_FIELDS: Final = {
    "session_idle": "session_idle_seconds",
    "session_absolute": "session_absolute_seconds",
    "first_wait": "first_wait_seconds",
    "count_for": "count_seconds",
    "inactive_after": "inactive_seconds",
    "recertify_after": "recertify_seconds",
    "recertify_privileged_after": "recertify_privileged_seconds",
    "record_keep": "record_keep_seconds",
}


def _value(own: SecuritySettings, key: str) -> int:
    return int(getattr(own, _FIELDS.get(key, key)))


def _duration(seconds: int) -> str:
    units = (("d", DAY), ("h", 3600), ("min", 60), ("s", 1))
    unit, size = next((unit for unit in units if seconds and seconds % unit[1] == 0), ("", 1))
    return f"{seconds // size} {unit}" if seconds else "off"


def _time(table: Table, key: str, figures: Mapping[str, Figure]) -> int:
    figure = figures[key]
    least = 60 if key.startswith("session") else 1 if key in ("first_wait", "count_for") else 0
    value = table.time(key, f"{figure.value} s", least)
    _hold(table, key, value, figure)
    return value


def _count(table: Table, key: str, figures: Mapping[str, Figure]) -> int:
    value = table.whole(key, figures[key].value, 1, 1_000_000)
    _hold(table, key, value, figures[key])
    return value


def _hold(table: Table, key: str, value: int, figure: Figure) -> None:
    if figure.is_binding and figure.is_weaker(value):
        bound = str(figure.bound) if key in _COUNTS else f'"{_duration(figure.bound)}"'
        word = "least" if figure.more_is_stricter else "most"
        table.complain(key, f"is weaker than the profile allows: {figure.source}.", f"Give at {word} {bound}.")


def _banner(table: Table, profile: Profile) -> str:
    text, source = BANNERS[profile]
    if not table.has("banner"):
        return text
    own = table.text("banner", "", re.compile(r".{0,2000}\Z"), "a notice of at most 2,000 characters")
    if text and not own:
        table.complain("banner", f"is wanted: {source}.", "Leave it out for the profile's, or give your own.")
    return own


def _app_passwords(table: Table, profile: Profile) -> bool:
    strict = profile is Profile.PUB1075
    wanted = table.flag("app_passwords", default=not strict)
    if strict and wanted:
        what = f"is on, and one secret alone is no second factor: {_APP_PASSWORD_SOURCES[profile]}."
        table.complain("app_passwords", what, "Leave it out, and let employees' mail come by a relay or by LMTP.")
    return wanted


def _sealing(table: Table, profile: Profile) -> Sealing:
    strict = profile is Profile.PUB1075
    sealing = Sealing(table.choice("sealing", Sealing.FIPS if strict else Sealing.STANDARD, list(Sealing)))
    if strict and sealing is not Sealing.FIPS:
        what = f"is of curves that no FIPS names: {_SEALING_SOURCES[profile]}."
        table.complain("sealing", what, 'Write sealing = "fips", or leave it out.')
    return sealing


def _sunset(table: Table, name: str) -> Sunset:
    sides = table.texts("for", ("correspondents",), re.compile("(?:employees|correspondents)$"), '"employees" or …')
    if not sides:
        table.complain("for", "names nobody.", 'Give "correspondents", "employees", or both.')
    text = table.text("last_day", None, _DATE, 'a day: "2027-06-30"')
    try:
        last_day = date.fromisoformat(text)
    except ValueError:
        last_day = date.max.replace(year=9000)
        if text:
            table.complain("last_day", "is no day of the calendar.", 'Give one: "2027-06-30".')
    return Sunset(
        name=name,
        sides=frozenset(_SIDES[side] for side in sides),
        programmes=frozenset(table.texts("programmes", (), _KEY, "the key of a programme")),
        last_day=last_day,
        tell_days=_tell_days(table),
    )


def _tell_days(table: Table) -> tuple[int, ...]:
    days = table.texts("tell_before", ("60 d", "30 d", "7 d", "1 d"), re.compile(r"\d{1,3} d\Z"), 'days: "30 d"')
    return tuple(sorted({int(day.split()[0]) for day in days} - {0}, reverse=True))


def _tool_ways(sign_in: ToolSignIn) -> str:
    ways = [*(["access tokens"] if sign_in.tokens else []), *(["client certificates"] if sign_in.certificates else [])]
    return f"sign in by {' and '.join(ways)}" if ways else "cannot sign in"


def _other_ways(settings: Settings) -> str:
    tools = ["their mail tools"] if settings.submission.sign_in.is_offered else []
    relays = [f"relay {one.name}" for one in settings.submission.relays]
    return " and ".join([*tools, *relays, *(["LMTP"] if settings.submission.lmtp else [])])
