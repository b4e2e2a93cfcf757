from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import candidates
from gateway.screening.candidates import Number, find_numbers
from gateway.screening.view import View

DIGITS = st.text("0123456789", min_size=1, max_size=5)
SIGNS = st.sampled_from(("", " ", "-", ".", "/", ", ", "\n", "\t", " | ", "(", ") ", "--", "O", "l", "S", "a", " x "))
CHAINS = st.lists(st.builds("{}{}".format, DIGITS, SIGNS), max_size=14).map("".join)


def numbers(text: str) -> list[Number]:
    return list(find_numbers(View(text.encode(), "body")))


def numbers_cut_each_by_itself(text: str) -> list[Number]:
    found: list[Number] = []
    for match in candidates._NUMBERS.finditer(text.encode()):
        start, end = match.span()
        if not candidates._DATE.match(text[start:end]):
            found += candidates._numbers_of(text, start, end)
    return [number for number in found if not is_address(text[number.start : number.end])]


def is_address(dotted: str) -> bool:
    parts = dotted.split(".")
    return len(parts) == 4 and all(part.isdigit() and len(part) < 4 and int(part) < 256 for part in parts)


@given(CHAINS)
def test_chains_that_look_alike_are_cut_as_each_would_be_by_itself(text: str) -> None:
    assert numbers(text) == numbers_cut_each_by_itself(text)


def test_the_digits_are_those_of_each_chain() -> None:
    told = [number.digits for number in numbers("536-41-2879 and then 899-42-1234 or 536 41 2879")]
    assert told == ["536412879", "899421234", "536412879"]
