"""Counts of what TLS with other sites came to, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.store.database import Database
from gateway.store.tls_outcomes import PolicyType, ResultType, TlsOutcome, count_tls, forget_before, outcomes_of
from tests.notifying import Time

DAY = date(2026, 3, 1)
GOOD = TlsOutcome(PolicyType.STS, ResultType.SUCCESS, "mx.agent.example")
EXPIRED = TlsOutcome(PolicyType.STS, ResultType.CERTIFICATE_EXPIRED, "mx.agent.example")


@pytest.fixture
def time() -> Time:
    return Time(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))


@pytest.fixture
def store(store_url: str, time: Time) -> Iterator[Database]:
    opened = Database(store_url, clock=time, program="notifier" if "sqlite" in store_url else None)
    yield opened
    opened.close()


def found(store: Database, day: date, domain: str = "agent.example") -> list[TlsOutcome]:
    return list(store.read_now(lambda connection: outcomes_of(connection, day, domain)))


def test_sessions_that_came_to_the_same_are_one_row(store: Database) -> None:
    for outcome in (GOOD, EXPIRED, GOOD, TlsOutcome(PolicyType.STS, ResultType.SUCCESS, "MX.agent.example", 5)):
        store.call(count_tls, "Agent.Example", outcome)
    assert found(store, DAY) == [
        TlsOutcome(PolicyType.STS, ResultType.SUCCESS, "mx.agent.example", 7),
        TlsOutcome(PolicyType.STS, ResultType.CERTIFICATE_EXPIRED, "mx.agent.example", 1),
    ]


def test_a_day_ends_at_midnight_utc(store: Database, time: Time) -> None:
    store.call(count_tls, "agent.example", GOOD)
    time.now += timedelta(seconds=2)
    store.call(count_tls, "agent.example", GOOD)
    assert [len(found(store, day)) for day in (DAY, DAY + timedelta(days=1))] == [1, 1]


def test_counts_of_days_before_are_forgotten(store: Database, time: Time) -> None:
    store.call(count_tls, "agent.example", GOOD)
    time.now += timedelta(days=1)
    store.call(count_tls, "agent.example", GOOD)
    assert store.call(forget_before, DAY + timedelta(days=1)) == 1
    assert [len(found(store, day)) for day in (DAY, DAY + timedelta(days=1))] == [0, 1]
