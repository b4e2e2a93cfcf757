"""The words that screening knows: classes of labels, read once from `lexicon.toml`, and found in a stretch of text.

Words are compared lower case, without accents, split at anything that is not a letter and where `camelCase` turns.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

_WORD: Final = re.compile(r"#|\d+|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]")
_SPAN: Final = re.Match.span


_GLUED: Final = 9  # letters that a phrase has at least to be known when its words are written as one


_OF_FORMS: Final = frozenset({"line", "box", "page", "section"})  # "line 5 (SSN)" tells where it goes on a form
_SMALL: Final = re.compile(r" \d{1,2}[a-z]?(?![\w-]|[.,]\d)")


class Role(Enum):
    """What a label does to a number beside it."""

    NAMES = "names"  # it names a kind of taxpayer data
    FOREIGN = "foreign"  # it names another country's number
    OTHER = "other"  # it names another kind of number
    RAISES = "raises"
    PUBLIC = "public"

    __hash__ = object.__hash__  # each is one object; what Enum has in its place is a call of Python


OF_KINDS: Final = (Role.NAMES, Role.FOREIGN)


class Label(NamedTuple):
    """A phrase of the lexicon at its place in a text: class name ("ssn", "order"), role, start and end offset."""

    name: str
    role: Role
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    words: tuple[str, ...]
    name: str
    role: Role


class Lexicon:
    """Phrases by their first word and their second, longest first; one phrase may stand in several classes."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._begun: dict[str, dict[str, list[_Entry]]] = {}  # first word → second one, or "" → phrases
        self.phrases: dict[str, tuple[str, ...]] = {}
        self.beginnings: dict[
            tuple[str, ...], set[str]
        ] = {}  # the first two words of all spellings, and whose they are
        self.roles: dict[str, Role] = {}
        for name, phrases, role in _classes(table["labels"]):
            self.phrases[name] = tuple(phrases)
            self.roles[name] = role
            for phrase in _spellings(phrases, role):
                said = _words(phrase, 0, len(phrase))[0]
                words = (said[0], *(word for word in said[1:] if word != "s"))  # "taxpayer's" is "taxpayer"
                self.beginnings.setdefault(words[:2], set()).add(name)
                following = self._begun.setdefault(words[0], {})
                following.setdefault("".join(words[1:2]), []).append(_Entry(words, name, role))
        for following in self._begun.values():
            for entries in following.values():
                entries.sort(key=lambda entry: -len(entry.words))
        self.pieces: dict[str, tuple[str, ...]] = {name: tuple(words) for name, words in table["pieces"].items()}
        self.answers: tuple[str, ...] = tuple(table["answers"]["phrases"])
        self.scripts: dict[str, str] = dict(table["scripts"])

    def labels(self, text: str, start: int, end: int) -> list[Label]:
        """All labels between two offsets of an ASCII text, in order; of those that start together the longest ones."""
        told, starts, ends = _words(text, start, end)
        words = tuple(told)
        last = len(words) - 1
        begun = self._begun
        found: list[Label] = []
        behind = 0
        for at in [at for at, word in enumerate(words) if word in begun]:
            if at < behind:
                continue
            following = begun[words[at]]
            length = skipped = 0
            longer = following.get(words[at + 1], ()) if at < last else ()
            for entry in (*longer, *following.get("", ())):
                size = len(entry.words)
                if size < length:
                    break
                if entry.words == words[at : at + size] and _stands(text, entry, starts[at], ends[at + size - 1]):
                    length = size
                    skipped = max(skipped, 1 if entry.role is Role.RAISES else size)
                    found.append(Label(entry.name, entry.role, starts[at], ends[at + length - 1]))
            behind = at + (skipped or 1)  # "el numero" begins "el numero de identidad"
        return found


def _stands(text: str, entry: _Entry, start: int, end: int) -> bool:
    """Whether a label stands by itself: "990" not in "54,990", "mac" not in "MacLeod", "inn" not in "FR-INN-56"."""
    if entry.words[0].isdigit():
        return not (
            text[start - 1 : start] in {",", ".", "-", "$", "/"} and text[start - 2 : start - 1] not in {"", " "}
        )
    if entry.words == ("nas",) and not text[start:end].isupper():
        return False  # a word of other languages
    if entry.words[-1] in _OF_FORMS and _SMALL.match(text, end):
        return False
    if len(entry.words) == 1 and text[start - 1 : start] == "-" and text[end : end + 1] == "-":
        return False
    if len(entry.words) == 1 and (entry.role is Role.OTHER or len(entry.words[0]) < 3):
        return not (text[start - 1 : start].isalpha() or text[end : end + 1].isalpha())
    return True


