from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.reference import ALPHABET, PART_LENGTH, Reference, find, parse, random_part

PARTS = st.text(alphabet=ALPHABET, min_size=PART_LENGTH, max_size=PART_LENGTH)
REFERENCES = st.builds(
    Reference,
    series=st.text(alphabet="ABCXYZ", min_size=2, max_size=4),
    case=PARTS,
    message=st.one_of(st.just(""), PARTS),
    trial=st.booleans(),
)


@given(REFERENCES)
def test_what_is_written_reads_back_in_any_letter_case(reference: Reference) -> None:
    assert parse(str(reference)) == parse(str(reference).lower()) == parse(f" {reference}\n") == reference


@given(REFERENCES)
def test_a_case_and_its_messages_know_each_other(reference: Reference) -> None:
    assert reference.of_case.message == ""
    assert reference.of_case.with_message("2345").of_case == reference.of_case
    assert parse(reference.local_part) == reference.of_case


@pytest.mark.parametrize("letter", "01ILOilo.-ÀS ")
def test_letters_that_people_mistake_are_in_no_reference(letter: str) -> None:
    if letter != "S":
        assert letter not in ALPHABET
        with pytest.raises(ValueError, match="not a reference"):
            parse(f"SM-7K2{letter}")


@pytest.mark.parametrize(
    "text",
    ["", "SM", "SM-7K2", "SM-7K2QQ", "S-7K2Q", "SMSMS-7K2Q", "SM7K2Q", "SM-7K2Q-", "SM-7K2Q-9F4", "SM-7K2Q-9F4T-9F4T",
     "X-SM-7K2Q", "SM-7K2Q@x", "SM–7K2Q"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        parse(text)


def test_a_reference_made_of_wrong_parts_is_refused() -> None:
    for parts in (("SM", "7K2"), ("sm", "7K2Q"), ("SM", "7K2Q", "1111"), ("SM-X", "7K2Q")):
        with pytest.raises(ValueError, match="not a reference"):
            Reference(*parts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Re: [SM-7K2Q] your letter", ["SM-7K2Q"]),
        ("aw: sm-7k2q-9f4t, and T-SM-2222", ["SM-7K2Q-9F4T", "T-SM-2222"]),
        ("SM-7K2Q SM-7K2Q", ["SM-7K2Q", "SM-7K2Q"]),
        ("(SM-7K2Q)", ["SM-7K2Q"]),
        ("XT-SM-7K2Q", []),
        ("ASM-7K2QB", []),
        ("SM-7K2Q9", []),
        ("SM-7K2Q-", []),
        ("SM-7K2Q-9F4TT", []),
        ("", []),
    ],
)
def test_references_are_found_in_a_subject(text: str, found: list[str]) -> None:
    assert [str(reference) for reference in find(text)] == found


@given(st.text(), REFERENCES, st.text())
def test_a_reference_among_other_words_is_found(before: str, reference: Reference, after: str) -> None:
    assert reference in list(find(f"{before} [{reference}] {after}"))


def test_random_parts_have_the_form_and_use_the_whole_alphabet() -> None:
    parts = {random_part() for _ in range(2000)}
    assert len(parts) > 1990
    assert {letter for part in parts for letter in part} == set(ALPHABET)
    assert all(len(part) == PART_LENGTH for part in parts)
    assert random_part(lambda _: 0) == ALPHABET[0] * PART_LENGTH
    assert random_part(lambda many: many - 1) == ALPHABET[-1] * PART_LENGTH
