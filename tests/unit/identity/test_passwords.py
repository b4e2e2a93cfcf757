from __future__ import annotations

import pytest

from gateway.domain.errors import Malformed
from gateway.identity.passwords import check_strength, hash_password, is_right

PEPPER = b"p" * 32


def test_a_hash_is_right_for_its_password_its_person_and_its_pepper_only() -> None:
    encoded = hash_password(PEPPER, "erin", "correct horse")
    assert is_right(PEPPER, "erin", "correct horse", encoded)
    assert not is_right(PEPPER, "erin", "correct horsf", encoded)
    assert not is_right(PEPPER, "frank", "correct horse", encoded)
    assert not is_right(b"q" * 32, "erin", "correct horse", encoded)
    assert not is_right(PEPPER, "erin", "correct horse", "not a hash")


def test_two_hashes_of_one_password_differ_and_name_their_cost() -> None:
    one, two = (hash_password(PEPPER, "erin", "correct horse") for _ in range(2))
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_may_be_typed_in_another_unicode_form() -> None:
    encoded = hash_password(PEPPER, "zoe", "Zo\u00eb likes caf\u00e9s")
    assert is_right(PEPPER, "zoe", "Zoe\u0308 likes cafe\u0301s", encoded)


def test_a_long_password_is_not_cut_to_an_equal_one() -> None:
    encoded = hash_password(PEPPER, "erin", "x" * 256)
    assert not is_right(PEPPER, "erin", "x" * 257, encoded)


@pytest.mark.parametrize("password", ["fourteen chars", "", "x" * 257])
def test_a_password_alone_needs_fifteen_characters(password: str) -> None:
    with pytest.raises(Malformed):
        check_strength(password, with_second_factor=False)


def test_eight_characters_are_enough_beside_a_second_factor() -> None:
    check_strength("8 chars.", with_second_factor=True)
    with pytest.raises(Malformed):
        check_strength("7 chars", with_second_factor=True)


@pytest.mark.parametrize("password", ["password", "Password123!", "qwertyuiop", "aaaabbbbaaaa", "erin.agency1"])
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Malformed):
        check_strength(password, with_second_factor=True, username="erin.agency@agency.example")
