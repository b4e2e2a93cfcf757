"""How one system writes its fax mail: a small table of rules, each a place to look at and a pattern for what is there.

Patterns are those of RE2: whatever a mail says, reading it takes time by its length alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import re2

PLACES: Final = (
    "subject", "from-name", "from-address", "from-fax", "to-name", "to-address", "to-fax", "body", "file", "type",
)  # fmt: skip
"""Where a rule may look; beside these `header-NAME`. `from-fax` and `to-fax` are numbers of addresses `FAX=…@host`."""

_HEADER: Final = "header-"
_MAX_PATTERN: Final = 500


class Field(StrEnum):
    """What a rule may tell of a fax."""

    CALLING = "calling"
    CALLED = "called"
    STATION = "station"
    PAGES = "pages"
    RECEIVED = "received"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Rule:
    """A place and a pattern: the first group of the first match is what it tells, or all of the match.

    Raises ValueError, in words for whoever wrote it.
    """

    place: str
    pattern: str

    def __post_init__(self) -> None:
        if self.place not in PLACES and not (self.place.startswith(_HEADER) and len(self.place) > len(_HEADER)):
            raise ValueError(f'"{self.place}" is no place to look at. Known: {", ".join(PLACES)}, header-NAME.')
        if len(self.pattern) > _MAX_PATTERN:
            raise ValueError(f"A pattern has at most {_MAX_PATTERN} characters.")
        _compiled(self.pattern)

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read `PLACE: PATTERN`. Raises ValueError."""
        place, colon, pattern = text.partition(":")
        if not colon or not pattern.strip():
            raise ValueError(f'A rule is "PLACE: PATTERN", not "{text}".')
        return cls(place.strip().lower(), pattern.strip())

    @property
    def header(self) -> str:
        """The header field that it looks at, "" for another place."""
        return self.place.removeprefix(_HEADER) if self.place.startswith(_HEADER) else ""

    def find(self, text: str) -> str | None:
        """Return what a text tells by this rule, None where it does not match."""
        match = _compiled(self.pattern).search(text)
        if match is None:
            return None
        return str((match.group(1) if match.re.groups else match.group(0)) or "").strip()

    def __str__(self) -> str:
        return f"{self.place}: {self.pattern}"


Rules = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """How one system writes. It is this system's mail where any rule of `when` matches; of each field the first rule
    that matches counts. Where `errors` matches, pages were lost; where `failed` does and there is no document, nothing
    was received.
    """

    name: str
    when: Rules = ()
    calling: Rules = ()
    called: Rules = ()
    station: Rules = ()
    pages: Rules = ()
    received: Rules = ()
    job: Rules = ()
    errors: Rules = ()
    failed: Rules = ()

    def rules(self, field: Field) -> Rules:
        """The rules for a field, in the order in which they are tried."""
        found: Rules = getattr(self, field.value)
        return found

    def lines(self) -> Iterator[str]:
        """Yield it as lines of `gateway.toml`, to be copied and changed."""
        yield f"[fax.profiles.{self.name}]"
        for one in RULES:
            rules: Rules = getattr(self, one)
            if rules:
                yield f"{one} = [{', '.join(_quoted(str(rule)) for rule in rules)}]"


RULES: Final = tuple(field.name for field in fields(Profile) if field.name != "name")
"""The names of a profile's lists of rules."""


def profile_of(name: str, **rules: Sequence[str]) -> Profile:
    """Return a profile from rules as they are written. Raises ValueError for the first that cannot be read."""
    return Profile(name, **{key: tuple(map(Rule.parse, texts)) for key, texts in rules.items()})


def _quoted(text: str) -> str:
    """Return a text as a TOML string, literally where that can be."""
    return f"'{text}'" if "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(f"(?im){pattern}", _quiet())
    except re2.error as problem:
        raise ValueError(f"The pattern {pattern} cannot be read.") from problem


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options
