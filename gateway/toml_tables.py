"""TOML read key by key: whatever is wrong becomes a line `file: key: what is wrong`, and all of it is told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

MAX_TEXT = 20_000


class Table:
    """One TOML table, read key by key: each wrong, missing or unknown key becomes a line among the problems."""

    def __init__(self, data: Mapping[str, object], place: str, problems: list[str]) -> None:
        self._data = dict(data)
        self._place = place
        self._problems = problems

    def has(self, key: str) -> bool:
        """Tell whether there is such a key."""
        return key in self._data

    def complain(self, key: str, what: str) -> None:
        """Note that something is wrong with a key."""
        self._problems.append(f"{self._place}: {key}: {what}")

    def text(self, key: str, pattern: re.Pattern[str] | None = None, shape: str = "some text") -> str:
        """Take some text, which fits a pattern where there is one."""
        value = self._data.pop(key, None)
        if (
            isinstance(value, str)
            and value.strip()
            and len(value) <= MAX_TEXT
            and (not pattern or pattern.match(value))
        ):
            return value.strip()
        self.complain(key, f"must be {shape}")
        return ""

    def line(self, key: str) -> str:
        """Take text of one line."""
        text = self.text(key)
        if text and not text.isprintable():
            self.complain(key, "must be one line")
        return text

    def number(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """Take a whole number between two."""
        value = self._data.pop(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.complain(key, f"must be a number from {least} to {most}")
        return least

    def numbers(self, key: str, least: int, most: int, default: tuple[int, ...]) -> tuple[int, ...]:
        """Take a list of whole numbers, each between two."""
        values = self._list(key) if self.has(key) else list(default)
        if all(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most for value in values):
            return tuple(value for value in values if isinstance(value, int))
        self.complain(key, f"must be a list of numbers from {least} to {most}")
        return ()

    def flag(self, key: str) -> bool:
        """Take true or false; false where there is none."""
        value = self._data.pop(key, False)
        if not isinstance(value, bool):
            self.complain(key, "must be true or false")
        return value is True

    def choice(self, key: str, kinds: type[E]) -> E:
        """Take one of the words of an enumeration."""
        return self._one_of(key, self._data.pop(key, None), kinds)

    def choices(self, key: str, kinds: type[E]) -> tuple[E, ...]:
        """Take a list of such words."""
        return tuple(self._one_of(key, value, kinds) for value in self._list(key))

    def texts(self, key: str, pattern: re.Pattern[str], shape: str) -> tuple[str, ...]:
        """Take a list of texts that fit a pattern, each once; not an empty one."""
        values = self._list(key)
        if not values or not all(isinstance(value, str) and pattern.match(value) for value in values):
            self.complain(key, f"must be a list, each entry {shape}")
            return ()
        if len(set(map(str, values))) < len(values):
            self.complain(key, "names an entry twice")
        return tuple(map(str, values))

    def inner(self, key: str, read: Callable[[Table], T]) -> T:
        """Take a table inside this one."""
        value = self._data.pop(key, None)
        if not isinstance(value, dict):
            self.complain(key, "must be a table")
        return self._nested(value if isinstance(value, dict) else {}, key, read)

    def each(self, key: str, read: Callable[[Table], T]) -> tuple[T, ...]:
        """Take a list of tables, at least one."""
        values = self._list(key)
        if not values or not all(isinstance(value, dict) for value in values):
            self.complain(key, "must be tables, at least one")
            return ()
        tables = [value for value in values if isinstance(value, dict)]
        return tuple(self._nested(value, f"{key}[{number}]", read) for number, value in enumerate(tables, 1))

    def close(self) -> None:
        """Note every key that nobody has taken."""
        for key in self._data:
            self.complain(key, "is not known here")

    def _nested(self, data: Mapping[str, object], key: str, read: Callable[[Table], T]) -> T:
        table = Table(data, f"{self._place}: {key}", self._problems)
        value = read(table)
        table.close()
        return value

    def _list(self, key: str) -> list[object]:
        value = self._data.pop(key, None)
        if isinstance(value, list):
            return value
        self.complain(key, "must be a list")
        return []

    def _one_of(self, key: str, value: object, kinds: type[E]) -> E:
        if isinstance(value, str) and value in {kind.value for kind in kinds}:
            return kinds(value)
        self.complain(key, f"must be one of {', '.join(kind.value for kind in kinds)}")
        return next(iter(kinds))


def read_table(path: Path, problems: list[str]) -> Table:
    """Open a file; what cannot be read is one problem, and an empty table that finds no more."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
        data = {}
    except ValueError as error:
        problems.append(f"{path}: is not TOML: {error}")
        data = {}
    return Table(data, str(path), problems if data else [])
