from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.errors import RateExceeded
from gateway.portal.tries import Tries


class Minute:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_an_address_may_try_so_often_in_a_minute_and_others_are_not_held_up() -> None:
    clock = Minute()
    tries = Tries(clock, per_address=2)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        tries.count(address)
    with pytest.raises(RateExceeded):
        tries.count("192.0.2.1")
    tries.count("192.0.2.2")
    clock.now += timedelta(minutes=1)
    tries.count("192.0.2.1")


def test_all_addresses_together_have_a_limit_so_that_many_cannot_search() -> None:
    tries = Tries(Minute(), per_address=10, together=3)
    for host in range(3):
        tries.count(f"192.0.2.{host}")
    with pytest.raises(RateExceeded):
        tries.count("192.0.2.9")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001:db8::1", "2001:db8::ffff:2"),
        ("192.0.2.1", "192.0.2.1"),
        ("", "unknown"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_addresses_of_one_network_count_as_one(first: str, second: str) -> None:
    tries = Tries(Minute(), per_address=1)
    tries.count(first)
    with pytest.raises(RateExceeded):
        tries.count(second)


def test_addresses_mapped_from_ipv4_count_each() -> None:
    tries = Tries(Minute(), per_address=1)
    tries.count("::ffff:192.0.2.1")
    tries.count("::ffff:192.0.2.2")
