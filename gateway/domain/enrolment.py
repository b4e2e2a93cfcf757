"""Enrolment: which states an agreement and a designated user can be in, and which step leads from one to another.

Two tables of moves say it all: `AGREEMENT` for the paper that was accepted or not, `PLACE` for each designated user of
it. A step that is not in its table does not exist. Who may do a step, and for which of them two people are wanted, is
said elsewhere (`gateway.domain.rights`, the programme).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gateway.domain.errors import Malformed
from gateway.domain.reference import random_part

DAY_US = 24 * 3600 * 1_000_000
UNDO_US = DAY_US
"""How long a slip can be undone."""

TWO_PEOPLE = frozenset(
    {
        "review_agreement",
        "refuse_agreement",
        "resume_agreement",
        "end_agreement",
        "join_user",
        "resume_user",
        "revoke_user",
        "change_address",
    }
)
"""Verbs that a programme may give to two people: one asks, another one approves."""
APPROVAL_US = 7 * DAY_US


class AgreementState(StrEnum):
    """Where a consent form stands. It gives rights only while reviewed, or reviewed and given notice."""

    RECEIVED = "received"
    ASKED = "asked"
    REVIEWED = "reviewed"
    SUSPENDED = "suspended"
    NOTICE = "notice"
    ENDED = "ended"
    REFUSED = "refused"

    @property
    def gives_rights(self) -> bool:
        """True while designated users of it can have access."""
        return self in {AgreementState.REVIEWED, AgreementState.NOTICE}


class PlaceState(StrEnum):
    """Where a designated user stands in one agreement. Only an active one has access."""

    NAMED = "named"
    MEETING = "meeting"
    AUTHENTICATED = "authenticated"
    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    ENDED = "ended"


class Step(StrEnum):
    """What moves an agreement or a designated user from one state to the next."""

    OPEN = "open"
    ASK = "ask"
    REVIEW = "review"
    REFUSE = "refuse"
    NAME = "name"
    MEET = "meet"
    HOLD = "hold"
    INVITE = "invite"
    JOIN = "join"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    NOTICE = "notice"
    END = "end"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a table: from which states a step leads to which, and whether a slip of it can be undone."""

    before: frozenset[str]
    after: str
    can_be_undone: bool


Moves = Mapping[Step, Move]


def _moves(*lines: tuple[Step, tuple[str, ...], str, bool]) -> Moves:
    return MappingProxyType({step: Move(frozenset(before), after, undo) for step, before, after, undo in lines})


_A, _P = AgreementState, PlaceState

AGREEMENT: Moves = _moves(
    (Step.ASK, (_A.RECEIVED, _A.ASKED), _A.ASKED, True),
    (Step.REVIEW, (_A.RECEIVED, _A.ASKED), _A.REVIEWED, True),
    (Step.REFUSE, (_A.RECEIVED, _A.ASKED), _A.REFUSED, True),
    (Step.SUSPEND, (_A.REVIEWED, _A.NOTICE), _A.SUSPENDED, True),
    (Step.RESUME, (_A.SUSPENDED,), _A.REVIEWED, True),
    (Step.NOTICE, (_A.REVIEWED,), _A.NOTICE, True),
    (Step.END, (_A.RECEIVED, _A.ASKED, _A.REVIEWED, _A.SUSPENDED, _A.NOTICE), _A.ENDED, False),
)

PLACE: Moves = _moves(
    (Step.MEET, (_P.NAMED, _P.MEETING, _P.AUTHENTICATED), _P.MEETING, True),
    (Step.HOLD, (_P.MEETING,), _P.AUTHENTICATED, False),
    (Step.INVITE, (_P.AUTHENTICATED, _P.INVITED), _P.INVITED, True),
    (Step.JOIN, (_P.INVITED,), _P.ACTIVE, False),
    (Step.SUSPEND, (_P.ACTIVE,), _P.SUSPENDED, True),
    (Step.RESUME, (_P.SUSPENDED,), _P.ACTIVE, True),
    (
        Step.REVOKE,
        (_P.NAMED, _P.MEETING, _P.AUTHENTICATED, _P.INVITED, _P.ACTIVE, _P.SUSPENDED),
        _P.REVOKED,
        True,
    ),
)


def new_reference() -> str:
    """Return a reference for an agreement, such as `E-4F7K-2M9P`: it tells nothing, and can be read aloud."""
    return f"E-{random_part()}-{random_part()}"


def next_state(moves: Moves, step: Step, state: str) -> str:
    """Return the state that a step leads to. Raises Malformed, saying from which states it goes."""
    move = moves.get(step)
    if move is None or state not in move.before:
        allowed = ", ".join(sorted(move.before)) if move else "no state"
        raise Malformed(f"This cannot be done while the state is {state}: {step.value} goes from {allowed}.")
    return move.after


def state_before(moves: Moves, step: str | None, before: str | None, moved_us: int, now_us: int) -> str:
    """Return the state that an undo leads back to. Raises Malformed where the rule does not allow it."""
    known = {str(one): move for one, move in moves.items()}
    move = known.get(step or "")
    if move is None or before is None or not move.can_be_undone:
        raise Malformed("The last step cannot be undone.")
    if now_us >= moved_us + UNDO_US:
        raise Malformed("A step can be undone for a day. Do the opposite step instead.")
    return before


class Outcome(StrEnum):
    """What an authentication meeting came to."""

    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not-identified"
    NOBODY_CAME = "nobody-came"


class Purpose(StrEnum):
    """Why an employee looks into a case that is not theirs."""

    COVER = "cover"
    SUPERVISION = "supervision"
    SUPPORT = "support"
    AUDIT = "audit"
    RECORDS_REQUEST = "records-request"


class Stage(StrEnum):
    """How far somebody has come who was invited, in this order. A way is *chosen* once it has signed them in."""

    INVITED = "invited"
    STARTED = "started"
    CHOSEN = "chosen"
    AGREED = "agreed"
    FINISHED = "finished"


class Way(StrEnum):
    """How somebody came in, where it was no identity provider."""

    PASSWORD = "password"  # noqa: S105 - the name of a way
    BY_HAND = "by-hand"
    KNOWN = "known"
