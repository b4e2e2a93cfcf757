"""What labels may be said in a stretch of text, by two quick looks: what is not need not be looked for there.

What may be said is more than what `LEXICON.labels` finds, never less: how words are cut from a text there is told here
in patterns, and the phrases by how they begin.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import re2

from gateway.screening.lexicon import LEXICON, OF_KINDS, Label
from gateway.screening.sieve import sifted
from gateway.screening.spans import find_spans
from gateway.screening.validators import FOREIGN
from gateway.screening.view import View

MARKED: Final = frozenset({*"ssn itin atin ein qi_ein tin ptin caf here tax routing".split(), *FOREIGN})
"""Classes that are told: those without which some number is nothing."""

NOTHING: Final[frozenset[str]] = frozenset()


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


def _heads() -> re2._Regexp:
    """A pattern of phrases of kinds that stand apart, or between digits, or have a capital glued to their end."""
    names = (name for name, role in LEXICON.roles.items() if role in OF_KINDS)
    spelled = {_spelling(phrase.replace(" #", "")) for name in names for phrase in LEXICON.phrases[name]}
    phrases = "|".join(sorted(spelled))
    return re2.compile(f"(?i)(?:\\b|_|[0-9])(?:{phrases})(?:\\b|_|[0-9]|(?-i:[A-Z]))", _options())


HEADS: Final = sifted(_heads())


# How labels begin: with one word, or two. A word of lower case letters is cut from a text where it stands between signs
# or digits, or has a capital behind it; one with a capital or of capitals also within letters.
_Beginning = tuple[str, ...]
_BEGINNINGS: Final = {words: names & MARKED for words, names in LEXICON.beginnings.items() if names & MARKED}
_ANY_GAP: Final = "(?:'s)*[^A-Za-z0-9#]*"


def _ends(word: str) -> str:
    """What may stand behind a word: of a word of digits no digit, of one of letters no small letter."""
    return "" if word == "#" else "[^0-9]" if word.isdigit() else "(?-i:[^a-z])"


def _rest(words: _Beginning) -> str:
    code = "(?:[0-9][A-Za-z0-9]*)?" if len(words[0]) == 1 else ""  # a letter in a code is a word, and the rest none
    return "".join(f"{code}{_ANY_GAP}(?i:{re.escape(word)})" for word in words[1:]) + _ends(words[-1])


def _begun() -> re2._Regexp:
    """One sign before it that is none of the same word, and the words."""
    letters = "|".join(sorted(f"{words[0]}{_rest(words)}" for words in _BEGINNINGS if words[0].isalpha()))
    others = "|".join(sorted(f"{re.escape(words[0])}{_rest(words)}" for words in _BEGINNINGS if words[0].isdigit()))
    return re2.compile(f"(?i)[^A-Za-z](?:{letters})|[^0-9](?:{others})".encode(), _options())


def _glued() -> re2._Regexp:
    """The same within letters ("mySSN", "theTin"), and letters set apart ("S. S. N."), whatever they say."""
    words = [words for words in _BEGINNINGS if words[0].isalpha()]
    capital = "|".join(sorted(f"{each[0].capitalize()}{_rest(each)}" for each in words))
    capitals = "|".join(sorted(f"{each[0].upper()}{_rest(each)}" for each in words))
    apart = "(?:[^A-Za-z][A-Za-z]|[a-z][A-Z])(?:[./] ?[A-Za-z]| [A-Z])+[^a-z]"
    return re2.compile(f"[A-Za-z](?:{capital})|[a-z](?:{capitals})|{apart}".encode(), _options())


def _neighbours(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Words, and those that may stand beside them in beginnings."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for word, other in pairs:
        found[word].append(other)
    return {word: tuple(others) for word, others in found.items()}


def _by_letters() -> dict[str, frozenset[str]]:
    """Beginnings with their words glued, and the classes of labels that begin so, or with some of it."""
    named: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for words, names in _BEGINNINGS.items():
        named["".join(words)] |= names
    return {
        glued: frozenset().union(*(named.get(glued[:size], NOTHING) for size in range(1, len(glued) + 1)))
        for glued in named
    }


BEGUN: Final = _begun()
GLUED: Final = _glued()
_MEANT: Final = _by_letters()
_NEXT: Final = _neighbours((first, second) for first, *rest in _BEGINNINGS for second in rest)
_BEFORE: Final = _neighbours((second, first) for first, *rest in _BEGINNINGS for second in rest)
_LONE: Final = frozenset(words[0] for words in _BEGINNINGS if len(words) == 1)
_MERGED: Final = 6  # letters set apart that make one word
_SIGNS: Final = re.compile(r"'s(?![a-z])|[^a-z0-9#]+")
_APART: Final = re.compile(rb"[A-Za-z](?:[./] ?[A-Za-z]| [A-Z])+")
_MORE_APART: Final = re.compile(r"[a-z](?:[./] ?| )[a-z]")  # in lower case
_LETTER: Final = re.compile(r"[a-z]")
_BEHIND: Final = re.compile(r"(?:'s)*[^a-z0-9#]*")
_WORD_BEFORE: Final = re.compile(r"([a-z]+|[0-9]+|#)(?:'s)*[^a-z0-9#]*\Z")
_REACH: Final = 60  # characters before letters set apart in which the word before them is looked for


def find_heads(view: View) -> list[Label]:
    """Labels of kinds, wherever they stand."""
    labels: list[Label] = []
    last = -1
    if not view.may_match(HEADS):
        return []
    for start, end in find_spans(HEADS, view.octets):
        start += view.text[start].isdigit()
        if start < last:
            continue
        near = LEXICON.labels(view.text, start, min(len(view.text), end + 24))
        labels += [label for label in near if last <= label.start < end]
        last = max((label.end for label in labels[-2:]), default=end)
    return labels


def may_say(*stretches: bytes) -> frozenset[str]:
    """Classes among MARKED of which labels may stand in some stretches, each read by itself; no others do."""
    octets = b"\n%b\n" % b"\n1\n".join(stretches)  # each pattern takes in a sign before, and one behind
    told: frozenset[str] = NOTHING
    at, text = 0, ""
    while (span := next(find_spans(BEGUN, octets, at), None)) is not None:
        at, end = span
        text = text or octets.decode("ascii").lower()
        told |= _names(text, at + 1, end)
        at += 1  # the next one may begin within this one
    at = 0
    while (span := next(find_spans(GLUED, octets, at), None)) is not None:
        at, end = span
        text = text or octets.decode("ascii").lower()
        run = _APART.match(octets, at + 1)
        if run is None:
            told |= _names(text, at + 1, end)
            at += 1
        elif _is_odd(text, *run.span()):
            return MARKED
        else:
            at = run.end() - 1
    return told


def _names(text: str, start: int, end: int) -> frozenset[str]:
    """Classes of labels that begin like a match. A sign behind it is taken in, but for `#`, which is a word."""
    said = _SIGNS.sub("", text[start : end - 1])
    if text[end - 1] == "#":
        return _MEANT.get(said, NOTHING) | _MEANT.get(said + "#", NOTHING) or MARKED
    return _MEANT.get(said, MARKED)


def _is_odd(text: str, start: int, end: int) -> bool:
    """Whether letters that are set apart may say how a label begins, or its second word; some may be cut off."""
    letters = [match.start() for match in _LETTER.finditer(text, start, end)]
    said = "".join(text[at] for at in letters)
    for first, at in enumerate(letters):
        for size in range(1, min(_MERGED, len(letters) - first) + 1):
            word = said[first : first + size]
            if word in _LONE or _goes_on(text, letters[first + size - 1] + 1, end, _NEXT.get(word, ())):
                return True
            if size > 1 and word in _BEFORE and (first > 0 or _follows(text, at, _BEFORE[word])):
                return True
    return False


def _goes_on(text: str, at: int, end: int, words: tuple[str, ...]) -> bool:
    """Whether one of some words may come next, all of it, or set apart in turn."""
    if not words:
        return False
    behind = _BEHIND.match(text, at)
    following = behind.end() if behind else at
    return text.startswith(words, following) or (following >= end and _MORE_APART.match(text, following) is not None)


def _follows(text: str, at: int, words: tuple[str, ...]) -> bool:
    before = _WORD_BEFORE.search(text, max(0, at - _REACH), at)
    return before is None or before[1].endswith(words)
