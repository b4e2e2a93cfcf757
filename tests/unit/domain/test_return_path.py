"""Return paths: each names one row, and only those that we made count."""

from __future__ import annotations

import string

import pytest

from gateway.domain.address import MAX_LOCAL, Address, parse_address
from gateway.domain.return_path import ReturnPaths, is_return_path

ID = "019b2c3d4e5f" + "0123456789abcdef0123"
PATHS = ReturnPaths("gateway.example", b"k" * 32)


def test_a_return_path_is_an_address_of_the_domain_that_any_mail_system_takes() -> None:
    path = PATHS.of(ID)
    assert path.domain == "gateway.example"
    assert set(path.local) <= set(string.ascii_lowercase + string.digits + "-")
    assert len(path.local) <= MAX_LOCAL
    assert parse_address(str(path)) == path


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_it_names_its_row_in_any_letter_case(change: object) -> None:
    local = change(PATHS.of(ID).local)  # type: ignore[operator]
    assert PATHS.outbox_id(Address(local, "gateway.example")) == ID


def test_a_path_with_any_octet_changed_names_no_row() -> None:
    local = PATHS.of(ID).local
    for place, letter in enumerate(local):
        for other in {"a", "b", "2", "-", "z"} - {letter}:
            changed = local[:place] + other + local[place + 1 :]
            assert PATHS.outbox_id(Address(changed, "gateway.example")) is None
        assert PATHS.outbox_id(Address(local[:place] + local[place + 1 :], "gateway.example")) is None


def test_another_row_s_mark_another_key_and_another_domain_are_forged() -> None:
    path = PATHS.of(ID)
    mark = PATHS.of(ID[::-1]).local.rpartition("-")[2]
    assert PATHS.outbox_id(Address(path.local.rpartition("-")[0] + "-" + mark, path.domain)) is None
    assert ReturnPaths("gateway.example", b"x" * 32).outbox_id(path) is None
    assert PATHS.outbox_id(Address(path.local, "elsewhere.example")) is None


@pytest.mark.parametrize(
    "local", ["", "b-", "sm-7k2q", "postmaster", "b-x-" + "a" * 20, f"b-{ID}-", f"b-{ID}-é" + "a" * 19]
)
def test_other_addresses_do_not_have_its_shape(local: str) -> None:
    assert not is_return_path(local)


def test_an_id_that_fits_into_no_address_is_refused() -> None:
    for bad in ("", "short", "x" * 41, "with-hyphen", "UPPER" * 3, "a@b.example"):
        with pytest.raises(ValueError, match="outbox id"):
            PATHS.of(bad)
    with pytest.raises(ValueError, match="octets"):
        ReturnPaths("gateway.example", b"short")


def test_a_recipient_is_compared_by_a_keyed_hash_whatever_its_letter_case() -> None:
    assert PATHS.named("Agent@Mail.example ") == PATHS.named("agent@mail.example")
    assert PATHS.named("agent@mail.example") != PATHS.named("other@mail.example")
    assert PATHS.named("agent@mail.example") != ReturnPaths("gateway.example", b"x" * 32).named("agent@mail.example")
