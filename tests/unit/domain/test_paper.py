from __future__ import annotations

from datetime import date

import pytest

from gateway.domain.errors import Malformed
from gateway.domain.paper import FormField, Shape, check_date, check_value, missing_fields, searchable

TODAY = date(2026, 11, 22)
NUMBER = FormField("n", "Number", sealed=True, pattern="[0-9]{9}", ignored=" -", says="has nine digits")
CODE = FormField("c", "Code", sealed=True, pattern="[0-9]{9}R?|NONE", ignored=" -")


def field(shape: Shape) -> FormField:
    return FormField("f", "Field", sealed=False, shape=shape)


@pytest.mark.parametrize(
    ("of", "text", "kept"),
    [
        (NUMBER, "12-3456789", "123456789"),
        (NUMBER, " 123 45 6789 ", "123456789"),
        (CODE, "none", "NONE"),
        (CODE, "0304-12345r", "030412345R"),
        (field(Shape.TEXT), " Vale   Tours\tLtd ", "Vale Tours Ltd"),
        (field(Shape.DATE), "2030-01-31", "2030-01-31"),
        (field(Shape.SIGNATURE_DATE), "2026-11-22", "2026-11-22"),
        (field(Shape.ADDRESS), "Ines@VALE.example", "Ines@vale.example"),
        (field(Shape.TELEPHONE), "+351 21 (000) 00-00", "+351 21 (000) 00-00"),
        (field(Shape.YES_NO), "Yes", "yes"),
    ],
)
def test_a_value_is_kept_in_one_form(of: FormField, text: str, kept: str) -> None:
    assert check_value(of, text, TODAY) == kept


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (NUMBER, "12345678"),
        (NUMBER, "1234567890"),
        (NUMBER, "12345678a"),
        (NUMBER, "123456789\n123456789"),
        (CODE, "nobody"),
        (field(Shape.TEXT), "   "),
        (field(Shape.TEXT), "x" * 2_001),
        (field(Shape.TEXT), "a\u202eb"),
        (field(Shape.DATE), "31.1.2030"),
        (field(Shape.SIGNATURE_DATE), "2026-11-23"),
        (field(Shape.ADDRESS), "nobody"),
        (field(Shape.TELEPHONE), "call me"),
        (field(Shape.YES_NO), "perhaps"),
    ],
)
def test_a_bad_value_is_refused_without_being_repeated(of: FormField, text: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_value(of, text, TODAY)
    assert caught.value.advice.startswith(of.label)
    assert text.strip() == "" or text not in caught.value.advice


def test_a_day_to_come_is_refused_only_where_it_may_not_be() -> None:
    assert check_date("2026-12-01", "Last day") == date(2026, 12, 1)
    with pytest.raises(Malformed):
        check_date("2026-12-01", "Received", TODAY)


def test_what_is_missing_leaves_out_the_optional_and_the_appendix() -> None:
    fields = (
        FormField("a", "A", sealed=False),
        FormField("b", "B", sealed=False),
        FormField("c", "C", sealed=False, is_optional=True),
        FormField("d", "D", sealed=False, is_of_appendix=True),
    )
    assert [one.key for one in missing_fields(fields, {"a": "x"})] == ["b"]


@pytest.mark.parametrize("text", ["12-3456789", "123456789", " 123 456-789"])
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert searchable(text) == "123456789"
