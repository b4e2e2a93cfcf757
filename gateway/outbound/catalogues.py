"""The words that all templates of one language share: subjects, states, the way times are spoken, the mark of a sample.

A language is a folder; its `catalogue.toml` has every word. A site's own catalogue may hold single words: they take the
place of those, and leave the others. A word that is missing everywhere, or that there is not, is named.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.notice import NoticeKind, NoticeState

FILE = "catalogue.toml"
MAX_LINE = 160
_MONTHS = 12
_WORDS = ("time", "date", "dot", "sample", "sample_mark")
_TABLES: Mapping[str, frozenset[str]] = {
    "subjects": frozenset(kind.value for kind in NoticeKind),
    "states": frozenset(state.value for state in NoticeState),
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language's shared words: month names, the shape of an instant and of a day, subjects, states, samples."""

    months: tuple[str, ...]
    time: str
    date: str
    dot: str
    sample: str
    sample_mark: str
    subjects: Mapping[NoticeKind, str]
    states: Mapping[NoticeState, str]

    def instant(self, at: datetime, zone: ZoneInfo) -> str:
        """Say an instant with the month's name and the zone."""
        return self.time.format(**_pieces(at.astimezone(zone), self.months))

    def day(self, at: datetime, zone: ZoneInfo) -> str:
        """Say the day of an instant, in the zone."""
        return self.date.format(**_pieces(at.astimezone(zone), self.months))


def load_catalogue(files: Iterable[Path], problems: list[str]) -> Catalogue | None:
    """Read a language's catalogue: the first file whole, each further one over it. Files that are absent count not.

    What is wrong is added to `problems`, a line each, with the file and the word; then None is returned.
    """
    present = [path for path in files if path.exists()]
    before = len(problems)
    merged: dict[str, Any] = {}
    readable = True
    for path in present:
        data = _read(path, problems)
        readable = readable and bool(data)
        problems.extend(f"{path}: {problem}" for problem in _strangers(data))
        for key, value in data.items():
            over = merged.get(key)
            merged[key] = {**over, **value} if isinstance(over, dict) and isinstance(value, dict) else value
    if not present:
        problems.append(
            f"{next(iter(files))}: cannot be read: there is no such file. Each language needs its catalogue."
        )
    if present and readable:
        problems.extend(f"{present[-1]}: {problem}" for problem in _problems_of(merged))
    return None if len(problems) > before else _catalogue(merged)


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except ValueError as error:
        problems.append(f"{path}: is not TOML: {error}")
    return {}


def _strangers(data: Mapping[str, Any]) -> Iterator[str]:
    """Tell the words that no notification uses: they are misspelt, or of another version."""
    for key, value in data.items():
        if key not in {"months", *_WORDS, *_TABLES}:
            yield f"{key!r} is not known here. Correct or remove it."
        elif key in _TABLES and isinstance(value, dict):
            for name in value.keys() - _TABLES[key]:
                yield f"{key}.{name} is not known here. Correct or remove it."


def _problems_of(data: Mapping[str, Any]) -> Iterator[str]:
    months = data.get("months")
    if not isinstance(months, list) or len(months) != _MONTHS or not all(map(_is_line, months)):
        yield "months: are missing: write the names of all twelve, from January on."
    for key in _WORDS:
        yield from _problem_of_word(key, data.get(key))
    for table, names in _TABLES.items():
        words = data.get(table)
        for name in sorted(names):
            yield from _problem_of_word(f"{table}.{name}", words.get(name) if isinstance(words, dict) else None)
    for key in ("time", "date"):
        if _is_line(data.get(key)):
            yield from _problem_of_shape(key, str(data[key]))


def _problem_of_word(name: str, word: object) -> Iterator[str]:
    if word is None:
        yield f"{name!r} is missing: write it in this language."
    elif not _is_line(word):
        yield f"{name!r} must be one line of text of at most {MAX_LINE} characters."


def _problem_of_shape(key: str, shape: str) -> Iterator[str]:
    try:
        pieces = list(string.Formatter().parse(shape))
    except ValueError as error:
        yield f"{key!r} is no shape of a time: {error}."
        return
    for _, name, form, conversion in pieces:
        if name is not None and (name not in _PIECES or form or conversion):
            yield f"{key!r} asks for {{{name}}}, and there are only {', '.join(sorted(_PIECES))}, each as it is."


def _pieces(local: datetime, months: Sequence[str]) -> dict[str, str]:
    name = local.tzname() or "UTC"
    return {
        "day": str(local.day),
        "month": months[local.month - 1],
        "year": str(local.year),
        "hour12": str(local.hour % 12 or 12),
        "half": "AM" if local.hour < 12 else "PM",
        "hour24": str(local.hour),
        "minute": f"{local.minute:02}",
        "zone": name if name[0].isalpha() else f"UTC{name}",
    }


_PIECES = frozenset(_pieces(datetime(2026, 1, 1, tzinfo=UTC), [""]))


def _is_line(word: object) -> bool:
    return isinstance(word, str) and bool(word.strip()) and word.isprintable() and len(word) <= MAX_LINE


def _catalogue(data: Mapping[str, Any]) -> Catalogue:
    words = {key: data[key] for key in _WORDS}
    subjects = {kind: data["subjects"][kind.value] for kind in NoticeKind}
    states = {state: data["states"][state.value] for state in NoticeState}
    return Catalogue(tuple(data["months"]), **words, subjects=subjects, states=states)
