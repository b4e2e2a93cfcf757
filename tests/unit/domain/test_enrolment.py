from __future__ import annotations

import re

import pytest

from gateway.domain.enrolment import (
    AGREEMENT,
    PLACE,
    TWO_PEOPLE,
    UNDO_US,
    AgreementState,
    Moves,
    PlaceState,
    Step,
    new_reference,
    next_state,
    state_before,
)
from gateway.domain.errors import Malformed

AGREEMENTS = {
    ("received", "ask"): "asked",
    ("received", "review"): "reviewed",
    ("received", "refuse"): "refused",
    ("received", "end"): "ended",
    ("asked", "ask"): "asked",
    ("asked", "review"): "reviewed",
    ("asked", "refuse"): "refused",
    ("asked", "end"): "ended",
    ("reviewed", "suspend"): "suspended",
    ("reviewed", "notice"): "notice",
    ("reviewed", "end"): "ended",
    ("suspended", "resume"): "reviewed",
    ("suspended", "end"): "ended",
    ("notice", "suspend"): "suspended",
    ("notice", "end"): "ended",
}
PLACES = {
    ("named", "meet"): "meeting",
    ("named", "revoke"): "revoked",
    ("meeting", "meet"): "meeting",
    ("meeting", "hold"): "authenticated",
    ("meeting", "revoke"): "revoked",
    ("authenticated", "meet"): "meeting",
    ("authenticated", "invite"): "invited",
    ("authenticated", "revoke"): "revoked",
    ("invited", "invite"): "invited",
    ("invited", "join"): "active",
    ("invited", "revoke"): "revoked",
    ("active", "suspend"): "suspended",
    ("active", "revoke"): "revoked",
    ("suspended", "resume"): "active",
    ("suspended", "revoke"): "revoked",
}


@pytest.mark.parametrize(
    ("moves", "states", "reviewed"),
    [(AGREEMENT, AgreementState, AGREEMENTS), (PLACE, PlaceState, PLACES)],
    ids=["agreement", "place"],
)
def test_each_step_from_each_state_is_the_reviewed_one(
    moves: Moves, states: type[AgreementState | PlaceState], reviewed: dict[tuple[str, str], str]
) -> None:
    found = {}
    for state in states:
        for step in Step:
            try:
                found[state.value, step.value] = next_state(moves, step, state)
            except Malformed:
                continue
    assert found == reviewed


def test_what_is_over_is_over() -> None:
    for state in (AgreementState.ENDED, AgreementState.REFUSED):
        assert not any(state in move.before for move in AGREEMENT.values())
    for place in (PlaceState.REVOKED, PlaceState.ENDED):
        assert not any(place in move.before for move in PLACE.values())


@pytest.mark.parametrize(
    ("moves", "step", "before", "later_us", "is_undone"),
    [
        (PLACE, "revoke", "active", 1, True),
        (PLACE, "revoke", "active", UNDO_US - 1, True),
        (PLACE, "revoke", "active", UNDO_US, False),
        (PLACE, "hold", "meeting", 1, False),
        (PLACE, "join", "invited", 1, False),
        (PLACE, "undo", "active", 1, False),
        (PLACE, "name", None, 1, False),
        (PLACE, None, None, 1, False),
        (AGREEMENT, "end", "reviewed", 1, False),
        (AGREEMENT, "refuse", "asked", 1, True),
    ],
)
def test_a_slip_is_undone_where_the_rule_allows_it(
    moves: Moves, step: str | None, before: str | None, later_us: int, *, is_undone: bool
) -> None:
    if is_undone:
        assert state_before(moves, step, before, 1_000, 1_000 + later_us) == before
        return
    with pytest.raises(Malformed):
        state_before(moves, step, before, 1_000, 1_000 + later_us)


def test_only_a_reviewed_form_gives_rights_also_while_its_notice_runs() -> None:
    assert {state for state in AgreementState if state.gives_rights} == {"reviewed", "notice"}


def test_a_reference_can_be_read_aloud() -> None:
    made = {new_reference() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"E-[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", one) for one in made)


def test_verbs_for_two_people_exist() -> None:
    from gateway.casework.administration import VERBS

    assert set(VERBS) >= TWO_PEOPLE
