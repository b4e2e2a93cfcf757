"""How long guessers wait, and who does not."""

from __future__ import annotations

from gateway.inbound.listener.guesses import Guesses
from gateway.inbound.listener.limits import DoorLimits, Occupancy


def test_an_address_is_answered_one_wrong_password_a_second() -> None:
    guesses = Guesses(1.0)
    assert [guesses.fail("192.0.2.1", 100.0) for _ in range(4)] == [1.0, 2.0, 3.0, 4.0]
    assert guesses.fail("192.0.2.1", 104.0) == 1.0


def test_nobody_waits_for_more_than_five_answers() -> None:
    guesses = Guesses(1.0)
    assert [guesses.fail("192.0.2.1", 100.0) for _ in range(50)][-1] == 5.0
    assert guesses.wait("192.0.2.1", 100.0) == 5.0
    assert guesses.wait("192.0.2.1", 105.0) == 0.0


def test_who_hangs_up_and_comes_again_is_greeted_no_sooner() -> None:
    guesses = Guesses(1.0)
    guesses.fail("192.0.2.1", 100.0)
    assert guesses.wait("192.0.2.1", 100.25) == 0.75


def test_no_other_address_waits() -> None:
    occupancy = Occupancy(DoorLimits())
    for _ in range(50):
        occupancy.guess("2001:db8:0:1::7", 100.0)
    assert occupancy.pause("2001:db8:0:1::8", 100.0) > 0
    assert occupancy.pause("2001:db8:0:2::7", 100.0) == 0
    assert occupancy.pause("192.0.2.1", 100.0) == 0


def test_what_is_remembered_is_bounded_and_the_last_guesser_is_in_it() -> None:
    guesses = Guesses(1.0)
    for number in range(50_000):
        guesses.fail(str(number), 100.0)
    assert guesses.wait("0", 100.0) == 0.0
    assert guesses.wait("49999", 100.0) == 1.0
