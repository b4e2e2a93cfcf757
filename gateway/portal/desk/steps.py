"""Which steps a page offers: those of the table of states that go from here, and an undo where the rule allows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.domain.enrolment import AGREEMENT, PLACE, Moves, Step, state_before
from gateway.domain.errors import Malformed

AGREEMENT_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "ask": "ask_agreement",
        "review": "review_agreement",
        "refuse": "refuse_agreement",
        "suspend": "suspend_agreement",
        "resume": "resume_agreement",
        "notice": "give_notice",
        "end": "end_agreement",
        "undo": "undo_agreement",
    }
)
"""Verbs about an agreement, by the step that a form names."""
USER_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "join": "join_user",
        "suspend": "suspend_user",
        "resume": "resume_user",
        "revoke": "revoke_user",
        "undo": "undo_user",
    }
)
"""Those about a designated user that need nothing but a button."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The steps that go from a state; `undo` is the step that can be taken back, and to which state."""

    steps: frozenset[str]
    undo: str = ""
    back_to: str = ""

    def __contains__(self, step: str) -> bool:
        return step in self.steps


def offered_for_agreement(row: Mapping[str, Any], now_us: int) -> Offered:
    """Return what can be done with an agreement now."""
    return _offered(AGREEMENT, row, now_us)


def offered_for_user(row: Mapping[str, Any], now_us: int) -> Offered:
    """Return what can be done with a designated user now."""
    return _offered(PLACE, row, now_us)


def _offered(moves: Moves, row: Mapping[str, Any], now_us: int) -> Offered:
    steps = frozenset(step.value for step, move in moves.items() if row["state"] in move.before)
    try:
        back_to = state_before(moves, row["step"], row["before"], row["moved_us"] or 0, now_us)
    except Malformed:
        return Offered(steps)
    # A state that is only shown (an agreement that has ended by its notice) is not what the row says.
    is_as_stored = row["state"] == moves[Step(row["step"])].after
    return Offered(steps, row["step"], back_to) if is_as_stored else Offered(steps)
