"""Answers: "It's 4/17/55", "Sure: AB123456". What was asked for stands elsewhere in the mail, or in what it quotes.

Such a value is nothing by itself: it counts only when a label of its kind is found in the same mail, and is looked for
only then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final

import re2

from gateway.domain.verdict import Kind
from gateway.screening.context import Scan
from gateway.screening.detectors.birth import DATE, is_day
from gateway.screening.lexicon import LEXICON, Role
from gateway.screening.spans import Span, find_spans
from gateway.screening.view import Reading, View
from gateway.screening.weighing import Doubt, Sighting, weigh

_OPENING: Final = "|".join(
    re.escape(phrase).replace("\\ ", r"[ '.]{1,2}") for phrase in sorted(LEXICON.answers, key=len, reverse=True)
)
_FIRST: Final = rf"(?:^|[.!?>:] )[ \t>*-]*(?:{_OPENING})[ ,:.!)-]{{1,4}}[a-z0-9][^\n]{{4,34}}$"
_LAST: Final = (
    r"^[ \t>*-]*[^\n]{3,26}(?: -+ |, )(?:that.?s it|that is it|that.?s the one|es ese|voila|das ist sie|ecco)"
)
_ALONE: Final = (
    r"^[ \t>*-]*(?:\[?[0-9:. apm]{4,9}\]?[ ,-]{1,3})?(?:[a-z .]{2,24}: )?\x01?[A-Z]{0,3}[0-9][A-Z0-9 ./-]{4,10}\x02?"
    r"[ .]*$"
)
_SAID: Final = 1.0  # how much an opening says that it is an answer; of less of one it is less
# Apart, since one pattern of all would have a state for each way in which they overlap, and build some in every mail.
_ANSWERS: Final = tuple(re2.compile(f"(?im){pattern}".encode()) for pattern in (_FIRST, _LAST, _ALONE))
_ANY_ANSWER: Final = re2.compile(f"(?im){_FIRST}|{_LAST}|{_ALONE}".encode())
_OPENED: Final = re.compile(
    rf"(?:^|[.!?>:] )[ \t>*-]*(?:{_OPENING})[ ,:.!)-]|that.?s (?:it|the one)|that is it|es ese|voila|das ist sie|ecco",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD: Final = re.compile(  # of a mail that is quoted
    r"[ \t>*]*(?:sent|date|gesendet|datum|envoye|enviado|inviato|data|fecha|verzonden|skickat|wyslano|received|when|"
    r"deadline|due|start|end|from|to|cc|subject)\b[^:\n]{0,6}:",
    re.IGNORECASE,
)
_SPEAKER: Final = re.compile(
    r"\s*\[?\d\d?[:.]\d\d[ apm]{0,3}\]?[ ,-]{1,3}[A-Za-z][a-zA-Z .]{1,23}: "
)  # "[10:42] Ann: "
_READ: Final = frozenset({Reading.PLAIN, Reading.DECODED, Reading.WORDS})
_MOST: Final = 200  # answers looked at in one view
_VALUES: Final = (
    (Kind.PASSPORT, "passport", re.compile(r"(?=[A-Z]{0,5}\d)[A-Z0-9]{6,9}(?![\w]|[ ./-]\d)")),
    (Kind.VISA, "visa", re.compile(r"[A-Z]?\d{7,8}(?![\w]|[ ./-]\d)")),
    (Kind.IP_PIN, "ip_pin", re.compile(r"\d{3}[ ./-]?\d{3}(?![\w]|[ ./-]\d)")),
    (Kind.EFIN, "efin", re.compile(r"\d{3}[ ./-]?\d{3}(?![\w]|[ ./-]\d)")),
    (Kind.ETIN, "etin", re.compile(r"\d{5}(?![\w]|[ ./-]\d)")),
    (Kind.BIRTH_DATE, "birth", DATE),
    (Kind.BANK, "account", re.compile(r"\d(?:[ -]?\d){7,16}(?![\w]|[ ./-]\d)")),
)
_LONE: Final = (  # values that may stand alone on a line
    (Kind.PASSPORT, "passport", re.compile(r"[A-Z]{1,3}\d{5,8}(?![\w]|[ ./-]\d)")),
    *(row for row in _VALUES if row[1] in {"ip_pin", "efin", "etin"}),
)
_ASKED: Final = frozenset(label for _, label, _ in _VALUES)
_MOST_EVIDENCE: Final = weigh("asked", {"here": _SAID})
_APART: Final = 1_000  # characters; to look at a few more costs less than to begin anew
_LINES: Final = re2.compile(rb"(?:[^\n]*[0-9][^\n]*[0-9][^\n]*[0-9][^\n]*\n?)+")


def detect(scan: Scan) -> Iterator[Doubt]:
    """A doubt: values that answer a question, wherever they stand."""
    if scan.view.reading in _READ and scan.view.has_digits:
        yield Doubt("asked", _ASKED, _MOST_EVIDENCE, partial(_look, scan))


def _look(scan: Scan) -> Iterator[Sighting]:
    for start, end in islice(_find_answers(scan.view), _MOST):
        answer = scan.text[start:end]
        told = re.sub(r"^[^:]*\]?[^:]*: ", "", answer).strip(" \t>*-.\n")
        if _HEAD.match(answer) or any(label.role is Role.OTHER for label in LEXICON.labels(answer, 0, len(answer))):
            continue
        lone = told.isupper() or not any(map(str.isalpha, told)) or not _OPENED.search(answer)
        said = _SAID if not lone else 0.9 if _SPEAKER.match(answer) else 0.6
        yield from _values(answer, said)


def _find_answers(view: View) -> Iterator[Span]:
    """An answer stands on one line, and its value has digits."""
    if view.is_long:
        yield from find_spans(_ANY_ANSWER, view.octets)
        return
    for start, end in _lines_with_digits(view.octets):
        for pattern in _ANSWERS:
            yield from find_spans(pattern, view.octets, start, end)


def _lines_with_digits(octets: bytes) -> list[Span]:
    """Where lines stand that have three digits: those not far apart are one stretch."""
    stretches: list[Span] = []
    for start, end in find_spans(_LINES, octets):
        if stretches and start - stretches[-1][1] < _APART:
            start = stretches.pop()[0]
        stretches.append((start, end))
    return stretches


def _values(answer: str, here: float) -> Iterator[Sighting]:
    """Whatever in an answer can be a value, from each of its words on."""
    rows = _VALUES if here > 0.8 else _LONE
    for word in re.finditer(r"(?<![A-Za-z0-9./-])(?=[A-Za-z]{0,8}[ ]?\d)", answer):
        for kind, label, value in rows:
            found = value.match(answer, word.start())
            if found and sum(map(str.isdigit, found.group())) >= 3 and (label != "birth" or is_day(found.group())):
                yield Sighting(
                    kind, "asked", {"here": here}, re.sub(r"\W", "", found.group().upper()), frozenset({label})
                )
