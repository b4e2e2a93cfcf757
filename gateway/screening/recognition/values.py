"""What was read in a field, brought to the shape that its look asks for; and how well it keeps to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from gateway.domain.layout import Look
from gateway.screening.recognition.words import Word, lines_of

_LONGEST: Final = 300
_ADDRESS = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_TELEPHONE = re.compile(r"\+?[0-9(][0-9 ().-]{5,24}[0-9]")
_NUMERIC = re.compile(r"(?<![0-9])([0-3]?[0-9])\s?[/.-]\s?([0-3]?[0-9])\s?[/.-]\s?((?:19|20)?[0-9]{2})(?![0-9])")
_WORDED = re.compile(r"(?i)\b([a-z]{3,9})\.?\s*([0-3]?[0-9]),?\s*((?:19|20)[0-9]{2})")
_DAY_FIRST = re.compile(r"(?i)\b([0-3]?[0-9])\.?\s*([a-z]{3,9})\.?,?\s*((?:19|20)[0-9]{2})")
_ISO = re.compile(r"\b((?:19|20)[0-9]{2})-([01][0-9])-([0-3][0-9])\b")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EDGES: Final = " \t|_-—–=~.,:;'\"`[](){}<>«»*•\\/"
_LIKE_DIGITS: Final = str.maketrans("OoQDIl|SsBZzGgq", "000011155822669"[:15])
_GLUED = re.compile(r"\s*([@.])\s*")


def joined(words: Sequence[Word]) -> tuple[str, float]:
    """Return words as one line of text, in their order on the page, and their mean confidence."""
    told = [word for line in lines_of(words) for word in line.words if any(sign.isalnum() for sign in word.text)]
    letters = sum(len(word.text) for word in told)
    sure = sum(word.confidence * len(word.text) for word in told) / letters if letters else 0.0
    return " ".join(word.text for word in told).strip(_EDGES)[:_LONGEST], sure


def shaped(text: str, look: Look) -> tuple[str, bool]:
    """Return a value as a field of this look has it, and whether it keeps to that; "" where nothing is there."""
    clean = "".join(sign for sign in text if sign.isprintable()).strip(_EDGES)
    match look:
        case Look.EMAIL:
            return _email(clean)
        case Look.TELEPHONE:
            found = _TELEPHONE.search(clean)
            return (found[0], True) if found else (clean, False)
        case Look.DATE:
            day = _day(clean)
            return (day.isoformat(), True) if day else (clean, False)
        case Look.NUMBER:
            return _number(clean)
        case Look.YEARS:
            return clean, _YEAR.search(clean) is not None
        case _:
            return clean, len(clean) > 1


def _email(text: str) -> tuple[str, bool]:
    plain = _GLUED.sub(r"\1", text.lower().replace("©", "@").replace("®", "@").replace("(at)", "@").replace(",", "."))
    pieces = plain.split()
    whole = next((piece for piece in pieces if "@" in piece), plain)
    found = _ADDRESS.search(whole)
    return (found[0], True) if found else (text, False)


def _number(text: str) -> tuple[str, bool]:
    """Digits, with the letters that are mistaken for some; words such as "None" stay."""
    bare = "".join(sign for sign in text if sign.isalnum())
    digits = sum(sign.isdigit() for sign in bare)
    if digits * 2 < len(bare):
        return text, text.isalpha()
    kept = re.sub(r"[^0-9A-Za-z-]", "", text).strip("-")
    head, tail = (kept[:-1], kept[-1:]) if kept[-1:] in {"R", "r"} else (kept, "")
    return head.translate(_LIKE_DIGITS) + tail.upper(), digits >= 4


def _day(text: str) -> date | None:
    """The day that a text tells; of two numbers the first is the month, where it can be."""
    if found := _ISO.search(text):
        return _made(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMERIC.search(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        year += 2000 if year < 100 else 0
        return _made(year, first, second) or _made(year, second, first)
    if found := _WORDED.search(text):
        return _named(found[1], found[2], found[3])
    if found := _DAY_FIRST.search(text):
        return _named(found[2], found[1], found[3])
    return None


def _named(month: str, day: str, year: str) -> date | None:
    number = next((at for at, name in enumerate(_MONTHS, 1) if month.lower().startswith(name)), 0)
    return _made(int(year), number, int(day)) if number else None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
