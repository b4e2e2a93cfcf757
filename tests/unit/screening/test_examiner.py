from __future__ import annotations

import random

import pytest

from gateway.domain.verdict import Kind, Outcome, Unread, Unreadable
from gateway.screening.candidates import find_codes
from gateway.screening.chunk import Chunk, Form
from gateway.screening.context import Scan
from gateway.screening.detectors import DETECTORS
from gateway.screening.examiner import Examiner
from gateway.screening.normalise import read_views
from gateway.screening.numbers import find_numbers
from gateway.screening.policy import Policy
from gateway.screening.view import View
from tests.unit.screening.judging import judge, kinds

SECRET = "512-34-9876"


def test_nothing_printed_shows_a_value() -> None:
    examiner = Examiner(Policy(public_numbers=frozenset({SECRET})))
    shown = [repr(examiner), repr(Policy(public_numbers=frozenset({SECRET})))]
    for view in read_views(Chunk(f"SSN {SECRET} passport AB1234567", "body")):
        shown += [repr(view), *map(repr, find_numbers(view)), *map(repr, find_codes(view))]
        shown += [repr(sighting) for detect in DETECTORS for sighting in detect(Scan(view))]
    shown.append(repr(judge(f"SSN {SECRET}")))
    assert not [one for one in shown if "9876" in one or "1234567" in one]


def test_a_certain_finding_is_told_at_once() -> None:
    examiner = Examiner(Policy.default())
    examiner.take(Chunk("Good morning.", "subject"))
    assert not examiner.is_certain
    examiner.take(Chunk(f"My SSN is {SECRET}.", "body"))
    assert examiner.is_certain


def test_texts_of_one_length_are_each_examined() -> None:
    examiner = Examiner(Policy.default())
    said = f"My SSN is {SECRET}."
    examiner.take(Chunk("x" * len(said), "body"))
    examiner.take(Chunk(said, "body"))
    assert examiner.is_certain


@pytest.mark.parametrize("sign", ["\u202e", "\u202b", "\u2067"])
def test_what_each_sign_turns_round_is_read_turned(sign: str) -> None:
    assert [view.octets for view in read_views(Chunk(f"a {sign}6789", "body"))] == [b"a 6789", b"a \x019876\x02"]


def test_a_place_that_was_not_read_is_never_clean() -> None:
    examiner = Examiner(Policy.default())
    examiner.take(Unreadable("attachment 1", Unread.ENCRYPTED))
    assert examiner.verdict().outcome is Outcome.UNSCREENABLE


@pytest.mark.parametrize(
    "text", [f"SSN {SECRET}", "My SSN starts with 512, then 34, and ends with 9876.", "Doors open at seven.", ""]
)
def test_a_text_that_is_taken_again_as_it_is_or_as_markup_changes_nothing(text: str) -> None:
    once, thrice = Examiner(Policy.default()), Examiner(Policy.default())
    once.take(Chunk(text, "body"))
    for form in (Form.TEXT, Form.HTML, Form.TEXT):
        thrice.take(Chunk(text, "body", form))
    assert thrice.verdict() == once.verdict()


def test_one_number_said_twice_counts_once() -> None:
    assert [finding.count for finding in judge(f"SSN {SECRET}, again: SSN 512349876").findings] == [1]


def test_kinds_can_be_switched_off_and_public_numbers_allowed() -> None:
    text = f"SSN {SECRET}"
    assert judge(text, policy=Policy(kinds=frozenset({Kind.EIN}))).outcome is Outcome.CLEAN
    assert judge(text, policy=Policy(public_numbers=frozenset({"512 34 9876"}))).outcome is Outcome.CLEAN
    assert judge(text, policy=Policy(public_numbers=frozenset({"512 34 9877"}))).outcome is Outcome.TAINTED


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_a_threshold_outside_of_the_odds_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Policy(threshold=threshold)


def test_a_higher_threshold_finds_no_more() -> None:
    text = "Maria Lopez 512-34-9876"
    assert judge(text).findings
    assert not judge(text, policy=Policy(threshold=0.999)).findings


def test_the_order_of_chunks_does_not_matter() -> None:
    texts = ["My SSN", "Hello", "As promised: 512349876", "Regards"]
    outcomes = set()
    for seed in range(6):
        random.Random(seed).shuffle(texts)
        outcomes.add(frozenset(kinds(*texts)))
    assert len(outcomes) == 1


@pytest.mark.parametrize(
    "unit",
    [
        "1 ", "123 45 6789 ", "1\n", "one two three ", "QUJD", "31", "%31", "<b>", "<", "</p>", "<!--", "&#49;",
        "first 12 ", "\t", "一二三", "a 1 ", "name: x\n", "wages $5,000 John Smith ", ".", "'1'\"2\" ", "|1", "<style",
        "ssn passport born account ",
    ],
)  # fmt: skip
def test_hostile_text_makes_no_more_candidates_than_its_length_allows(unit: str) -> None:
    small, large = (unit * (length // len(unit)) for length in (4_000, 16_000))
    assert work(large) <= 6 * work(small) + 60


def work(text: str) -> int:
    """What is made of a text: characters of all its views, and candidates in them."""
    views = list(read_views(Chunk(text, "body")))
    return sum(
        len(view.octets) + sum(1 for _ in find_numbers(view)) + sum(1 for _ in find_codes(view)) for view in views
    )


def test_a_view_shows_its_place_only() -> None:
    assert "body" in repr(View(b"secret", "body"))
    assert "secret" not in repr(View(b"secret", "body"))
