"""Features that several families share: what stands around a span, in the words of `weights.toml`."""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.screening.chunk import Form
from gateway.screening.context import Around, Scan
from gateway.screening.facts import names_person
from gateway.screening.folding import BEGIN, END
from gateway.screening.view import Reading
from gateway.screening.weighing import WEIGHTS, weigh

_MARKED = 300  # characters: a longer stretch read otherwise is a document, and hides nothing
_MAY_NAME = re.compile(r"[A-Z][a-z]+ [A-Z]")

_FORMS = {Form.FIELDS: "fields", Form.FILE_NAME: "file_name"}
_READINGS = {
    Reading.DECODED: "hidden",
    Reading.SQUEEZED: "hidden",
    Reading.REVERSED: "hidden",
    Reading.WORDS: "spelled",
    Reading.JOINED: "joined",
}


def surroundings(scan: Scan, around: Around, start: int) -> dict[str, float]:
    """Features of the reading, the form of the chunk, the words and the signs around a span."""
    features: dict[str, float] = {"other": around.other, "telephone": around.telephone, **around.raising}
    features |= dict.fromkeys(around.flags, 1.0)
    if scan.view.reading in _READINGS and _is_marked(scan, start):
        features[_READINGS[scan.view.reading]] = 1.0
    if scan.view.form is Form.FIELDS:
        features["fields"] = 1.0
    if scan.view.form is Form.HEADER and _is_of_machines(scan, start):
        features["machine"] = 1.0
    if scan.view.form is Form.FILE_NAME:
        features["file_name"] = 1.0
    if _MAY_NAME.search(scan.text, max(0, start - 40), start) and "person" not in features:
        features["person"] = 0.8 if names_person(scan.text[max(0, start - 40) : start]) else 0.0
    return {name: value for name, value in features.items() if value}


def at_most(scan: Scan, family: str, shape: dict[str, float], span: tuple[int, int], told: frozenset[str]) -> float:
    """What evidence of a span may come to by its shape, when no label names its kind there, but those of `told`."""
    may = ["person", "mail_person", *(name for name in ("here", "tax") if name in told)]
    if _is_alone(scan.text, *span):
        may.append("alone")
    if scan.view.form in _FORMS:
        may.append(_FORMS[scan.view.form])
    if scan.view.reading in _READINGS:
        may += _READINGS.values()
    return _most(family, tuple(shape.items()), tuple(may))


@lru_cache(maxsize=4_096)
def _most(family: str, shape: tuple[tuple[str, float], ...], may: tuple[str, ...]) -> float:
    weights, known = WEIGHTS[family], dict(shape)
    return weigh(family, known) + sum(max(0.0, weights.get(name, 0.0)) for name in {*may} - known.keys())


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether nothing but signs stands on the line of a span."""
    before, after = text[max(0, start - 60) : start], text[end : end + 60]
    return not before.rpartition("\n")[2].strip(" \t>*-") and not after.partition("\n")[0].strip(" \t.")


def _is_of_machines(scan: Scan, start: int) -> bool:
    """Whether a header field is one that programs fill with ids of theirs, and people do not read."""
    line = scan.text.rfind("\n", 0, start) + 1
    return _MACHINE.match(scan.text, line) is not None


_MACHINE = re.compile(
    r"(?:x-(?!(?:note|notes|comment|comments|case|info|memo|message|subject|data|priority-info|remark)\b)[\w-]+|feedback-id|"
    r"list-[\w-]+|message-id|references|in-reply-to|thread-[\w-]+|arc-[\w-]+|dkim-[\w-]+|received[\w-]*|return-path|"
    r"authentication-results|errors-to|mime-version|content-[\w-]+|user-agent|date|delivered-to|ironport-[\w-]+|autocrypt|"
    r"domainkey-signature|resent-[\w-]+|original-[\w-]+|envelope-[\w-]+|precedence|auto-submitted)[ \t]*:|[ \t]",
    re.IGNORECASE,
)


def _is_marked(scan: Scan, start: int) -> bool:
    """Whether what stands here was read otherwise itself, or only stands beside what was."""
    if scan.view.reading in {Reading.JOINED, Reading.DECODED} and BEGIN not in scan.text:
        return True
    least = max(0, start - _MARKED)
    begun = scan.text.rfind(BEGIN, least, start) > scan.text.rfind(END, least, start)
    return begun and END in scan.text[start : start + _MARKED]


def labelled(scan: Scan, start: int, end: int, close: float) -> dict[str, float]:
    """The same for a value that a label names from so close: what other labels say counts less then."""
    features = surroundings(scan, scan.around(start, end), start)
    for name in ("other", "telephone"):
        if features.get(name, 0.0) < close:
            features[name] = 0.3 * features.get(name, 0.0)
    if close > 0.8:
        features.pop("machine", None)
    if close > 0.8 and "address" in features:
        features["address"] = 0.3  # `?ip_pin=...` says what it is
    return features | {"named": close}
