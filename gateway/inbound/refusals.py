"""What the sender of refused outside mail reads: kinds in words, one place, a reference, and where to send it instead.

Never a value, never a name that a sender chose. The first 120 octets say what happened and what to do. The address is
the portal's page that explains refusals.
"""

from __future__ import annotations

from gateway.domain.refusal import EXPLANATION, KINDS, REASONS
from gateway.domain.reply import MAX_LINE
from gateway.domain.verdict import Outcome, Verdict

_MOST = 3
_ROOM = MAX_LINE - len("550 5.7.1 ")


def explain(verdict: Verdict, reference: str, portal_url: str) -> str:
    """Return the words of the refusal: one line of ASCII, with as many places as it has room for."""
    if verdict.outcome is Outcome.TAINTED:
        why = "it seems to hold taxpayer data"
        told = [f"{KINDS[one.kind]}, in {one.place}" for one in verdict.findings]
    else:
        why = "part of it cannot be inspected"
        told = [f"{REASONS[one.why]}, {one.place}" for one in verdict.unreadable]
    start = f"Not accepted, nothing stored: {why}. Please send it at {portal_url}{EXPLANATION} Ref {reference}: "
    return start + _as_room_allows(list(dict.fromkeys(told)), _ROOM - len(start))


def _as_room_allows(told: list[str], room: int) -> str:
    for shown in range(min(_MOST, len(told)), 1, -1):
        rest = f"; and {len(told) - shown} more" if len(told) > shown else ""
        text = "; ".join(told[:shown]) + rest
        if len(text) <= room:
            return text
    return told[0]
