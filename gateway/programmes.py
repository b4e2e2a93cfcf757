"""Loads programmes: a folder with `programme.toml` and `wording/<language>.toml` becomes one frozen `Programme`.

What a programme says of how its forms look on paper stands in `recognition.toml` and is read by `gateway.layouts`.

Every problem of every file is found in one pass and reported together, each with its file and key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.domain.cover_sheet import SERIES as COVER_SHEETS
from gateway.domain.enrolment import TWO_PEOPLE
from gateway.domain.errors import ConfigError
from gateway.domain.notice import NoticeKind
from gateway.domain.paper import FormField, Shape
from gateway.domain.programme import (
    EnrolmentRules,
    Form,
    FormKind,
    Limits,
    Programme,
    ProgrammeRole,
    Series,
    Terms,
    Validity,
    ValidityRule,
    Wording,
)
from gateway.domain.rights import Right
from gateway.domain.timing import Quiet, Timing
from gateway.layouts import read_layouts
from gateway.toml_tables import Table, read_table

_NEEDED = frozenset({NoticeKind.MESSAGE_WAITING, NoticeKind.DELIVERY_FAILED, NoticeKind.LEFT_IN_CLEAR})
MAX_VERSION = 32
MAX_ASK = 160
_KEY = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_SERIES = re.compile(r"[A-Z]{2,4}\Z")
_VERB = re.compile(r"[a-z_]{2,40}\Z")
_ANY = re.compile(r"(?s).")
_LANGUAGE = re.compile(r"[a-z]{2}\Z")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")
MOST_DAYS = 365


def load_programmes(folders: Iterable[Path]) -> Mapping[str, Programme]:
    """Load each folder and return the programmes by key. Raises ConfigError with every problem of all of them."""
    loaded: dict[str, Programme] = {}
    problems: list[str] = []
    for folder in folders:
        try:
            programme = load_programme(folder)
        except ConfigError as error:
            problems.append(error.advice)
            continue
        clash = next(
            (one for one in loaded.values() if programme.key == one.key or programme.series == one.series), None
        )
        if clash:
            problems.append(f"{folder / 'programme.toml'}: key and series must differ from those of {clash.key}")
        loaded.setdefault(programme.key, programme)
    if not loaded and not problems:
        problems.append("no programme is named: a gateway runs at least one")
    if problems:
        raise ConfigError("\n".join(problems))
    return MappingProxyType(loaded)


def load_programme(folder: Path) -> Programme:
    """Load one folder. Raises ConfigError with every problem, a line each: `file: key: what is wrong`."""
    problems: list[str] = []
    table = read_table(folder / "programme.toml", problems)
    languages = table.texts("languages", _LANGUAGE, "two lower-case letters")
    programme = Programme(
        key=table.text("key", _KEY, "a lower-case word"),
        series=table.text("series", _SERIES, "two to four capital letters"),
        time_zone=_zone(table),
        languages=languages,
        ask=_ask(table),
        fax=table.text("fax") if table.has("fax") else None,
        forms=table.each("forms", _form),
        roles=table.each("roles", _role),
        limits=table.inner("limits", _limits),
        records=table.each("records", _series),
        notices=frozenset(table.choices("notices", NoticeKind)),
        screening=table.texts("screening", _KEY, "a lower-case word"),
        wording=_wordings(folder, languages, problems),
        timing=table.inner("timing", _timing) if table.has("timing") else Timing(),
        enrolment=table.inner("enrolment", _enrolment) if table.has("enrolment") else EnrolmentRules(),
    )
    table.close()
    programme = replace(programme, layouts=read_layouts(folder, programme.forms, problems))
    if not problems:
        _check_whole(programme, table)
    if problems:
        raise ConfigError("\n".join(problems))
    return programme


def _zone(table: Table) -> str:
    name = table.text("time_zone")
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        table.complain("time_zone", "is not a zone of the IANA time zone database")
    return name


def _ask(table: Table) -> str:
    ask = table.line("ask")
    if not ask.isascii() or len(ask) > MAX_ASK:
        table.complain("ask", f"goes into SMTP replies: one ASCII line of at most {MAX_ASK} characters")
    return ask


def _form(table: Table) -> Form:
    kind = table.choice("kind", FormKind)
    right = table.choice("right", Right) if table.has("right") else None
    rule = table.choice("validity", ValidityRule)
    years = table.number("years", 0, 50) if rule is ValidityRule.YEARS_AFTER_RECEIPT else 0
    return Form(
        kind,
        table.line("number"),
        table.line("title"),
        right,
        Validity(rule, years),
        table.each("fields", _field),
        table.flag("revokes_earlier"),
    )


def _field(table: Table) -> FormField:
    return FormField(
        table.text("key", _KEY, "a lower-case word"),
        table.line("label"),
        table.flag("sealed"),
        table.choice("shape", Shape) if table.has("shape") else Shape.TEXT,
        _pattern(table),
        table.text("ignored", _ANY, "characters") if table.has("ignored") else "",
        table.line("says") if table.has("says") else "",
        table.flag("optional"),
        table.flag("appendix"),
        table.flag("name"),
    )


def _pattern(table: Table) -> str:
    pattern = table.line("pattern") if table.has("pattern") else ""
    try:
        re.compile(pattern)
    except re.error:
        table.complain("pattern", "is no regular expression")
        return ""
    return pattern


def _enrolment(table: Table) -> EnrolmentRules:
    usual = EnrolmentRules()
    rules = EnrolmentRules(
        frozenset(table.texts("two_people", _VERB, "a verb")) if table.has("two_people") else usual.two_people,
        table.number("code_hours", 24, 72) if table.has("code_hours") else usual.code_hours,
        table.flag("new_meeting"),
        table.texts("documents", _KEY, "a lower-case word") if table.has("documents") else usual.documents,
        table.texts("checklist", _KEY, "a lower-case word") if table.has("checklist") else usual.checklist,
    )
    if unknown := rules.two_people - TWO_PEOPLE:
        table.complain("two_people", f"cannot have {', '.join(sorted(unknown))}, but {', '.join(sorted(TWO_PEOPLE))}")
    return rules


def _role(table: Table) -> ProgrammeRole:
    return ProgrammeRole(
        key=table.text("key", _KEY, "a lower-case word"),
        title=table.line("title"),
        right=table.choice("right", Right),
        needs=table.choice("needs", FormKind) if table.has("needs") else None,
    )


def _limits(table: Table) -> Limits:
    return Limits(table.number("designated_users", 1, 100), table.number("notice_days", 0, 365))


def _timing(table: Table) -> Timing:
    usual = Timing()
    try:
        return Timing(
            merge_seconds=table.number("merge_seconds", 0, 3600, usual.merge_seconds),
            hold_seconds=table.number("hold_seconds", 0, 3600, usual.hold_seconds),
            reminder_days=table.numbers("reminder_days", 1, MOST_DAYS, usual.reminder_days),
            not_read_days=table.number("not_read_days", 0, MOST_DAYS, usual.not_read_days),
            reminders_a_day=table.number("reminders_a_day", 1, 10, usual.reminders_a_day),
            quiet=Quiet(
                _time_of_day(table, "quiet_from", usual.quiet.start),
                _time_of_day(table, "quiet_until", usual.quiet.end),
            ),
            ending_days=table.numbers("ending_days", 1, MOST_DAYS, usual.ending_days),
            digest_at=_time_of_day(table, "digest_at", usual.digest_at),
            unopened_hours=table.numbers("unopened_hours", 1, MOST_DAYS * 24, usual.unopened_hours),
        )
    except ValueError as problem:
        table.complain("hold_seconds, reminder_days, ending_days, unopened_hours", str(problem))
        return usual


def _time_of_day(table: Table, key: str, usual: time) -> time:
    if not table.has(key):
        return usual
    return time.fromisoformat(table.text(key, _TIME, 'a time of day like "20:00"') or "00:00")


def _series(table: Table) -> Series:
    return Series(table.text("key", _KEY, "a lower-case word"), table.line("title"), table.number("keep_years", 0, 100))


def _wordings(folder: Path, languages: Iterable[str], problems: list[str]) -> Mapping[str, Wording]:
    found: dict[str, Wording] = {}
    for language in languages:
        table = read_table(folder / "wording" / f"{language}.toml", problems)
        found[language] = _wording(table)
        table.close()
    return MappingProxyType(found)


def _wording(table: Table) -> Wording:
    return Wording(
        agency=table.line("agency"),
        programme=table.line("programme"),
        sender=table.line("sender"),
        telephone=table.line("telephone"),
        hours=table.line("hours"),
        ask=table.line("ask"),
        terms=table.inner(
            "terms", lambda terms: Terms(terms.line("version"), terms.text("service"), terms.text("conduct"))
        ),
        meeting=table.line("meeting") if table.has("meeting") else "",
    )


def _check_whole(programme: Programme, table: Table) -> None:
    if programme.series == COVER_SHEETS:
        table.complain("series", f"cannot be {COVER_SHEETS}: references of cover sheets begin so")
    kinds = {form.kind for form in programme.forms}
    if FormKind.CONSENT not in kinds:
        table.complain("forms", f"none has the kind {FormKind.CONSENT.value}: no agreement could be made")
    for role in programme.roles:
        if role.needs and role.needs not in kinds:
            table.complain("roles", f"{role.key} needs a form of the kind {role.needs.value}, and there is none")
    if len({role.key for role in programme.roles}) < len(programme.roles):
        table.complain("roles", "two roles have one key")
    if missing := _NEEDED - programme.notices:
        table.complain("notices", f"cannot be without {', '.join(sorted(missing))}")
    if len({words.terms.version for words in programme.wording.values()}) > 1:
        table.complain("languages", "the terms have one version in every language")
    if len(programme.terms_version) > MAX_VERSION:
        table.complain("languages", f"the version of the terms has at most {MAX_VERSION} characters")
