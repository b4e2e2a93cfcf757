from __future__ import annotations

from gateway.screening.memory import DAY_SECONDS, MOST, FailureMemory


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_failures_of_a_mail_are_counted() -> None:
    memory = FailureMemory(Clock())
    assert memory.failures(b"A: b\r\n\r\nbody") == 0
    assert memory.note(b"A: b\r\n\r\nbody") == 1
    assert memory.note(b"A: b\r\n\r\nbody") == 2
    assert memory.failures(b"A: b\r\n\r\nbody") == 2
    assert memory.failures(b"A: b\r\n\r\nother") == 0


def test_a_mail_is_known_again_under_another_trace() -> None:
    memory = FailureMemory(Clock())
    memory.note(b"Received: from one\r\nSubject: x\r\n\r\nbody")
    assert memory.failures(b"Received: from two\r\nReceived: from one\r\nSubject: x\r\n\r\nbody") == 1


def test_a_mail_without_a_body_is_known_by_its_header() -> None:
    memory = FailureMemory(Clock())
    memory.note(b"From: .......\r\n\r\n")
    assert memory.failures(b"From: .......\r\n\r\n") == 1
    assert memory.failures(b"From: other\r\n\r\n") == 0


def test_a_day_later_it_is_forgotten() -> None:
    clock = Clock()
    memory = FailureMemory(clock)
    memory.note(b"mail")
    clock.now += DAY_SECONDS - 1
    assert memory.failures(b"mail") == 1
    clock.now += 1
    assert memory.failures(b"mail") == 0
    assert memory.note(b"mail") == 1


def test_it_holds_a_bounded_number_and_forgets_the_oldest() -> None:
    memory = FailureMemory(Clock())
    for number in range(MOST + 1):
        memory.note(str(number).encode())
    assert memory.failures(b"0") == 0
    assert memory.failures(str(MOST).encode()) == 1


def test_nothing_of_a_mail_is_kept_and_no_hash_that_another_could_make() -> None:
    first, second = FailureMemory(Clock()), FailureMemory(Clock())
    first.note(b"mail")
    second.note(b"mail")
    assert first._failed.keys() != second._failed.keys()
    assert all(len(name) == 16 for name in first._failed)
