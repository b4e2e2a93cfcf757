"""What the sender of refused outside mail reads: kinds in words, one place, a reference, and where to send it instead.

Never a value, never a name that a sender chose. The first 120 octets say what happened and what to do.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.reference import random_part
from gateway.domain.reply import MAX_LINE
from gateway.domain.verdict import Kind, Outcome, Unread, Verdict

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
_MOST = 3
_ROOM = MAX_LINE - len("550 5.7.1 ")


def new_reference() -> str:
    """Return a reference that a sender can quote, such as `R-4F7K-2M9P`: it tells nothing."""
    return f"R-{random_part()}-{random_part()}"


def explain(verdict: Verdict, reference: str, portal_url: str) -> str:
    """Return the words of the refusal: one line of ASCII, with as many places as it has room for."""
    if verdict.outcome is Outcome.TAINTED:
        why = "it seems to hold taxpayer data"
        told = [f"{KINDS[one.kind]}, in {one.place}" for one in verdict.findings]
    else:
        why = "part of it cannot be inspected"
        told = [f"{REASONS[one.why]}, {one.place}" for one in verdict.unreadable]
    start = f"Not accepted, nothing stored: {why}. Please send it at {portal_url} Ref {reference}: "
    return start + _as_room_allows(list(dict.fromkeys(told)), _ROOM - len(start))


def _as_room_allows(told: list[str], room: int) -> str:
    for shown in range(min(_MOST, len(told)), 1, -1):
        rest = f"; and {len(told) - shown} more" if len(told) > shown else ""
        text = "; ".join(told[:shown]) + rest
        if len(text) <= room:
            return text
    return told[0]
