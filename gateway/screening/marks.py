"""Where labels stand in a view, by one pass each: what is not marked there need not be looked for around a number."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import re2

from gateway.screening.lexicon import LEXICON, OF_KINDS, Label
from gateway.screening.view import View

_LONGEST: Final = 80  # characters of a phrase that begins before a stretch and ends in it


def _options() -> re2.Options:
    options = re2.Options()
    options.never_capture = True
    options.longest_match = True
    options.max_mem = 64 << 20
    return options


def _spelling(phrase: str) -> str:
    """A pattern of a phrase: its words apart in any way, the letters of a short one with dots between them."""
    if phrase.count(" ") > 1:
        phrase = phrase.removesuffix(" number")  # whatever it is called then: no., nr, #
    if phrase.endswith("nummer") and " " not in phrase:
        return phrase.removesuffix("ummer") + "(?:umme)?r"
    if len(phrase) <= 4 and phrase.isalpha():
        return r"\.?".join(phrase)
    return re.escape(phrase).replace("\\ ", r"[\s'._/-]{0,3}")


def _any_of(spelled: Iterable[str]) -> re2._Regexp:
    """A pattern of phrases that stand apart, or between digits, or have a capital glued to their end."""
    phrases = "|".join(sorted(set(spelled)))
    return re2.compile(f"(?i)(?:\\b|_|[0-9])(?:{phrases})(?:\\b|_|[0-9]|(?-i:[A-Z]))", _options())


_KINDS: Final = frozenset(name for name, role in LEXICON.roles.items() if role in OF_KINDS)
HEADS: Final = _any_of(_spelling(phrase.replace(" #", "")) for name in _KINDS for phrase in LEXICON.phrases[name])
_ANY_GAP: Final = "(?:'s)?[^A-Za-z0-9]*"
_BEGINNINGS: Final = [(words, names & _KINDS) for words, names in LEXICON.beginnings.items() if names & _KINDS]
BEGUN: Final = _any_of(_ANY_GAP.join(map(re.escape, words)) for words, _ in _BEGINNINGS)


def _by_beginning() -> dict[str, frozenset[str]]:
    """How a label may begin, its words glued, and the classes that it may then be of."""
    found: dict[str, frozenset[str]] = {}
    for words, names in _BEGINNINGS:
        found["".join(words)] = found.get("".join(words), frozenset()) | names
    return found


_MEANT: Final = _by_beginning()
RAISING: Final = {
    name: _any_of(re.escape(phrase).replace("\\ ", _ANY_GAP) for phrase in LEXICON.phrases[name])
    for name in ("here", "tax")
}
_ODD: Final = "?"
_ALL: Final = frozenset(LEXICON.roles)
NOTHING: Final[frozenset[str]] = frozenset()


def _oddly() -> re2._Regexp:
    """Words of a kind that begin or end inside of others ("mySSN", "SSNAnn"), and letters set apart ("S. S. N.")."""
    names = (name for name, role in LEXICON.roles.items() if role in OF_KINDS)
    firsts = {phrase.split()[0] for name in names for phrase in LEXICON.phrases[name]}
    words = sorted(word for word in firsts if word.isalpha() and len(word) > 2)
    inside = "|".join(f"{word.capitalize()}|{word.upper()}" for word in words)
    return re2.compile(
        rf"[a-z0-9](?:{inside})|(?:{inside})[A-Z0-9]|(?:[A-Za-z][./] ?){{2}}[A-Za-z]|"
        rf"(?:\b|[0-9])[A-Za-z](?:[./] ?| )[A-Za-z](?:[./] ?| )[A-Za-z](?:\b|[0-9])".encode(),
        _options(),
    )


_ODDLY: Final = _oddly()
_SIGNS: Final = re.compile(r"'s(?![a-z])|[^a-z0-9#]+|_|[0-9]+\Z")


def find_heads(view: View) -> list[Label]:
    """Labels of kinds, wherever they stand."""
    labels: list[Label] = []
    last = -1
    for match in HEADS.finditer(view.octets):
        start, end = match.span()
        start += view.text[start].isdigit()
        if start < last:
            continue
        near = LEXICON.labels(view.text, start, min(len(view.text), end + 24))
        labels += [label for label in near if last <= label.start < end]
        last = max((label.end for label in labels[-2:]), default=end)
    return labels


class Marks:
    """Offsets of labels of kinds, and of those that raise. False when there are none."""

    def __init__(self, view: View, heads: Sequence[Label]) -> None:
        marks = [(label.start, label.name) for label in heads]
        for match in BEGUN.finditer(view.octets):
            start, end = match.span()
            said = _MEANT.get(_SIGNS.sub("", view.text[start:end].lower()))
            marks += [(start, name) for name in said or (_ODD,)]
        for name, pattern in RAISING.items():
            marks += [(match.start(), name) for match in pattern.finditer(view.octets)]
        marks += [(match.start(), _ODD) for match in _ODDLY.finditer(view.octets)]
        marks.sort()
        self._names = [name for _, name in marks]
        self._starts = [start for start, _ in marks]

    def __bool__(self) -> bool:
        return bool(self._names)

    def between(self, start: int, end: int) -> frozenset[str]:
        """Classes of what may stand between two offsets: all of them where one is spelled oddly."""
        found = frozenset(self._names[bisect_left(self._starts, start - _LONGEST) : bisect_left(self._starts, end)])
        return _ALL if _ODD in found else found
