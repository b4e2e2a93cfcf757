from __future__ import annotations

import pytest

from gateway.casework.openings import OPENING
from gateway.domain.errors import RateExceeded
from gateway.keyholder.rates import DAY_US, MINUTE_US, Rates

NOON = 20_000 * DAY_US + DAY_US // 2


def test_sixty_openings_a_minute_for_one_session() -> None:
    rates = Rates()
    for _ in range(60):
        rates.spend("s1", "erin", OPENING, NOON)
    with pytest.raises(RateExceeded):
        rates.spend("s1", "erin", 1, NOON)
    rates.spend("s2", "erin", OPENING, NOON)
    rates.spend("s1", "erin", OPENING, NOON + MINUTE_US)


def test_the_minute_slides() -> None:
    rates = Rates()
    for second in range(30, 60):
        rates.spend("s1", "erin", 2 * OPENING, NOON + second * 1_000_000)
    with pytest.raises(RateExceeded):
        rates.spend("s1", "erin", OPENING, NOON + 61 * 1_000_000)
    rates.spend("s1", "erin", 2 * OPENING, NOON + 90 * 1_000_000)


def test_a_thousand_openings_a_day_for_one_person_over_all_sessions() -> None:
    rates = Rates()
    for n in range(1_000):
        rates.spend(f"s{n}", "erin", OPENING, NOON)
    with pytest.raises(RateExceeded):
        rates.spend("another", "erin", 1, NOON + DAY_US // 2)
    rates.spend("another", "frank", OPENING, NOON)
    rates.spend("another", "erin", OPENING, NOON + DAY_US + 1)


def test_what_is_refused_is_not_counted() -> None:
    rates = Rates()
    rates.spend("s1", "erin", 5_950, NOON)
    with pytest.raises(RateExceeded):
        rates.spend("s1", "erin", OPENING, NOON)
    rates.spend("s1", "erin", 50, NOON)
