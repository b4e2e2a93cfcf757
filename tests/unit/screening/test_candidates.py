from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import candidates
from gateway.screening import numbers as numbers_
from gateway.screening.candidates import CODES, find_codes
from gateway.screening.decoding import _TOKENS, decoded
from gateway.screening.detectors.asked import _ANSWERS, _find_answers
from gateway.screening.numbers import Number, find_numbers
from gateway.screening.sieve import LONG
from gateway.screening.spans import find_spans
from gateway.screening.view import View

DIGITS = st.text("0123456789", min_size=1, max_size=5)
SIGNS = st.sampled_from(("", " ", "-", ".", "/", ", ", "\n", "\t", " | ", "(", ") ", "--", "O", "l", "S", "a", " x "))
CHAINS = st.lists(st.builds("{}{}".format, DIGITS, SIGNS), max_size=14).map("".join)


def numbers(text: str) -> list[Number]:
    return list(find_numbers(View(text.encode(), "body")))


def numbers_cut_each_by_itself(text: str) -> list[Number]:
    found: list[Number] = []
    for match in numbers_.CHAINS.finditer(text.encode()):
        start, end = match.span()
        if not numbers_._DATE.match(text[start:end]):
            found += numbers_._numbers_of(text, start, end)
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


ALL_CODES = candidates._compile("|".join(CODES[name] for name in CODES if name != "iban"), longest=True)
SHAPED = st.sampled_from(tuple(CODES)).flatmap(
    lambda name: st.from_regex(CODES[name].replace(r"\b", ""), fullmatch=True)
)
PIECES = st.one_of(SHAPED, CHAINS, st.sampled_from(("the name", "Order 4711", "\n", "\n\n", "oil", "P", "SSN")))
# A sign that no code has between its characters: what overlaps is read either way.
TEXTS = st.lists(PIECES, max_size=6).map(" ;; ".join).map(lambda text: text.encode("ascii", "replace").decode())


@given(TEXTS)
def test_patterns_apart_find_each_code_that_one_pattern_of_all_finds(text: str) -> None:
    view = View(text.encode(), "body")
    found = {(code.start, code.end) for code in find_codes(view)}
    spans = [match.span() for match in ALL_CODES.finditer(view.octets)]
    wanted = {(first, last) for first, last in spans if view.has_digits or "<<<" in text[first:last]}
    assert all(any(start <= first and last <= end for start, end in found) for first, last in wanted)


GLUED = st.lists(st.one_of(PIECES, SIGNS, st.sampled_from("AaMO<&")), max_size=8).map("".join)


@given(GLUED)
def test_gates_let_through_each_line_that_has_a_code(text: str) -> None:
    assert_told_as_by_the_patterns(text)


@pytest.mark.parametrize("name", sorted(CODES.keys() - {"iban", "cf", "ptin"}))
@given(st.data())
def test_gates_let_through_each_shape(name: str, data: st.DataObject) -> None:
    code = data.draw(st.from_regex(CODES[name].replace(r"\b", ""), fullmatch=True))
    assert_told_as_by_the_patterns(f"no {code} \nand {code}")


def assert_told_as_by_the_patterns(text: str) -> None:
    octets = text.encode("ascii", "replace")
    for gate, pattern in candidates._CODES:
        lines = list(candidates._lines(gate, octets))
        assert all(b"\n" not in octets[start:end] for start, end in lines)
        told = [span for line in lines for span in find_spans(pattern, octets, *line)]
        assert told == list(find_spans(pattern, octets))


def test_a_line_without_a_code_is_not_looked_at() -> None:
    octets = b"Van at 10:30 on 5 May 2026\nOrder 4711 is paid\n"
    assert not any(list(candidates._lines(gate, octets)) for gate, _ in candidates._CODES)


@given(
    st.lists(
        st.one_of(CHAINS, st.sampled_from(("Sure: A1234567", "12/3/80, that's it", "Ann: 123456", "x"))), max_size=8
    )
)
def test_only_lines_with_digits_answer(lines: list[str]) -> None:
    view = View("\n".join(lines).encode(), "body")
    every = {match.span() for pattern in _ANSWERS for match in pattern.finditer(view.octets)}
    told = {(start, end) for start, end in every if sum(map(str.isdigit, view.text[start:end])) >= 3}
    assert told <= set(_find_answers(view))


@given(st.lists(st.from_regex("|".join(pattern.pattern.decode() for pattern in _TOKENS), fullmatch=True), max_size=4))
def test_tokens_are_found_by_patterns_apart_as_by_one(tokens: list[str]) -> None:
    octets = " ;; ".join(tokens).encode("ascii", "replace")
    one = re2.compile(b"|".join(pattern.pattern for pattern in _TOKENS))
    apart = {match.span() for pattern in _TOKENS for match in pattern.finditer(octets)}
    assert all(
        any(start <= match.start() and match.end() <= end for start, end in apart) for match in one.finditer(octets)
    )


def test_a_text_full_of_encoded_tokens_grows_no_more_than_a_few_times() -> None:
    for token in ("NTEyLTM0LTk4NzY= ", "3531322d33342d39383736 "):
        text = token * (30_000 // len(token))
        assert len(decoded(View(text.encode(), "body"))) < 3 * len(text)


def test_each_of_many_encoded_tokens_keeps_the_words_beside_it() -> None:
    text = "".join(f"no {at} NTEyLTM0LTk4NzY= is told;\n" for at in range(300))
    told = decoded(View(text.encode(), "body"))
    assert told.count("512-34-9876") == 300
    assert all(f"no {at} \ufdd0" in told for at in (0, 150, 299))
    assert told.count("\ufdd1 is told;") == 300


def test_a_long_text_shows_the_codes_and_tokens_of_a_short_one() -> None:
    short = "RSSMRA85T10A562S or 12345678Z, 98Q96B.00000.LE.250;\nNTEyLTM0LTk4NzY= as well\n"
    long = "Nothing is told in this line.\n" * (LONG // 25) + short
    found, also = (
        [(code.value, code.shapes) for code in find_codes(View(text.encode(), "body"))] for text in (short, long)
    )
    assert len(found) >= 3
    assert sorted(found) == sorted(also)
    assert "512-34-9876" in decoded(View(long.encode(), "body"))
