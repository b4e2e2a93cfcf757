"""A remote reply becomes a short, plain outcome."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.delivery import MAX_TEXT, Delivery, DeliveryState, from_reply


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (250, DeliveryState.DELIVERED),
        (421, DeliveryState.DELAYED),
        (451, DeliveryState.DELAYED),
        (550, DeliveryState.FAILED),
        (354, DeliveryState.DELAYED),
        (-1, DeliveryState.DELAYED),
        (0, DeliveryState.DELAYED),
    ],
)
def test_the_first_digit_decides(code: int, state: DeliveryState) -> None:
    assert from_reply(code, "whatever").state is state


def test_an_enhanced_code_is_taken_when_it_agrees() -> None:
    assert from_reply(550, "5.1.1 no such user").enhanced == "5.1.1"
    assert from_reply(550, "5.1.1").enhanced == "5.1.1"
    assert from_reply(450, "5.1.1 no such user").enhanced == ""
    assert from_reply(550, "5.1.1no").enhanced == ""


def test_addresses_in_the_remote_words_are_left_out() -> None:
    words = from_reply(550, "5.1.1 <ann@agent.example>: user bob@agent.example unknown").text
    assert "agent.example" not in words
    assert words == "(address): user (address) unknown"


@given(st.integers(-10, 1000), st.text(), st.sampled_from([None, *DeliveryState]))
def test_any_reply_makes_a_short_printable_outcome(code: int, words: str, state: DeliveryState | None) -> None:
    made = from_reply(code, words, state)
    assert len(made.text) <= MAX_TEXT
    assert str(made).isascii()
    assert not made.text or made.text.isprintable()
    assert "@" not in made.text or " @" in f" {made.text}" or "@ " in f"{made.text} "


def test_an_outcome_that_could_not_be_kept_is_not_made() -> None:
    for bad in ({"code": 99}, {"enhanced": "5.1"}, {"text": "two\nlines"}, {"text": "x" * 161}, {"text": "é"}):
        with pytest.raises(ValueError):
            Delivery(DeliveryState.FAILED, **bad)  # type: ignore[arg-type]
