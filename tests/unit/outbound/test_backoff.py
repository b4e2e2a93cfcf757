"""When a notice is tried again, and when no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbound.backoff import Schedule

BORN = datetime(2026, 3, 1, tzinfo=UTC)


def test_waits_double_up_to_the_ceiling() -> None:
    schedule = Schedule(first=timedelta(seconds=30), ceiling=timedelta(minutes=5))
    waits = [schedule.next_due(attempt, BORN, BORN, 0) for attempt in (1, 2, 3, 4, 5, 50)]
    assert [(due - BORN).total_seconds() for due in waits if due] == [30, 60, 120, 240, 300, 300]


def test_jitter_lengthens_a_wait_and_never_shortens_it() -> None:
    due = Schedule(spread=0.5).next_due(1, BORN, BORN, 0.5)
    assert due == BORN + timedelta(seconds=37.5)


def test_the_last_attempt_is_made_when_the_time_is_up() -> None:
    schedule = Schedule(give_up=timedelta(hours=2))
    late = BORN + timedelta(hours=1, minutes=59)
    assert schedule.next_due(20, BORN, late, 0.9) == BORN + timedelta(hours=2)
    assert schedule.next_due(21, BORN, BORN + timedelta(hours=2), 0.9) is None


@given(st.integers(1, 10**6), st.integers(0, 200_000), st.floats(0, 1, exclude_max=True))
def test_a_due_time_is_later_than_now_and_never_past_the_end(attempts: int, age: int, jitter: float) -> None:
    schedule = Schedule()
    now = BORN + timedelta(seconds=age)
    due = schedule.next_due(attempts, BORN, now, jitter)
    if due is None:
        assert now >= BORN + schedule.give_up
    else:
        assert now < due <= BORN + schedule.give_up


@pytest.mark.parametrize(
    "figures",
    [
        {"first": timedelta(0)},
        {"first": timedelta(hours=2)},
        {"factor": 0.5},
        {"spread": 1.0},
        {"give_up": timedelta(0)},
    ],
)
def test_figures_that_make_no_schedule_are_refused(figures: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Schedule(**figures)  # type: ignore[arg-type]


def test_jitter_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError):
        Schedule().next_due(1, BORN, BORN, 1.0)
