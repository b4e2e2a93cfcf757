"""What authors are told of their own messages: choices, and what a report may repeat."""

from __future__ import annotations

import pytest

from gateway.domain.confirmation import Action, Asked, Wish, asked_of


@pytest.mark.parametrize(
    ("wish", "first", "further"),
    [(Wish.EACH, True, True), (Wish.FIRST, True, False), (Wish.DAILY, True, True), (Wish.NEVER, False, False)],
)
def test_a_wish_covers_the_messages_it_names(wish: Wish, first: bool, further: bool) -> None:
    assert (wish.covers(is_first=True), wish.covers(is_first=False)) == (first, further)


def test_what_was_asked_comes_back_as_it_was() -> None:
    asked = asked_of(
        "<one@agency.example>",
        "dana@agency.example",
        "QQ314159",
        (("FAILURE,SUCCESS", "rfc822;ines@tours.example", ("p1",)), ("NEVER", None, ("p2",)), ("", None, ("p3",))),
        wants_displayed=True,
    )
    assert Asked.from_bytes(asked.to_bytes()) == asked
    assert [one.notify for one in asked.recipients] == [{"SUCCESS", "FAILURE"}]


@pytest.mark.parametrize(
    "odd",
    ["", "one@agency.example", "<one>", "<a@b>\r\nX: y", "<a b@c>", "<" + "a" * 300 + "@b>", "<é@b>", "<a@b><c@d>"],
)
def test_a_message_id_that_is_none_is_not_repeated(odd: str) -> None:
    assert asked_of(odd, "dana@agency.example", None, (), wants_displayed=True).message_id == ""


@pytest.mark.parametrize("odd", ["two\r\nlines", "é", "a" * 300, " "])
def test_words_that_cannot_stand_in_a_report_are_left_out(odd: str) -> None:
    asked = asked_of("", "d@a.example", odd, (("SUCCESS", f"rfc822;{odd}", ("p1",)),), wants_displayed=False)
    assert asked.envelope_id == ""
    assert "\n" not in asked.recipients[0].original


def test_nobody_is_reported_of_who_is_told_of_nothing() -> None:
    assert not asked_of("", "d@a.example", "id", (("SUCCESS", None, ()),), wants_displayed=False).wants_reports


def test_each_action_is_asked_for_by_its_own_word() -> None:
    assert {one.asked_by for one in Action} == {"SUCCESS", "DELAY", "FAILURE"}
