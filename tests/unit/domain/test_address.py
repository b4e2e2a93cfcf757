from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.address import MAX_LOCAL, Address, parse_address
from gateway.domain.errors import Malformed


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ines@example.org", Address("ines", "example.org")),
        (" ines@example.org\r\n", Address("ines", "example.org")),
        ("Ines.Müller@EXAMPLE.org", Address("Ines.Müller", "example.org")),
        ("a!#$%&'*+/=?^_`{|}~-b@x-y.example", Address("a!#$%&'*+/=?^_`{|}~-b", "x-y.example")),
        ("sm-7k2q@gateway.example.", Address("sm-7k2q", "gateway.example")),
        ("ines@bücher.example", Address("ines", "xn--bcher-kva.example")),
        ("ines@BÜCHER.example", Address("ines", "xn--bcher-kva.example")),
        ("用户@例子.example", Address("用户", "xn--fsqu00a.example")),
        ("ines@localhost", Address("ines", "localhost")),
        ("a" * MAX_LOCAL + "@x.example", Address("a" * MAX_LOCAL, "x.example")),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ines",
        "ines@",
        "@example.org",
        "ines@@example.org",
        "ines müller@example.org",
        "ines\r\nBcc: eve@example.org",
        "ines@example.org\nDATA",
        "ines\x00@example.org",
        "ines@exa mple.org",
        "ines@example..org",
        "ines@example.org..",
        "ines@.example.org",
        "ines@-example.org",
        "ines@example-.org",
        "ines@[192.0.2.1]",
        "ines@exam_ple.org",
        ".ines@example.org",
        "ines.@example.org",
        "in..es@example.org",
        '"ines"@example.org',
        "<ines@example.org>",
        "Ines <ines@example.org>",
        "a@b,c@d",
        "ines(comment)@example.org",
        "a" * (MAX_LOCAL + 1) + "@example.org",
        "ü" * (MAX_LOCAL // 2 + 1) + "@example.org",
        "a@" + "b" * 64 + ".example",
        "a@" + ".".join(["b" * 60] * 5),
        "ines@\ud800.example",
        "in\ud800es@example.org",
    ],
)
def test_anything_else_is_malformed_and_not_quoted(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_address(text)
    assert refused.value.advice.isascii()
    assert len(text) < 4 or text not in refused.value.advice


def test_equal_mailboxes_share_a_key() -> None:
    assert parse_address("Ines@Example.ORG").key == parse_address("ines@example.org.").key == "ines@example.org"
    assert parse_address("Ines@example.org") != parse_address("ines@example.org")


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader_and_what_is_read_reads_again(text: str) -> None:
    try:
        address = parse_address(text)
    except Malformed:
        return
    assert parse_address(str(address)) == address
    assert address.domain.isascii()
    assert not any(character.isspace() or ord(character) < 32 for character in str(address))
