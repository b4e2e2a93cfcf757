from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.screening import folding
from gateway.screening.folding import _fold_character, fold

LATIN = st.text(st.characters(max_codepoint=0x24F), max_size=200)
SIGNS = st.sampled_from("–—’“”…€№ﬁ①²\u200b\ud800😀\x85\r\n")
MIXED = st.lists(st.one_of(LATIN, SIGNS, st.text(max_size=5))).map("".join)
PLAIN = MIXED.filter(lambda text: not any("\u2800" <= sign <= "\u28ff" for sign in text))


def folded_one_by_one(text: str) -> bytes:
    """What folding means, character by character."""
    octets = "".join(map(_fold_character, text)).encode("ascii")
    octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return octets.translate(None, bytes((0, *range(3, 9), 11, *range(14, 32), 127)))


@given(PLAIN)
def test_every_character_is_folded_by_itself(text: str) -> None:
    assert fold(text) == folded_one_by_one(text)


def test_numbers_counted_in_each_sign_are_read_among_cyrillic_letters() -> None:
    for code, digit in folding._COUNTED.items():
        assert fold(f"ЖЖЖ {chr(code) * 8}").endswith(f" {chr(digit) * 8}".encode())


def test_every_character_of_two_octets_and_more_folds_alone_as_among_others() -> None:
    for code in (
        *range(0x2800),
        *range(0x2900, 0x10000),
        *range(0x1D400, 0x1D800),
        *range(0x1F100, 0x1F200),
        *range(0xE0000, 0xE0080),
    ):
        for text in (f"a{chr(code)}9", f"ЖЖЖ {chr(code)}9"):
            assert fold(text) == folded_one_by_one(text), hex(code)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Überweisung über 1½ Mio €", b"Uberweisung uber 11/2 Mio $"),
        ("５３６－４１－２８７９", b"536-41-2879"),
        ("536\u00ad41\u200b2879", b"536412879"),
        ("ИНН паспорта № 12", b" inn   passport number  12"),
        ("номер соцстрахования 536", b" ssn  536"),
        ("НОМЕР СОЦСТРАХОВАНИЯ 536", b" ssn  536"),
        ("五三六四一二八七九", b"536412879"),
        ("⠼⠑⠉⠋", b"536"),
        ("a\r\nb\rc\x85d\u2028e", b"a\nb\nc\nd\ne"),
        ("п\ud800", b"~"),
    ],
)
def test_what_reads_alike_folds_alike(text: str, read: bytes) -> None:
    assert fold(text) == read
