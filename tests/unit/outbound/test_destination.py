from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.domain.delivery import Delivery, DeliveryState
from gateway.outbound.backoff import Schedule
from gateway.outbound.destination import FIRST_QUEUE, LONGEST_QUEUE, Bearing, Destination

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AWAY = Delivery(DeliveryState.DELAYED, text="the host could not be reached")
MINUTE = timedelta(minutes=1)


def place(connections: int = 4, most: int = 256) -> Destination:
    return Destination(Bearing(connections, most), Schedule(), lambda: 0.0)


def admit(one: Destination, mails: int, now: datetime = NOON) -> list[timedelta]:
    """Admit as many as are let in, and return the pauses of the others."""
    pauses = []
    for _ in range(mails):
        pause = one.pause(now)
        if pause is None:
            one.under_way += 1
        else:
            pauses.append(pause)
    return pauses


def test_a_quick_place_takes_many_and_a_slow_one_few() -> None:
    quick, slow = place(), place()
    for _ in range(100):
        quick.went(0.01)
        slow.went(60.0)
    admit(quick, 1000)
    admit(slow, 1000)
    assert quick.under_way == 256
    assert slow.under_way == 4


def test_a_place_that_took_nothing_yet_takes_a_few_and_the_only_place_there_is_takes_all() -> None:
    new, only = place(), Destination(Bearing(4, 512, is_only=True), Schedule(), lambda: 0.0)
    pauses = admit(new, 1000)
    assert new.under_way == 16
    assert max(pauses) <= FIRST_QUEUE
    admit(only, 1000)
    assert only.under_way == 512


def test_who_has_to_wait_is_told_when_the_turn_will_come() -> None:
    one = place()
    pauses = admit(one, 1000)
    assert pauses == sorted(pauses)
    assert pauses[0] > timedelta(0)
    assert pauses[-1] <= LONGEST_QUEUE


def test_a_place_that_cannot_be_spoken_to_is_left_alone_and_then_tried_by_one() -> None:
    one = place()
    one.failed(AWAY, NOON)
    assert one.last == AWAY
    assert all(pause > timedelta(seconds=30) for pause in admit(one, 50, NOON))
    later = NOON + timedelta(seconds=30)
    assert len(admit(one, 50, later)) == 49
    assert one.under_way == 1


def test_each_failure_makes_the_rest_longer_but_those_of_one_moment_count_once() -> None:
    one = place()
    rests = []
    now = NOON
    for _ in range(12):
        for _ in range(4):
            one.failed(AWAY, now)
        pause = one.pause(now)
        assert pause is not None
        rests.append(pause)
        now += pause
    assert timedelta(seconds=30) < rests[0] < MINUTE < rests[2]
    assert rests == sorted(rests)
    assert rests[-1] <= timedelta(hours=1) + LONGEST_QUEUE


def test_one_mail_that_goes_makes_a_place_well_again() -> None:
    one = place()
    one.failed(AWAY, NOON)
    one.went(0.01)
    assert one.pause(NOON) is None
    assert len(admit(one, 50)) == 0
