"""What passes between the guard's pool and its children, and what is sealed there."""

from __future__ import annotations

import json

import pytest
from cryptography.exceptions import InvalidTag

from gateway.domain.guard import HPKE_SUITES, MOST_NUMBERS, NumbersKey, numbers_info, read_numbers
from gateway.screening.examiner import Examiner
from gateway.screening.numbers_template import POLICY
from gateway.screening.protocol import BadAnswer
from gateway.screening.screen import screen
from gateway.screening.wanted import SealedNumbers, Wanted
from gateway.store.pairs import new_pair, read_private


@pytest.mark.parametrize("suite", [1, 2])
def test_numbers_open_with_the_private_half_and_for_their_own_message_alone(suite: int) -> None:
    private, public = new_pair(suite)
    sealed = NumbersKey(suite, public).seal({"667113456", "536221188"}, "one")
    opened = HPKE_SUITES[suite].decrypt(sealed, read_private(private), numbers_info(suite, "one"))
    assert read_numbers(opened) == ("536221188", "667113456")
    with pytest.raises(InvalidTag):
        HPKE_SUITES[suite].decrypt(sealed, read_private(private), numbers_info(suite, "two"))


@pytest.mark.parametrize("told", ["x", ["1"], [12], {"a": 1}, ["123456789"] * (MOST_NUMBERS + 1), ["12345678x"]])
def test_what_is_no_list_of_numbers_is_refused(told: object) -> None:
    with pytest.raises(ValueError, match=r"number|list"):
        read_numbers(json.dumps(told).encode())


def test_what_a_child_gets_is_what_was_sent() -> None:
    wanted = Wanted("one", NumbersKey(1, new_pair(1)[1]), b"Subject: x\r\n\r\ntext\x00")
    assert Wanted.decode(wanted.encode()) == wanted


_REST = b',"lacks_pages":false}'


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"[]",
        b'{"numbers":1,"partly":false' + _REST,
        b'{"numbers":"*","partly":false' + _REST,
        b'{"numbers":"","partly":0' + _REST,
        b'{"numbers":"","partly":false}',
        pytest.param(b"x" * 70_000, id="long"),
    ],
)
def test_an_answer_in_other_words_is_none(packet: bytes) -> None:
    with pytest.raises(BadAnswer):
        SealedNumbers.decode(packet)


@pytest.mark.parametrize("text", ["SSN 536-22-1188", "see 536221188 there", "536 22 1188"])
def test_a_look_at_all_sees_a_number_that_hardly_counts(text: str) -> None:
    examiner = Examiner(POLICY, looks_at_all=True)
    screen(f"Subject: x\r\n\r\n{text}\r\n".encode(), POLICY, examiner=examiner)
    assert examiner.numbers() == {"536221188"}
