from __future__ import annotations

import pytest

from gateway.domain.cover_sheet import new_reference, reference_in


def test_a_reference_is_drawn_and_read_again() -> None:
    for trial in (True, False):
        reference = new_reference(trial=trial)
        assert reference.startswith("T-CS-" if trial else "CS-")
        assert reference_in(reference) == reference
        assert reference_in(f"\n{reference.lower()} ") == reference


def test_references_are_drawn_from_the_whole_alphabet_and_do_not_repeat() -> None:
    drawn = {new_reference(trial=False) for _ in range(2000)}
    assert len(drawn) == 2000
    assert len({letter for one in drawn for letter in one.removeprefix("CS-")}) == 32  # 31 and the hyphen


@pytest.mark.parametrize(
    "text", ["", "CS-7K2Q", "SM-7K2Q-9F4T", "CS-7K2Q-9F4O", "CS7K2Q9F4T", "x CS-7K2Q-9F4T", "CS-7K2Q-9F4T-2222", "\0"]
)
def test_anything_else_is_no_reference_of_a_sheet(text: str) -> None:
    assert reference_in(text) == ""
