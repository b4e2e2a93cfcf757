from __future__ import annotations

import re

import pytest

from gateway.identity.app_passwords import is_from, lookup, new_app_password


def test_an_app_password_has_eight_groups_of_four_letters() -> None:
    made = {new_app_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"([bcdfghjkmnpqrstv]{4}-){7}[bcdfghjkmnpqrstv]{4}", one) for one in made)


def test_its_look_up_is_keyed_and_forgives_case_spaces_and_hyphens() -> None:
    clear = new_app_password()
    assert lookup(b"k", clear) == lookup(b"k", clear.replace("-", "").upper()) == lookup(b"k", clear.replace("-", " "))
    assert lookup(b"k", clear) != lookup(b"l", clear)


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        ("", "203.0.113.9", True),
        ("192.0.2.0/24", "192.0.2.7", True),
        ("192.0.2.0/24", "192.0.3.7", False),
        ("192.0.2.0/24, 2001:db8::/32", "2001:db8::1", True),
        ("192.0.2.0/24", "::ffff:192.0.2.7", True),
        ("192.0.2.0/24", "not an address", False),
        ("not a network", "192.0.2.7", False),
    ],
)
def test_networks_limit_where_it_is_good(networks: str, address: str, inside: bool) -> None:
    assert is_from(networks, address) is inside
