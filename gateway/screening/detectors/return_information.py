"""Return information of a named person without a number: income, withholding, refunds, debts, audits, budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gateway.domain.verdict import Kind
from gateway.screening import facts
from gateway.screening.context import Scan
from gateway.screening.lexicon import LEXICON
from gateway.screening.spans import find_spans
from gateway.screening.view import Reading
from gateway.screening.weighing import Sighting

_AMOUNT: Final = re.compile(
    r"(?:[$]|\b(?:usd|eur|gbp|chf|cad|aud|jpy|brl|mxn|sek|pln|us\$) ?)\s?\d[\d,. ']*(?:\s?(?:k|m|million|thousand)\b)?|"
    r"(?<![\d.,+-])\b\d{1,3}(?:,\d{3})+(?:\.\d\d)?\b|(?<![\d.,+-])\b\d{1,3}(?:\.\d{3})+(?:,\d\d)?\b(?!\.\d)|(?<![\d.,:-])\b\d{3,7}[.,]\d\d\b(?![.:]?\d)|"
    r"\b\d{1,3}(?:[ .,]?\d{3})*(?:[.,]\d\d)? ?(?:usd|eur|gbp|euros?|dollars|dolares|k)\b",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    r"[ \t]{0,3}(?:[:=|\t]|is|was|of|were|es|ist|est|e|de)?[ \t]{0,3}(?!(?:19|20)\d\d\b)(\d{4,7})(?![\d/-])",
    re.IGNORECASE,
)
_PERSON: Final = 170  # characters around a fact in which its person is named
_FIGURE: Final = 90
_WIDE: Final = 140
_TITLE: Final = re.compile(
    r"[ \n-](?:agreement|agent|certificate|services?|desk|form|statement|table|office)s?\b", re.IGNORECASE
)
_SENTENCE_END: Final = re.compile(r"(?<=[a-z0-9]{2})[.!?](?: +(?=[A-Z])|(?=[A-Z][a-z ]))")
_NOT_READ: Final = frozenset({Reading.REVERSED, Reading.JOINED, Reading.SQUEEZED, Reading.UNWRAPPED})
_MOST: Final = 400  # facts looked at in one view


def detect(scan: Scan) -> Iterator[Sighting]:
    """Sightings of facts of a return, each with its person and its amount."""
    if scan.view.reading in _NOT_READ:
        return
    if not scan.view.may_match(facts.FACTS):
        return
    for start, end in islice(find_spans(facts.FACTS, scan.view.octets), _MOST):
        phrase = facts.phrase_of(scan.text[start:end])
        if _TITLE.match(scan.text, end):
            continue
        amount = _find_amount(scan.text, start, end)
        event = phrase in facts.EVENTS
        if not amount and (not event or phrase in facts.WEAK):
            continue
        features = _features(scan, start, end) | {"amount": 1.0 if amount else 0.0, "event": 1.0 if event else 0.0}
        if not amount and not features["tax"]:
            continue
        features["fact"] = 0.6 if phrase in facts.WEAK else 1.0
        if not amount or features["person"]:
            features["own"] = 0.0
        yield Sighting(Kind.RETURN_INFORMATION, "return", features, f"{phrase}|{amount.group() if amount else start}")


def _find_amount(text: str, start: int, end: int) -> re.Match[str] | None:
    """The amount of a fact: after it in the same paragraph, or just before it in the same sentence."""
    stop = text.find("\n\n", end, end + _FIGURE)
    after = _AMOUNT.search(text, end, min(len(text), end + _FIGURE) if stop < 0 else stop) or _BARE.match(text, end)
    if after:
        return after
    before = _AMOUNT.search(text, max(0, start - 40), start)
    return before if before and not re.search(r"[.!?]\s|\n", text[before.end() : start]) else None


def _features(scan: Scan, start: int, end: int) -> dict[str, float]:
    before = max(start - _PERSON, scan.text.rfind("\n\n", 0, start), 0)
    after = scan.text.find("\n\n", end, end + _PERSON)
    near = scan.text[before : end + _PERSON if after < 0 else after]
    first = max(scan.text.rfind("\n", 0, start), start - _WIDE)
    last = scan.text.find("\n", end)
    ended = _SENTENCE_END.search(scan.text, max(0, first), start)
    while ended:  # what is said of tickets in the sentence before is said of tickets
        first = ended.end() - 1
        ended = _SENTENCE_END.search(scan.text, ended.end(), start)
    octets = scan.view.octets
    line = octets[max(0, first) : start] + b" \n " + octets[end : min(len(octets) if last < 0 else last, end + _WIDE)]
    tax = any(label.name in {"tax", "tin", "ssn", "itin"} for label in LEXICON.labels(near, 0, len(near)))
    return {
        "person": 1.0 if facts.names_person(near) else 0.0,
        "own": 1.0 if facts.OWN.search(line) else 0.0,
        "plain": 1.0 if facts.PLAIN.search(line) else 0.0,
        "general": 1.0 if facts.GENERAL.search(line) else 0.0,
        "tax": 1.0 if tax else 0.0,
    }
