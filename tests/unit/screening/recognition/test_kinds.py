"""Which form a page is taken for, by words at places: titles and names by themselves, and the same in a letter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.domain.layout import Leaf
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from gateway.screening.extraction.combs import Box
from gateway.screening.recognition import kinds
from gateway.screening.recognition.headings import Headings
from gateway.screening.recognition.kinds import Kind
from gateway.screening.recognition.phrases import likeness
from gateway.screening.recognition.words import Line, Word

LAYOUTS = load_programme(programmes_folder() / "cwa").layouts
FORMS = {form.form: form for form in LAYOUTS.forms}
LARGE, USUAL = 40, 20


def line(top: int, text: str, high: int = USUAL, left: int = 100) -> Line:
    """Words of so many pixels high, a blank between; two or more blanks are a gap between fields."""
    words = []
    for piece in text.split(" "):
        if piece:
            words.append(Word(piece, Box(left, top, left + len(piece) * high // 2, top + high), 90.0))
        left += (len(piece) * high // 2 + high // 3) if piece else 3 * high
    return Line(tuple(words))


def page(*texts: str, title: Sequence[str] = ()) -> list[Line]:
    large = [line(100 + at * 50, text, LARGE) for at, text in enumerate(title)]
    return [*large, *(line(400 + at * 60, text) for at, text in enumerate(texts))]


def taken(lines: Sequence[Line], before: str = "") -> tuple[str, Leaf] | None:
    kind = kinds.judge(lines, LAYOUTS, FORMS.get(before))
    return (kind.form.form, kind.leaf) if kind and kind.weight >= kinds.ENOUGH else None


def test_a_title_in_large_letters_of_its_own_is_enough_though_nothing_else_can_be_read() -> None:
    lines = page("Daul ne re", "cf Yc 159C0R", "ac adcress", title=["Tax Information Authorizat on"])
    assert taken(lines) == ("Form 8821", Leaf.FIRST)


def test_a_title_is_read_over_several_lines_beside_the_forms_number() -> None:
    title = [
        "Form 15410  Taxpayer Agreement and",
        "(Rev 6-2023)  Disclosure Authorization to",
        "Treasury  Designated Users",
    ]
    assert taken([line(100 + at * 50, text, LARGE) for at, text in enumerate(title)]) == ("Form 15410", Leaf.FIRST)


@pytest.mark.parametrize(
    "text",
    [
        "As to Form 15410, Taxpayer Agreement and Disclosure Authorization to Designated Users: the",
        "Attached is Form 8821, Tax Information Authorization, signed by the taxpayer.",
        "We have sent Form 13930, Application for Central Withholding Agreement, on the tenth and",
        "Please find enclosed Form 2848, Power of Attorney and Declaration of Representative, for",
    ],
)
def test_a_letter_that_tells_name_and_title_of_a_form_in_a_sentence_is_none(text: str) -> None:
    lines = page("Dear Sir or Madam,", text, "Can you sign it today? The bus leaves at noon.", "Sincerely,")
    assert taken(lines) is None


def test_the_name_that_runs_at_the_head_of_a_page_with_its_number_tells_a_later_page() -> None:
    lines = page(
        "Form 13930 (Rev. March 2025)    Page 2",
        "A central withholding agreement must be filed 45 days before, so time is short.",
        "Applicant declaration",
    )
    assert taken(lines) == ("Form 13930", Leaf.LATER)


def test_a_page_of_which_little_is_read_goes_on_with_the_form_before_it() -> None:
    lines = page("Form 2848 tbc", "7 Taxpayer declaration and signature. If a matter concerns a year", "Designation")
    assert taken(lines) is None
    assert taken(lines, before="Form 2848") == ("Form 2848", Leaf.LATER)
    assert taken(lines, before="Form 8821") is None
    assert taken([*lines, line(1000, "Sincerely,")], before="Form 2848") is None


def test_a_page_with_nothing_of_a_form_is_none_whatever_was_before_it() -> None:
    assert taken(page("Tour budget", "Ravens Pavilion  $92,994", "Miami  238,451 USD"), before="Form 13930") is None


@pytest.mark.parametrize(
    ("title", "form"),
    [
        (["Application for Central Withholding", "Agreement"], "Form 13930"),
        (["Application for Central Withholding", "Agreement Less than $10,000"], "Form 13930-A"),
        (["Application for Central Withholding", "Agreement    less than $10,000!"], "Form 13930-A"),
        (["Application for Central Withholding", "Agreement (Income fess than $10,000)"], "Form 13930-A"),
    ],
)
def test_of_two_titles_that_begin_alike_the_rest_decides(title: Sequence[str], form: str) -> None:
    assert taken(page("SSN or ITIN", "Date of event", title=title)) == (form, Leaf.FIRST)


def test_confidence_is_low_where_two_forms_are_as_likely() -> None:
    form = LAYOUTS.forms[0]
    assert Kind(form, Leaf.FIRST, 0.9, 0.0).confidence == 50
    assert Kind(form, Leaf.FIRST, 0.9, 0.6).confidence == 90


def test_a_name_in_a_sentence_is_no_imprint() -> None:
    assert Headings(page("Form 2848, Power of Attorney, was sent")).imprint(["Form 2848"]) == 0
    assert Headings(page("As to Form 2848")).imprint(["Form 2848"]) == 0
    assert Headings(page("Catalog Number 14637X Form 2848 (Rey. 1-2026)")).imprint(["Form 2848"]) == 1


@pytest.mark.parametrize(
    ("wanted", "text", "like"),
    [
        ("agreement", "theagreementof", (1.0, 3, 12)),
        ("agreement", "theagroementof", (1 - 1 / 9, 3, 12)),
        ("agreement", "theagrementof", (1 - 1 / 9, 3, 11)),
        ("agreement", "", (0.0, 0, 0)),
        ("ab", "xyz", (0.0, 0, 0)),
        ("ab", "xaab", (1.0, 2, 4)),
    ],
)
def test_the_stretch_that_agrees_best_is_found(wanted: str, text: str, like: tuple[float, int, int]) -> None:
    assert likeness(wanted, text) == pytest.approx(like)
