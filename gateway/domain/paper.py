"""What a paper form says, field by field: shapes that a programme's data gives to fields, and values held to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.address import parse_address
from gateway.domain.errors import Malformed

MAX_VALUE = 2_000
_TELEPHONE = re.compile(r"\+?[0-9][0-9 ().-]{5,28}[0-9]\Z")
_NOT_LETTERS = re.compile(r"[\W_]+")


class Shape(StrEnum):
    """What kind of value a field has."""

    TEXT = "text"
    DATE = "date"
    SIGNATURE_DATE = "signature-date"
    ADDRESS = "address"
    TELEPHONE = "telephone"
    YES_NO = "yes-no"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field the gateway keeps of a form; a sealed one is shown only where a step needs it.

    `pattern` is what a value must be after `ignored` characters are taken out, and `says` tells people so. Fields of an
    appendix are said of each designated user, and are kept with them. By a field that `is_name` people know whose
    agreement it is.
    """

    key: str
    label: str
    sealed: bool
    shape: Shape = Shape.TEXT
    pattern: str = ""
    ignored: str = ""
    says: str = ""
    is_optional: bool = False
    is_of_appendix: bool = False
    is_name: bool = False


def check_value(field: FormField, text: str, today: date) -> str:
    """Return a value as it is kept. Raises Malformed, naming the field and never the value."""
    value = " ".join(text.split())
    if not value or len(value) > MAX_VALUE or not value.isprintable():
        raise Malformed(f"{field.label}: write something, at most {MAX_VALUE} characters.")
    if field.pattern:
        value = value.translate({ord(letter): None for letter in field.ignored}).upper()
        if not re.fullmatch(field.pattern, value, re.IGNORECASE):
            raise Malformed(f"{field.label}: {field.says or 'does not have its usual form'}.")
        return value
    return _shaped(field, value, today)


def check_date(text: str, what: str, today: date | None = None) -> date:
    """Return a day written as 2027-01-31, not after `today` where one is given. Raises Malformed."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Malformed(f"{what}: a date is written as 2027-01-31.") from None
    if today is not None and day > today:
        raise Malformed(f"{what}: this day is still to come.")
    return day


def check_telephone(text: str, what: str) -> str:
    """Return a telephone number as it was written. Raises Malformed."""
    value = " ".join(text.split())
    if not _TELEPHONE.match(value):
        raise Malformed(f"{what}: a telephone number has 7 to 30 digits, blanks, hyphens and a + in front.")
    return value


def missing_fields(fields: Iterable[FormField], known: Mapping[str, object] | Iterable[str]) -> list[FormField]:
    """Return the fields of a form that must be there and are not; those of an appendix are judged elsewhere."""
    there = set(known)
    return [one for one in fields if not (one.key in there or one.is_optional or one.is_of_appendix)]


def searchable(value: str) -> str:
    """Return what equal values share: letters and digits alone, upper case. `12-3456789` is `123456789`."""
    return _NOT_LETTERS.sub("", value).upper()


def _shaped(field: FormField, value: str, today: date) -> str:
    match field.shape:
        case Shape.DATE:
            return check_date(value, field.label).isoformat()
        case Shape.SIGNATURE_DATE:
            return check_date(value, field.label, today).isoformat()
        case Shape.ADDRESS:
            return _address(field, value)
        case Shape.TELEPHONE:
            return check_telephone(value, field.label)
        case Shape.YES_NO:
            if value.lower() not in {"yes", "no"}:
                raise Malformed(f"{field.label}: say yes or no.")
            return value.lower()
        case Shape.TEXT:
            return value


def _address(field: FormField, value: str) -> str:
    try:
        return str(parse_address(value))
    except Malformed as problem:
        raise Malformed(f"{field.label}: {problem.advice}") from None
