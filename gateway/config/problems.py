"""What is wrong with a configuration, as values: file, key, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `key` is `table.key`, or empty for the file as a whole."""

    file: str
    key: str
    what: str
    do: str

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.what} {self.do}".rstrip()


class ConfigProblems(ConfigError):
    """Every problem of one configuration; `advice` has a line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
