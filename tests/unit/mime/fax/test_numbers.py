"""Fax numbers in addresses (RFC 3191, RFC 3192)."""

from __future__ import annotations

import pytest

from gateway.mime.fax.numbers import FaxNumber, parse_fax_local


@pytest.mark.parametrize(
    ("local", "number", "subaddress"),
    [
        ("FAX=273", "273", ""),
        ("FAX=+12027653000", "+12027653000", ""),
        ("fax=+1-202.765-3000", "+12027653000", ""),
        ('"FAX=+12027653000"', "+12027653000", ""),
        ("FAX=+12027653000/T33S=1387", "+12027653000", "1387"),
        ("FAX=+12027653000/T33S=13-87/POSTD=p1", "+12027653000", "1387"),
    ],
)
def test_a_number_is_found_however_it_is_written(local: str, number: str, subaddress: str) -> None:
    assert parse_fax_local(local) == FaxNumber(number, subaddress)


@pytest.mark.parametrize(
    "local", ["", "FAX=", "FAX=+", "VOICE=+1202", "fax", "FAX=12 34", "FAX=1/T33S", "FAX=" + "1" * 70]
)
def test_what_is_no_fax_address_names_no_number(local: str) -> None:
    assert parse_fax_local(local) is None
