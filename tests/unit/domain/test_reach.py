"""What news makes of an address, and what codes mean."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain.reach import (
    COUNT_ONCE,
    DECAY,
    FAILURES_TO_DEATH,
    QUIET,
    AddressState,
    Condition,
    Reason,
    Report,
    ReportKind,
    is_hard,
    may_kill,
    reason_of,
)

NOW = 1_800_000_000_000_000


def us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def failed(times: int, apart: timedelta) -> AddressState:
    state = AddressState()
    for number in range(times):
        state = state.failed(Reason.FULL, NOW + number * us(apart))
    return state


def test_an_address_that_is_wrong_is_dead_at_once() -> None:
    state = AddressState().failed(Reason.UNKNOWN_MAILBOX, NOW, is_hard=True)
    assert (state.condition, state.reason, state.since_us) == (Condition.DEAD, Reason.UNKNOWN_MAILBOX, NOW)


def test_soft_failures_kill_when_they_go_on() -> None:
    assert failed(FAILURES_TO_DEATH - 1, COUNT_ONCE).condition is Condition.FAILING
    assert failed(FAILURES_TO_DEATH, COUNT_ONCE).condition is Condition.DEAD


def test_many_failures_at_once_count_as_one() -> None:
    assert failed(50, timedelta(minutes=1)).failures == 1
    assert failed(50, timedelta(minutes=1)).condition is Condition.FAILING


def test_failures_that_lie_far_apart_do_not_add_up() -> None:
    state = failed(20, DECAY)
    assert (state.condition, state.failures) == (Condition.FAILING, 1)


def test_a_report_on_somebody_else_never_kills() -> None:
    state = AddressState()
    for number in range(20):
        state = state.failed(Reason.UNKNOWN_MAILBOX, NOW + number * us(COUNT_ONCE), is_hard=True, may_die=False)
    assert (state.condition, state.failures) == (Condition.FAILING, 1)


def test_the_dead_stay_dead() -> None:
    dead = AddressState().failed(Reason.UNKNOWN_MAILBOX, NOW, is_hard=True)
    assert dead.failed(Reason.FULL, NOW + 1, may_die=False).condition is Condition.DEAD
    assert dead.delayed(Reason.SYSTEM, NOW + 1) == dead
    assert dead.healed(NOW + us(DECAY * 10)) == dead
    assert dead.since_us == dead.failed(Reason.FULL, NOW + 5).since_us == NOW


def test_a_delay_ends_with_the_next_mail_that_is_taken() -> None:
    late = AddressState().delayed(Reason.SYSTEM, NOW)
    assert (late.condition, late.reason) == (Condition.DELAYED, Reason.SYSTEM)
    assert late.taken(NOW + 1).condition is Condition.GOOD


def test_a_failing_address_heals_when_a_mail_was_taken_and_came_not_back() -> None:
    taken = failed(1, COUNT_ONCE).taken(NOW + 1)
    assert taken.condition is Condition.FAILING
    assert taken.healed(NOW + us(QUIET)).condition is Condition.FAILING
    assert taken.taken(NOW + us(QUIET)).healed(NOW + 1 + us(QUIET)).condition is Condition.GOOD
    again = taken.failed(Reason.FULL, NOW + us(COUNT_ONCE))
    assert again.healed(NOW + us(QUIET) * 3).condition is Condition.FAILING
    assert again.arrived(NOW + us(QUIET)).condition is Condition.GOOD


def test_old_news_counts_no_more() -> None:
    assert failed(1, COUNT_ONCE).healed(NOW + us(DECAY)).condition is Condition.GOOD
    assert AddressState().delayed(Reason.SYSTEM, NOW).healed(NOW + us(DECAY)).condition is Condition.GOOD


def test_a_complaint_outlives_the_healing() -> None:
    state = failed(1, COUNT_ONCE).complained(NOW + 5).arrived(NOW + 6)
    assert (state.condition, state.complained_us, state.is_of_interest) == (Condition.GOOD, NOW + 5, True)
    assert not AddressState().is_of_interest


@pytest.mark.parametrize(
    ("enhanced", "reason", "hard"),
    [
        ("5.1.1", Reason.UNKNOWN_MAILBOX, True),
        ("5.1.0", Reason.UNKNOWN_MAILBOX, True),
        ("5.1.2", Reason.UNKNOWN_DOMAIN, True),
        ("5.1.10", Reason.UNKNOWN_DOMAIN, True),
        ("5.1.3", Reason.BAD_ADDRESS, True),
        ("5.1.6", Reason.MOVED, True),
        ("5.1.7", Reason.NOT_TAKEN, False),
        ("5.1.8", Reason.NOT_TAKEN, False),
        ("4.1.1", Reason.UNKNOWN_MAILBOX, False),
        ("5.2.1", Reason.DISABLED, False),
        ("5.2.2", Reason.FULL, False),
        ("5.2.3", Reason.TOO_LARGE, False),
        ("5.3.4", Reason.TOO_LARGE, False),
        ("5.3.2", Reason.SYSTEM, False),
        ("4.4.7", Reason.UNREACHABLE, False),
        ("5.4.6", Reason.LOOP, False),
        ("5.6.1", Reason.NOT_TAKEN, False),
        ("5.7.1", Reason.UNWANTED, False),
        ("5.7.10", Reason.NOT_SECURE, False),
        ("5.0.0", Reason.UNSPECIFIED, False),
        ("", Reason.UNSPECIFIED, False),
        ("nonsense", Reason.UNSPECIFIED, False),
    ],
)
def test_codes_have_one_meaning_in_words(enhanced: str, reason: Reason, hard: bool) -> None:
    assert (reason_of(enhanced), is_hard(enhanced)) == (reason, hard)


@pytest.mark.parametrize(
    ("enhanced", "kills"),
    [
        ("5.1.1", True), ("5.2.2", True), ("4.4.7", True), ("5.0.0", True), ("", True), ("5.1.8", False),
        ("5.7.1", False), ("5.6.1", False), ("5.3.2", False), ("4.7.5", False),
    ],
)  # fmt: skip
def test_what_is_about_our_mail_or_their_system_never_kills(enhanced: str, kills: bool) -> None:
    assert may_kill(enhanced) is kills


def test_every_reason_has_words_that_are_a_sentence() -> None:
    words = [reason.words for reason in Reason]
    assert len(set(words)) == len(words)
    assert all(one.endswith(".") and one[0].isupper() for one in words)


def test_a_report_holds_a_code_or_none() -> None:
    with pytest.raises(ValueError, match="status code"):
        Report(ReportKind.FAILED, "550")
