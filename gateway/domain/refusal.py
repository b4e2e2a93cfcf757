"""What a refusal of outside mail names: its reference, and in words what was seen; never a value.

A reference is `R-4F7K-2M9P`: eight letters drawn by lot, of which no two look alike. Whoever types one may write a
look-alike instead (O for D, 1 for 7), in any letter case, with or without `R`, blanks and dashes; its end counts.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from gateway.domain.verdict import Kind, Unread

EXPLANATION: Final = "refused"
"""Where the portal explains refusals, below its address. It never changes: refusals carry it."""

LETTERS: Final = "3479ABCDEFGHKMNPRSTUWXYZ"
LENGTH: Final = 8
MAX_TYPED: Final = 64

KINDS: Final[dict[Kind, str]] = {
    Kind.SSN: "a U.S. taxpayer number",
    Kind.ITIN: "a U.S. taxpayer number",
    Kind.ATIN: "a U.S. taxpayer number",
    Kind.EIN: "an employer's number",
    Kind.QI_EIN: "an intermediary's number",
    Kind.PTIN: "a preparer's number",
    Kind.CAF: "a representative's number",
    Kind.GIIN: "an institution's number",
    Kind.EFIN: "a filing number",
    Kind.ETIN: "a filing number",
    Kind.IP_PIN: "an identity protection number",
    Kind.FOREIGN_TIN: "a taxpayer number",
    Kind.PASSPORT: "a passport number",
    Kind.VISA: "a visa number",
    Kind.BIRTH_DATE: "a date of birth",
    Kind.BANK: "a bank account",
    Kind.IBAN: "a bank account",
    Kind.CARD: "a payment card",
    Kind.RETURN_INFORMATION: "somebody's tax affairs",
    Kind.FILLED_FORM: "a form that is filled in",
}
REASONS: Final[dict[Unread, str]] = {
    Unread.ENCRYPTED: "password-protected or encrypted",
    Unread.CORRUPT: "damaged",
    Unread.OVER_LIMIT: "too large or too deep",
    Unread.AMBIGUOUS: "readable in more than one way",
    Unread.UNKNOWN_TYPE: "of an unknown type",
}

_ALIKE: Final = str.maketrans("0OQ1IJLV2568", "DDD7777UZSGB")
_FOUND_BY_DIGITS: Final = 18
_TOLD_DIGITS: Final = 14
_REASON_BITS: Final = 16
_KINDS: Final = tuple(Kind)  # their order is kept in ids: new ones come last
_REASONS: Final = tuple(Unread)


def new_reference(below: Callable[[int], int] = secrets.randbelow) -> str:
    """Return a reference that a sender can quote. It tells nothing; there are 10¹¹ of them."""
    letters = "".join(LETTERS[below(len(LETTERS))] for _ in range(LENGTH))
    return f"R-{letters[:4]}-{letters[4:]}"


def reference_meant(typed: str) -> str:
    """Return the reference that somebody means by what they typed; of what none can be meant by, something like one."""
    kept = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", typed[:MAX_TYPED]).upper()))
    letters = kept.translate(_ALIKE)[-LENGTH:]
    return f"R-{letters[:4]}-{letters[4:]}"


def entry_id(reference: str, kinds: Iterable[Kind], reasons: Iterable[Unread]) -> str:
    """Return the id of the entry of a refusal: 32 hex digits that tell whoever has the reference what the page shows.

    So the portal needs ids, kinds and instants of entries to answer, and reads no entry; and nothing is kept beside it.
    """
    told = sum(1 << _KINDS.index(one) for one in {*kinds}) << _REASON_BITS
    told |= sum(1 << _REASONS.index(one) for one in {*reasons})
    return f"{_found_by(reference)}{told:0{_TOLD_DIGITS}x}"


def ids_of(reference: str) -> tuple[str, str]:
    """Return the lowest and the highest id that the entry of a reference may have."""
    found_by = _found_by(reference)
    return found_by + "0" * _TOLD_DIGITS, found_by + "f" * _TOLD_DIGITS


def told_by(id_: str) -> tuple[tuple[Kind, ...], tuple[Unread, ...]]:
    """Return the kinds and reasons that the id of such an entry tells."""
    told = int(id_[-_TOLD_DIGITS:], 16)
    kinds = tuple(kind for place, kind in enumerate(_KINDS) if told >> _REASON_BITS + place & 1)
    return kinds, tuple(why for place, why in enumerate(_REASONS) if told >> place & 1)


def _found_by(reference: str) -> str:
    return hashlib.sha256(b"gateway refusal v1\x00" + reference.encode("utf-8", "replace")).hexdigest()[
        :_FOUND_BY_DIGITS
    ]
