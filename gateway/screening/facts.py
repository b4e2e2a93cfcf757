"""Words of returns and forms, read from `facts.toml`, and the names of persons in a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final

import re2

from gateway.screening.sieve import sifted

_TABLE: Final = tomllib.loads(files("gateway.screening").joinpath("facts.toml").read_text("utf-8"))

STRONG: Final = frozenset(_TABLE["facts"]["strong"])
EVENTS: Final = frozenset(_TABLE["facts"]["events"])
WEAK: Final = frozenset(_TABLE["facts"]["weak"])
NAME_FIELDS: Final = frozenset(_TABLE["forms"]["name_fields"])
FACT_FIELDS: Final = frozenset(_TABLE["forms"]["fact_fields"])
BLANK: Final = frozenset(_TABLE["forms"]["blank"])
_NOT_NAMES: Final = frozenset(_TABLE["names"]["not_names"].split())


def compile_phrases(phrases: Iterable[str]) -> Any:
    """One RE2 pattern, without regard to case, that finds any of the phrases as whole words."""
    options = re2.Options()
    options.never_capture = True
    options.longest_match = True
    options.case_sensitive = False
    options.max_mem = 32 << 20
    joined = "|".join(re.escape(phrase).replace("\\ ", r"[\s'./,-]{1,2}") for phrase in sorted(phrases))
    return re2.compile(rf"\b(?:{joined})\b".encode(), options)


FACTS: Final = sifted(compile_phrases(STRONG | EVENTS | WEAK))
PLAIN: Final = compile_phrases(_TABLE["facts"]["plain"])
GENERAL: Final = compile_phrases(_TABLE["facts"]["general"])
OWN: Final = compile_phrases(_TABLE["facts"]["own"])
FORM_TITLES: Final = frozenset(_TABLE["forms"]["titles"])
TITLES: Final = sifted(compile_phrases(FORM_TITLES))

_TITLED: Final = re.compile(
    r"\b(?:"
    + "|".join(_TABLE["names"]["titles"])
    + r")\.? ((?:(?:de|la|van|von|der|den|da|dos|del|di|al|bin|el|le) ){0,2}[A-Z][A-Za-z'-]{1,20})",
    re.IGNORECASE,
)
_NAME: Final = re.compile(
    r"\b([A-Z][a-z]{1,20}(?:-[A-Za-z][a-z]+)?|[A-Z]{2,20})(?:,? [A-Z]\.?)?((?: (?:de|la|van|von|der|den|da|"
    r"dos|del|di|al|bin|el|le|O'|Mc))*) "
    r"([A-Z]'?[A-Za-z]{1,20}(?:-[A-Z][a-z]+)?)\b"
)


def names_person(text: str) -> bool:
    """Whether a person is named in a text: a title and a name, or two capitalised words that are nothing else."""
    for match in _NAME.finditer(text):
        first, last = match.group(1), match.group(3)
        if (
            first.lower() not in _NOT_NAMES
            and last.lower() not in _NOT_NAMES
            and first.isupper() == (last.isupper() and len(last) > 1)
        ):
            return True
    return any(
        title.group(1).split()[-1][0].isupper() and title.group(1).lower() not in _NOT_NAMES
        for title in _TITLED.finditer(text)
    )


def phrase_of(text: str) -> str:
    """A label or a match as a phrase of the tables: words in lower case, one blank between."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
