from __future__ import annotations

import pytest

from gateway.authenticator.throttle import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, Throttle
from gateway.domain.errors import RateExceeded

SECOND = 1_000_000


def is_slowed(throttle: Throttle, account: str, address: str, now_us: int) -> bool:
    try:
        throttle.check(account, address, now_us)
    except RateExceeded:
        return True
    return False


def test_the_first_failures_cost_nothing_and_later_ones_ever_more() -> None:
    throttle, waits, now = Throttle(), [], 0
    for _ in range(FREE_BY_ACCOUNT + 4):
        began = now
        while is_slowed(throttle, "erin", "192.0.2.1", now):
            now += SECOND
        waits.append((now - began) // SECOND)
        throttle.failed("erin", "192.0.2.1", now)
    assert waits == [0, 0, 0, 1, 2, 4, 8]


def test_the_longest_wait_is_a_quarter_of_an_hour() -> None:
    throttle = Throttle()
    for _ in range(40):
        throttle.failed("erin", "192.0.2.1", 0)
    assert is_slowed(throttle, "erin", "192.0.2.1", 899 * SECOND)
    assert not is_slowed(throttle, "erin", "192.0.2.1", 900 * SECOND)


def test_the_rightful_user_elsewhere_is_not_slowed_down() -> None:
    throttle = Throttle()
    for _ in range(40):
        throttle.failed("erin", "192.0.2.1", 0)
    assert not is_slowed(throttle, "erin", "198.51.100.1", 0)
    assert not is_slowed(throttle, "frank", "192.0.2.1", 0)


def test_one_address_that_tries_many_names_is_slowed_down_a_little() -> None:
    throttle = Throttle()
    for n in range(FREE_BY_ADDRESS + 20):
        throttle.failed(f"name{n}", "2001:db8:0:1::5", 0)
    assert is_slowed(throttle, "another", "2001:db8:0:1::6", 29 * SECOND)
    assert not is_slowed(throttle, "another", "2001:db8:0:1::6", 30 * SECOND)
    assert not is_slowed(throttle, "another", "2001:db8:0:2::6", 0)


def test_success_forgets_the_failures_of_that_account_there() -> None:
    throttle = Throttle()
    for _ in range(5):
        throttle.failed("erin", "192.0.2.1", 0)
    throttle.succeeded("erin", "192.0.2.1")
    assert not is_slowed(throttle, "erin", "192.0.2.1", 0)


def test_it_keeps_a_bounded_number_of_names() -> None:
    throttle = Throttle()
    for n in range(20_100):
        throttle.failed(f"name{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", n)
    with pytest.raises(RateExceeded):
        for _ in range(FREE_BY_ACCOUNT + 1):
            throttle.check("late", "192.0.2.1", 0)
            throttle.failed("late", "192.0.2.1", 0)
    assert len(throttle._kept) <= 20_000
