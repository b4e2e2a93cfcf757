"""Thread addresses: each names one message and one holder, and only those that we made count."""

from __future__ import annotations

import string

import pytest

from gateway.domain.address import MAX_LOCAL, Address, parse_address
from gateway.domain.reference import Reference
from gateway.domain.return_path import is_return_path
from gateway.domain.thread_address import ThreadAddresses, is_thread_address

MESSAGE = Reference("SM", "7K2Q", "9F4T")
LONGEST = Reference("SMSM", "7K2Q", "9F4T", trial=True)
THREADS = ThreadAddresses("gateway.example", b"k" * 32)


@pytest.mark.parametrize("message", [MESSAGE, LONGEST])
def test_a_thread_address_is_an_address_of_the_domain_that_any_mail_system_takes(message: Reference) -> None:
    address = THREADS.of(message, "dana")
    assert address.domain == "gateway.example"
    assert set(address.local) <= set(string.ascii_lowercase + string.digits + "-")
    assert len(address.local) <= MAX_LOCAL
    assert parse_address(str(address)) == address
    assert is_thread_address(address.local)
    assert not is_return_path(address.local)


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title, str.swapcase])
def test_it_names_message_and_holder_in_any_letter_case(change: object) -> None:
    local = change(THREADS.of(MESSAGE, "dana").local)  # type: ignore[operator]
    found = THREADS.read(Address(local, "gateway.example"))
    assert found is not None
    assert found.message == MESSAGE
    assert THREADS.is_for(found, ["eve", "dana"])
    assert not THREADS.is_for(found, ["eve", "omar"])
    assert not THREADS.is_for(found, [])


def test_an_address_with_any_octet_changed_is_none_of_ours() -> None:
    local = THREADS.of(MESSAGE, "dana").local
    for place, letter in enumerate(local):
        for other in {"a", "b", "2", "-", "z"} - {letter}:
            changed = local[:place] + other + local[place + 1 :]
            assert THREADS.read(Address(changed, "gateway.example")) is None
        assert THREADS.read(Address(local[:place] + local[place + 1 :], "gateway.example")) is None


def test_parts_of_two_addresses_make_no_third() -> None:
    other = Reference("SM", "7K2Q", "AAAA")
    own, theirs, elsewhere = (THREADS.of(*one).local for one in ((MESSAGE, "dana"), (MESSAGE, "eve"), (other, "dana")))
    assert THREADS.read(Address(own[:12] + theirs[12:21] + own[21:], "gateway.example")) is None
    assert THREADS.read(Address(elsewhere[:12] + own[12:], "gateway.example")) is None


def test_another_key_and_another_domain_are_none_of_ours() -> None:
    address = THREADS.of(MESSAGE, "dana")
    assert ThreadAddresses("gateway.example", b"l" * 32).read(address) is None
    assert THREADS.read(Address(address.local, "elsewhere.example")) is None


@pytest.mark.parametrize("text", ["sm-7k2q", "sm-7k2q-9f4t", "desk", "b-" + "0" * 32 + "-" + "a" * 20])
def test_other_addresses_have_another_shape(text: str) -> None:
    assert not is_thread_address(text)
    assert THREADS.read(Address(text, "gateway.example")) is None


def test_a_case_alone_has_no_thread_address_and_a_short_key_makes_none() -> None:
    with pytest.raises(ValueError, match="names a message"):
        THREADS.of(MESSAGE.of_case, "dana")
    with pytest.raises(ValueError, match="32 octets"):
        ThreadAddresses("gateway.example", b"short")
