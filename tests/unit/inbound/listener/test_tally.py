from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound import replies
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.tally import CONNECTIONS, OCTETS, TAKEN, Tally

PROCESSES = 3
NAMES = [f"192.0.2.{number}" for number in range(12)]
STEPS = st.lists(st.tuples(st.integers(0, PROCESSES - 1), st.sampled_from(NAMES), st.booleans()), max_size=60)


def occupancies(limits: DoorLimits) -> tuple[Tally, list[Occupancy]]:
    tally = Tally(PROCESSES, limits.connections)
    return tally, [Occupancy(limits, tally.column(process)) for process in range(PROCESSES)]


@given(STEPS)
def test_no_count_of_a_name_is_less_than_it_is(steps: list[tuple[int, str, bool]]) -> None:
    tally = Tally(PROCESSES, 1)
    columns = [tally.column(process) for process in range(PROCESSES)]
    counted: Counter[tuple[int, str]] = Counter()
    for process, name, leaves in steps:
        change = -1 if leaves and counted[process, name] else 1
        columns[process].count_name(name, change)
        counted[process, name] += change
    for process, column in enumerate(columns):
        for name in NAMES:
            true = sum(counted[other, name] for other in range(PROCESSES) if other != process)
            assert column.elsewhere(name) >= true


@given(STEPS, st.integers(1, 4), st.integers(3, 20))
def test_all_processes_together_keep_the_limits_as_one_would(
    steps: list[tuple[int, str, bool]], per_address: int, connections: int
) -> None:
    limits = DoorLimits(connections=connections, connections_per_address=per_address)
    alone = Occupancy(limits)
    tally, several = occupancies(limits)
    inside: Counter[tuple[int, str]] = Counter()
    for process, name, leaves in steps:
        if leaves and inside[process, name]:
            several[process].leave(name)
            alone.leave(name)
            inside[process, name] -= 1
        else:
            reply = alone.enter(name)
            assert several[process].enter(name) == reply
            inside[process, name] += reply is None
        assert {one.total for one in several} == {alone.total} == {inside.total()}
        assert {one.is_stressed for one in several} == {alone.is_stressed}
    assert [tally.value(process, CONNECTIONS) for process in range(PROCESSES)] == [
        sum(count for (other, _), count in inside.items() if other == process) for process in range(PROCESSES)
    ]


def test_a_crowd_of_addresses_is_not_taken_for_one() -> None:
    limits = DoorLimits(connections=1000, connections_per_address=2)
    _, several = occupancies(limits)
    replied = [several[number % 2].enter(f"10.0.{number // 250}.{number % 250}") for number in range(1000)]
    assert replied == [None] * 1000


def test_octets_under_way_anywhere_leave_less_room_everywhere() -> None:
    _, (first, second, third) = occupancies(DoorLimits(in_flight_octets=100))
    first.hold(60)
    second.hold(30)
    assert third.octets == 90
    assert third.has_room(10)
    assert not third.has_room(11)
    first.release(60)
    assert third.has_room(70)


def test_what_a_dead_process_had_counted_is_cleared_and_nothing_else() -> None:
    limits = DoorLimits(connections=4, connections_per_address=2)
    tally, (first, second, _) = occupancies(limits)
    assert [one.enter("192.0.2.1") for one in (first, second)] == [None, None]
    first.hold(7)
    tally.column(0).add(TAKEN, 3)
    assert second.enter("192.0.2.1") is replies.TOO_MANY_FROM_YOU
    tally.clear(0)
    assert [tally.value(0, count) for count in (CONNECTIONS, OCTETS, TAKEN)] == [0, 0, 0]
    assert second.total == 1
    assert second.octets == 0
    assert second.enter("192.0.2.1") is None
    assert second.enter("192.0.2.1") is replies.TOO_MANY_FROM_YOU


def test_two_tallies_do_not_count_a_name_in_the_same_places() -> None:
    assert Tally(2, 1000).places_of("192.0.2.1") != Tally(2, 1000).places_of("192.0.2.1")
