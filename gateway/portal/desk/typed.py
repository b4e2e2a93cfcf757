"""Fields of paper forms as a page has them: what was typed, judged field by field, and nothing of it lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.errors import Malformed
from gateway.domain.paper import FormField, check_date, check_value, missing_fields
from gateway.domain.programme import Form

PREFIX = "f-"
BEFORE = "b-"
_VERBS = ("has ", "is ", "does ")
MISSING = "Please fill this in."
Problems = dict[str, str]
"""By the name of an input: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One field on a page: its value as it is shown, what stood there before, whether something sealed is on file."""

    field: FormField
    value: str = ""
    before: str = ""
    is_on_file: bool = False
    opened: str = ""
    conflict: str = ""
    prefix: str = PREFIX

    @property
    def name(self) -> str:
        """The name of its input."""
        return self.prefix + self.field.key


@dataclass(frozen=True, slots=True)
class Typed:
    """What a clerk typed: values by key, and problems by the name of the input."""

    values: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, str]:
        """Return what differs from what stood there; a sealed field stands there as nothing."""
        return {key: value for key, value in self.values.items() if value != self.before.get(key, "")}


def own_fields(form: Form) -> list[FormField]:
    """Return the fields of a form but those that are said of each designated user."""
    return [one for one in form.fields if not one.is_of_appendix]


def read_fields(
    form: Form, sent: Mapping[str, str], today: date, *, all_of_them: bool = False, prefix: str = PREFIX
) -> Typed:
    """Return what was typed into a form's fields; `all_of_them` makes one that is missing a problem."""
    own = {one.key: prefix + one.key for one in own_fields(form)}
    values = {key: sent[name].replace("\r\n", "\n").strip() for key, name in own.items() if name in sent}
    before = {one.key: sent[BEFORE + one.key] for one in own_fields(form) if BEFORE + one.key in sent}
    problems: Problems = {}
    for one in own_fields(form):
        if values.get(one.key):
            try:
                check_value(one, values[one.key], today)
            except Malformed as problem:
                problems[prefix + one.key] = without_label(problem.advice, one.label)
    if all_of_them:
        there = [key for key, value in values.items() if value]
        problems |= {prefix + one.key: MISSING for one in missing_fields(own_fields(form), there)}
    return Typed(values, before, problems)


def inputs(
    form: Form,
    stored: Mapping[str, str],
    typed: Typed | None = None,
    opened: Mapping[str, str] | None = None,
    prefix: str = PREFIX,
) -> list[Input]:
    """Return the inputs of a form: with what was typed, where something was, else with what stands there.

    `stored` are values that are not sealed, and a mark for what is; `opened` are sealed values that are to be shown.
    """
    found = []
    for one in own_fields(form):
        now = "" if one.sealed else stored.get(one.key, "")
        value = now if typed is None else typed.values.get(one.key, now)
        seen = now if typed is None else typed.before.get(one.key, now)
        if seen != now and value == seen:  # not touched here: what somebody else has written stands
            value = now
        conflict = now if now not in (seen, value) else ""
        is_on_file = one.sealed and one.key in stored
        found.append(Input(one, value, now, is_on_file, (opened or {}).get(one.key, ""), conflict, prefix))
    return found


def day_problem(text: str, today: date | None = None) -> str:
    """Return what is wrong with a day, empty for a good one."""
    try:
        check_date(text, "", today)
    except Malformed as problem:
        return without_label(problem.advice, "")
    return ""


def without_label(advice: str, label: str) -> str:
    """Return what is wrong, beside whose field its name need not be said."""
    rest = advice.removeprefix(f"{label}:").strip()
    return f"It {rest}" if rest.startswith(_VERBS) else rest[:1].upper() + rest[1:]


def chosen(sent: Mapping[str, str], prefix: str, among: Iterable[str]) -> list[str]:
    """Return which of several boxes were ticked."""
    return [one for one in among if sent.get(prefix + one)]
