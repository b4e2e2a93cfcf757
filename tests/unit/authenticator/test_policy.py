"""Who may not sign in by a password for now, though it is right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.authenticator.accounts import SignIn
from gateway.authenticator.policy import Policy
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import RateExceeded
from gateway.domain.sunset import Sunset, Sunsets

DAY = 24 * 3600 * 1_000_000
NOW = to_microseconds(datetime(2026, 11, 22, 12, tzinfo=UTC))
AGENT = SignIn("p", "c", "hash", (), 0, "correspondent", "cwa", last_us=NOW - DAY)
SUNSET = Sunset("agents", frozenset({"correspondent"}), frozenset(), date(2026, 11, 30), (7,))
NEW_YORK = ZoneInfo("America/New_York")
POLICY = Policy(sunsets=Sunsets((SUNSET,), {"cwa": NEW_YORK}))
OVER = to_microseconds(datetime(2026, 12, 1, tzinfo=NEW_YORK))


def test_a_password_is_over_when_the_last_day_has_ended_where_the_programme_is() -> None:
    assert not POLICY.bars(AGENT, OVER - 1)
    assert POLICY.bars(AGENT, OVER)


def test_others_than_the_group_go_on() -> None:
    assert not POLICY.bars(replace(AGENT, side="office"), OVER)
    elsewhere = replace(SUNSET, programmes=frozenset({"county"}))
    assert not replace(POLICY, sunsets=Sunsets((elsewhere,))).bars(AGENT, OVER)


def test_of_two_groups_the_earlier_day_counts() -> None:
    later = replace(SUNSET, name="all", last_day=date(2027, 1, 31))
    assert Sunsets((later, SUNSET)).of("correspondent", "cwa") == SUNSET


def test_who_was_given_longer_goes_on_until_then() -> None:
    longer = replace(AGENT, extended_us=OVER + DAY)
    assert not POLICY.bars(longer, OVER + DAY - 1)
    assert POLICY.bars(longer, OVER + DAY)


def test_who_was_away_for_too_long_does_not_sign_in() -> None:
    policy = Policy(inactive_us=120 * DAY)
    away = replace(AGENT, last_us=NOW - 120 * DAY)
    assert policy.bars(away, NOW)
    assert not policy.bars(replace(away, last_us=away.last_us + 1), NOW)
    assert not Policy().bars(away, NOW), "without a figure nobody is away for too long"


def test_a_site_has_its_own_number_of_failures() -> None:
    assert Policy(failures=10).bars(replace(AGENT, failures=10), NOW)
    assert not Policy(failures=10).bars(replace(AGENT, failures=9), NOW)


def test_three_failures_lock_an_account_from_one_network_for_a_quarter_of_an_hour() -> None:
    minute = 60_000_000
    throttle = Policy(free_failures=3, first_wait_us=15 * minute, count_us=120 * minute).throttle()
    for _ in range(3):
        throttle.check("erin", "192.0.2.1", NOW)
        throttle.failed("erin", "192.0.2.1", NOW)
    with pytest.raises(RateExceeded):
        throttle.check("erin", "192.0.2.1", NOW + 15 * minute - 1)
    throttle.check("erin", "198.51.100.7", NOW)
    throttle.check("erin", "192.0.2.1", NOW + 15 * minute)
    throttle.failed("erin", "192.0.2.1", NOW + 119 * minute)
    with pytest.raises(RateExceeded):
        throttle.check("erin", "192.0.2.1", NOW + 119 * minute + 1)