def _spellings(phrases: list[str], role: Role) -> Iterator[str]:
    """Phrases of a class; of those that name a kind also with "no." for "number", and glued as in `taxpayerId`."""
    made = dict.fromkeys(phrases)
    if role in OF_KINDS:
        for phrase in phrases:
            if phrase.endswith(" number"):
                made |= dict.fromkeys(phrase.removesuffix("number") + short for short in ("no", "nr", "num", "nbr"))
            elif phrase.endswith("nummer") and len(phrase) > _GLUED:
                made[phrase.removesuffix("ummer") + "r"] = None
            elif " " not in phrase and len(phrase) > 2:
                made |= dict.fromkeys(f"{phrase} {short}" for short in ("no", "nr", "num", "number"))
        for phrase in tuple(made):
            glued = phrase.replace(" ", "")
            if " " in phrase and "#" not in phrase and len(glued) >= _GLUED:
                made[glued] = None
    yield from made


def _classes(labels: Mapping[str, Any]) -> Iterator[tuple[str, list[str], Role]]:
    roles = {"foreign": Role.FOREIGN, "other": Role.OTHER, "raise": Role.RAISES, "public": Role.PUBLIC}
    for name, value in labels.items():
        if isinstance(value, list):
            yield name, value, Role.NAMES
        else:
            for inner, phrases in value.items():
                yield inner, phrases, roles[name]


def _words(text: str, start: int, end: int) -> tuple[list[str], list[int], list[int]]:
    """Words with their offsets; letters set apart ("S.S.N.", "p / o") count as one word when they stand in a row."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    glued = 0  # changes between letters and digits in the code that a word is part of
    before, previous = start, ""  # where the last word ended, or a code may go on, and that word
    lower = text[start:end].lower()
    for first, last in map(_SPAN, _WORD.finditer(text, start, end)):
        word = lower[first - start : last - start]
        if first != before:  # as most words, it stands by itself
            glued = 0
            if last - first > 1:
                before, previous = last, word
                words.append(word)
                starts.append(first)
                ends.append(last)
                continue
        else:
            if _is_inside(text, first, last):
                before, previous, glued = last, word, glued + 1
                continue  # letters inside a code
            glued = 0 if word == "#" else glued + (word.isdigit() != previous.isdigit())
        before, previous = last, word
        if glued > 2:
            continue  # "B161HNK6J7QI" says nothing
        if last - first == 1 and word.isalpha():
            if text[first] == "s" and text[first - 1 : first] == "'" and text[first - 2 : first - 1].isalpha():
                continue
            if words and len(words[-1]) < 6 and _continues(text, starts[-1], ends[-1], first):
                words[-1] += word
                ends[-1] = last
                continue
        words.append(word)
        starts.append(first)
        ends.append(last)
    return words, starts, ends


def _is_inside(text: str, first: int, last: int) -> bool:
    """Whether letters stand inside a code: digits before and behind."""
    around = text[first - 1 : first], text[last : last + 1]
    return last - first > 1 and all(map(str.isdigit, around)) and text[first:last].isalpha()


def _continues(text: str, start: int, end: int, following: int) -> bool:
    """Whether a letter goes on a word that is one letter so far, or letters set apart: "S.S.N.", "P/O", "S S N"."""
    if not (end - start == 1 or not text[start:end].isalnum()):
        return False
    gap = text[end:following]
    alike = text[end - 1].isupper() == text[following].isupper()
    return (
        gap in {".", "/"}
        or (gap == ". " and alike and (end - start == 1 or ". " in text[start:end]))
        or (gap == " " and text[end - 1].isupper() and text[following].isupper())
    )


@cache
def shipped() -> Lexicon:
    """The lexicon that ships with the gateway."""
    source = files("gateway.screening").joinpath("lexicon.toml").read_text("utf-8")
    return Lexicon(tomllib.loads(source))


LEXICON: Final = shipped()  # read at import: a sandboxed child can open no file
