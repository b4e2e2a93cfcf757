from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.verdict import Kind
from gateway.screening.chunk import Form
from tests.unit.screening.judging import judge, kinds

PLAIN = "Dear Ms. Mercer,\n\nthe van is late and the hotel moved breakfast to eight.\n\n{}\n\nKind regards,\nPaula\n"
AREAS = st.integers(1, 899).filter(lambda area: area != 666)
NUMBERS = st.tuples(AREAS, st.integers(1, 99), st.integers(1, 9999)).map(
    lambda three: "{:03}-{:02}-{:04}".format(*three)
)
SEPARATORS = st.sampled_from(
    [
        "-",
        " ",
        ".",
        "/",
        "_",
        " - ",
        "\u2013",
        "\u2011",
        "\u00a0",
        "\u2009",
        "\u200b-\u200b",
        "-\n",
        "\t",
        "|",
        "</b>-<b>",
    ]
)
DIGITS = st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⓪①②③④⑤⑥⑦⑧⑨"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("My SSN is 512-34-9876.", Kind.SSN),
        ("ssn: 512349876", Kind.SSN),
        ("S.S.N. 512.34.9876", Kind.SSN),
        ("512-34-9876 (social security number)", Kind.SSN),
        ("Número de seguro social: 512 34 9876", Kind.SSN),
        ("Sozialversicherungsnummer 512349876", Kind.SSN),
        ("номер паспорта позже, SSN 512349876", Kind.SSN),
        ("Maria Lopez 512-34-9876", Kind.SSN),
        ("ITIN 912-70-1234", Kind.ITIN),
        ("her tax id is 912 55 1234", Kind.ITIN),
        ("ATIN 912-93-1234", Kind.ATIN),
        ("EIN: 12-3456788", Kind.EIN),
        ("Employer identification number 123456788", Kind.EIN),
        ("QI-EIN 98-1234567", Kind.QI_EIN),
    ],
)
def test_a_number_with_its_words_is_found(text: str, kind: Kind) -> None:
    assert kinds(PLAIN.format(text)) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "Order no. 512-34-9876 has shipped.",
        "Part number 512-34-9876, four pieces",
        "Material no. 512-34-9876",
        "Description\tPart no.\tQty\nLamp\t512-34-9876\t3\nDesk\t513-34-9876\t1",
        "Call 512-349-8765 or +49 512 349876",
        "Zip 51234-9876",
        "Invoice 512349876",
        "https://shop.example/item/512349876?ref=512-34-9876",
        "limit = 512349876",
        "SSN 123-45-6789",
        "SSN 000-12-3456 and 666-12-3456",
        "Your SSN: XXX-XX-9876",
        "the last four of the SSN: 9876",
        "Please bring your social security card and Form W-9.",
        "GPS -46.2291533, 173.0532221",
        "Your gift is tax-deductible; we are a 501(c)(3), EIN 12-3456788.",
        "Total 1,250.00 3,400.50 200.00",
    ],
)
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert kinds(PLAIN.format(text)) == set()


@given(NUMBERS, SEPARATORS, DIGITS)
def test_any_sign_and_any_digits_part_it_and_it_is_found(number: str, sign: str, digits: str) -> None:
    if number in {"078-05-1120", "219-09-9999", "457-55-5462", "123-45-6789"} or len(set(number)) < 4:
        return
    text = number.replace("-", sign).translate(str.maketrans(string.digits, digits))
    assert kinds(f"Here is her SSN: {text}\n") & {Kind.SSN, Kind.EIN}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=400))
def test_no_text_breaks_the_examiner(text: str) -> None:
    for form in Form:
        judge(text, form=form)


def test_a_column_head_speaks_for_its_column() -> None:
    rows = "\n".join(f"Person {number};{512340000 + 7 * number};blue" for number in range(1, 20))
    found = judge(f"name;ssn;colour\n{rows}").findings
    assert [(finding.kind, finding.count) for finding in found] == [(Kind.SSN, 19)]


def test_a_word_in_the_subject_speaks_for_a_bare_number_in_the_body() -> None:
    assert kinds("Numbers\n\n512349876\n") == set()
    examined = judge("My SSN", form=Form.HEADER).findings
    assert examined == ()
    assert kinds("My SSN", "As promised: 512349876", form=Form.HEADER) == {Kind.SSN}


@pytest.mark.parametrize(
    "text",
    [
        "five one two, thirty-four, ninety-eight seventy-six",
        "five-one-two dash three-four dash nine eight seven six",
        "cinq cent douze, trente-quatre, quatre-vingt-dix-huit soixante-seize",
        "quinientos doce, treinta y cuatro, noventa y ocho setenta y seis",
        "fünfhundertzwölf, vierunddreißig, achtundneunzig sechsundsiebzig",
        "cinquecentododici, trentaquattro, novantotto settantasei",
        "quinhentos e doze, trinta e quatro, noventa e oito setenta e seis",
        "double five one triple three 4 five 6",
    ],
)
def test_number_words_are_read_as_digits(text: str) -> None:
    assert kinds(f"My social: {text}.") == {Kind.SSN}


@pytest.mark.parametrize(
    "text",
    [
        "NTEyLTM0LTk4NzY=",
        "3531322d33342d39383736",
        "%35%31%32%2D%33%34%2D%39%38%37%36",
        "\\u0035\\u0031\\u0032-34-9876",
        "&#53;&#49;&#50;-34-9876",
        "TlRFeUxUTTBMVGs0TnpZPQ==",
        "00110101 00110001 00110010 00101101 00110011 00110100 00101101 00111001 00111000 00110111 00110110",
    ],
)
def test_an_encoded_number_is_decoded(text: str) -> None:
    assert kinds(f"my ssn {text} ok") == {Kind.SSN}


@pytest.mark.parametrize(
    "texts",
    [
        ("My SSN starts with 512, then comes 34 and it ends in 9876.",),
        ("First five of my social: 51234", "and the last four are 9876"),
    ],
)
def test_pieces_of_a_number_are_put_together(texts: tuple[str, ...]) -> None:
    assert kinds(*texts) == {Kind.SSN}


def test_a_number_said_to_be_backwards_is_turned() -> None:
    assert Kind.SSN in kinds("My SSN, backwards: 678943215")
    assert Kind.SSN in kinds("My SSN \u202e6789-43-215\u202c thanks")


@pytest.mark.parametrize(
    "source",
    [
        "<p>SSN <span>5</span><span>1</span><span>2</span>-34-<b>98</b>76</p>",
        '<p>SSN 512-<i style="display:none">77</i>34-9876</p>',
        '<style>.h{display:none}</style><p>SSN 512-<i class="h">77</i>34-9876</p>',
        "<table><tr><td>Name</td><td>SSN</td></tr>\n<tr><td>Ann Lee</td><td>512349876</td></tr></table>",
        '<input name="ssn" value="512349876">',
        "<!-- ssn 512-34-9876 -->",
        '<p>SSN <bdo dir="rtl">6789-43-215</bdo></p>',
        '<a href="mailto:a@b.example?subject=SSN%20512-34-9876">mail</a>',
    ],
)
def test_markup_hides_no_number(source: str) -> None:
    assert Kind.SSN in kinds(f"<html><body>{source}</body></html>", form=Form.HTML)
