from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.enrolment import AgreementState, PlaceState
from gateway.domain.rights import (
    GRANTS,
    OPERATOR,
    Agreement,
    Authorisation,
    Capacity,
    Holder,
    Place,
    Right,
    Role,
    Side,
    Span,
    Thing,
    Verb,
    capacities,
    may,
)
from tests.personas import CASE, NOW_US, personas

CASES = st.sampled_from([CASE, "elsewhere"])
SPANS = st.builds(Span, st.none() | st.integers(0, 10), st.none() | st.integers(0, 10))
RIGHTS = st.sampled_from(Right)
AUTHORISATIONS = st.builds(Authorisation, RIGHTS, SPANS, st.none() | st.frozensets(CASES, min_size=1), st.booleans())
AGREEMENTS = st.builds(
    Agreement,
    st.just("a"),
    st.lists(st.tuples(CASES, SPANS), max_size=3).map(tuple),
    st.none() | st.sampled_from(AgreementState),
    SPANS,
)
PLACES = st.builds(
    Place,
    AGREEMENTS,
    RIGHTS,
    SPANS,
    st.none() | st.sampled_from(PlaceState),
    st.booleans(),
    st.lists(AUTHORISATIONS, max_size=3).map(tuple),
)
RANK = {None: 0, Right.SEE: 1, Right.ACT: 2}


@given(PLACES, st.integers(0, 10))
def test_no_right_outlives_any_paper_it_rests_on(place: Place, now: int) -> None:
    right = place.right_in(CASE, now)
    assert RANK[right] <= RANK[place.right]
    if right is None:
        return
    assert place.span.holds(now)
    assert place.agreement.span.holds(now)
    assert place.state in {None, PlaceState.ACTIVE}
    assert place.agreement.state in {None, AgreementState.REVIEWED, AgreementState.NOTICE}
    assert any(case == CASE and span.holds(now) for case, span in place.agreement.covers)
    if place.needs:
        holds = [one for one in place.authorisations if one.covers(CASE, now)]
        assert RANK[right] <= max(RANK[one.right] for one in holds)


@given(PLACES, AUTHORISATIONS, st.integers(0, 10))
def test_a_further_paper_never_takes_a_right_away(place: Place, more: Authorisation, now: int) -> None:
    with_more = replace(place, authorisations=(*place.authorisations, more))
    assert RANK[with_more.right_in(CASE, now)] >= RANK[place.right_in(CASE, now)]


@pytest.mark.parametrize("persona", personas(), ids=lambda persona: persona.name)
def test_nobody_has_anything_in_another_programme(persona: object) -> None:
    holder = persona.holder  # type: ignore[attr-defined]
    elsewhere = Thing("lindgrove", CASE, person_id="p")
    assert not any(may(holder, verb, elsewhere, NOW_US) for verb in Verb)


def test_a_closed_case_is_read_and_no_more_written_to() -> None:
    holder = Holder("p", Side.OFFICE, "cwa", assignments=((CASE, Span()),))
    closed = Thing("cwa", CASE, is_open=False)
    assert {verb for verb in Verb if may(holder, verb, closed, NOW_US)} == {
        Verb.READ, Verb.READ_AS_RECEIVED, Verb.TEND,
    }  # fmt: skip


def test_a_designated_user_gets_nothing_from_an_employees_rows_and_an_employee_nothing_from_theirs() -> None:
    place = Place(Agreement("a", ((CASE, Span()),)), Right.ACT, Span())
    outside = Holder(
        "p", Side.CORRESPONDENT, "cwa", roles=((Role.ADMINISTRATOR, Span()),), assignments=((CASE, Span()),)
    )
    inside = Holder("p", Side.OFFICE, "cwa", places=(place,))
    assert capacities(outside, Thing("cwa", CASE), NOW_US) == set()
    assert capacities(inside, Thing("cwa", CASE), NOW_US) == set()


def test_an_operator_reads_no_case() -> None:
    assert not any(may(OPERATOR, verb, Thing("cwa", CASE), NOW_US) for verb in (Verb.READ, Verb.WRITE))


def test_every_capacity_and_every_verb_stands_in_the_table() -> None:
    assert set(GRANTS) == set(Capacity)
    assert set().union(*GRANTS.values()) == set(Verb)
