"""What is looked for in a quick way is what the pattern alone would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import facts
from gateway.screening.detectors import birth, filled_form
from gateway.screening.view import View

FORMS = st.lists(
    st.sampled_from(
        [
            "Name",
            "name of",
            "Income",
            "line",
            "SSN",
            " ",
            ": ",
            "\t",
            "|",
            "...",
            "____",
            "\n",
            "12",
            "a) ",
            "line 4. ",
            "> ",
            "-",
            "_",
        ]
    )
).map("".join)
BIRTHS = st.lists(st.sampled_from(["Ann Lee", ", ", " ", "(", "b. ", "b.", "* ", "*", "3/5/80", "March 5", "x"])).map(
    "".join
)


@given(FORMS)
def test_fields_that_count_are_those_that_the_pattern_finds_in_the_whole_text(text: str) -> None:
    found = [match.groups() for match in filled_form._fields(View(text.encode(), "body"))]
    for field in filled_form._LINE.finditer(text):
        if facts.phrase_of(field.group(1)) in facts.NAME_FIELDS | facts.FACT_FIELDS:
            assert field.groups() in found


@given(BIRTHS)
def test_signs_of_birth_are_those_that_the_pattern_finds_in_the_whole_text(text: str) -> None:
    may = (found.start() + 1 for found in birth._MAY_SIGN.finditer(text.encode()))
    signs = [sign.span() for sign in (birth._SIGN.match(text, start) for start in may) if sign]
    assert signs == [sign.span() for sign in birth._SIGN.finditer(text)]
