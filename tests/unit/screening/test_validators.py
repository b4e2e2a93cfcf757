from __future__ import annotations

from itertools import product

import pytest
import stdnum.es.dni
import stdnum.es.nie
import stdnum.ie.pps
from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import validators

NINE = st.integers(0, 999_999_999).map("{:09}".format)


@given(NINE)
def test_no_nine_digits_are_both_ssn_and_itin(nine: str) -> None:
    assert not (validators.is_ssn(nine) and (validators.is_itin(nine) or validators.is_atin(nine)))


@given(st.from_regex(r"\A[XYZ0-9][0-9]{7}[A-Z]{1,2}\Z"))
def test_quick_checks_of_spain_and_ireland_are_those_of_stdnum(code: str) -> None:
    assert validators.is_dni(code) == bool(stdnum.es.dni.is_valid(code))
    assert validators.is_nie(code) == bool(stdnum.es.nie.is_valid(code))
    assert validators.is_pps(code[:7] + code[8:]) == bool(stdnum.ie.pps.is_valid(code[:7] + code[8:]))


def test_itin_groups_are_those_that_are_issued() -> None:
    issued = {group for group in range(100) if validators.is_itin(f"900{group:02}1234")}
    assert issued == {*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)}


@pytest.mark.parametrize(
    "prefix", ["00", "07", "08", "09", "17", "18", "19", "28", "29", "49", "69", "70", "78", "79", "89", "96", "97"]
)
def test_prefixes_never_given_out_make_no_ein(prefix: str) -> None:
    assert not validators.is_ein(prefix + "1234567")


@pytest.mark.parametrize(
    "nine", ["078051120", "219099999", "457555462", "123456789", "987654320", "987654329", "111111111"]
)
def test_published_numbers_are_samples(nine: str) -> None:
    assert validators.is_sample(nine)


def test_one_wrong_digit_fails_the_checks() -> None:
    for place, digit in product(range(9), "0123456789"):
        changed = "021000021"[:place] + digit + "021000021"[place + 1 :]
        assert validators.is_aba(changed) == (changed == "021000021") or changed[:2] != "02"
        card = "4539578763621486"
        other = card[:place] + digit + card[place + 1 :]
        assert validators.passes_luhn(other) == (other == card)


def test_an_iban_has_the_length_of_its_country_and_its_check() -> None:
    assert validators.find_iban("DE12500105170648489890") == "DE12500105170648489890"
    assert validators.find_iban("DE12500105170648489890TEXT") == "DE12500105170648489890"
    assert validators.find_iban("DE1250010517064848989") is None
    assert validators.find_iban("DE13500105170648489890") is None


def test_a_test_card_is_none() -> None:
    assert not validators.is_card("4111111111111111")
    assert validators.is_card("4539578763621486")


def test_numbers_of_other_countries_pass_their_checks() -> None:
    good = {
        "nino": "AB123456C", "sin": "130692544", "idnr": "36574261809", "dni": "54362315K", "cf": "RSSMRA85T10A562S",
        "my_number": "123456789018", "cpf": "52998224725", "personnummer": "8803200016", "ric": "11010519491231002X",
    }  # fmt: skip
    for name, number in good.items():
        lengths, check = validators.FOREIGN[name]
        assert len(number) in lengths
        assert check(number), name


def test_the_zone_of_a_passport_carries_check_digits() -> None:
    assert validators.passes_mrz("L898902C3", "6")
    assert not validators.passes_mrz("L898902C3", "7")
