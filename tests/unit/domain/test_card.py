from __future__ import annotations

from gateway.domain.card import card, file_name
from gateway.domain.reference import parse

CASE = parse("SM-7K2Q-9F4T")


def test_a_card_holds_the_case_s_address_and_nothing_of_a_message() -> None:
    lines = card(CASE, "secure.example", "Office").replace(b"\r\n ", b"").decode().split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:3.0"]
    assert lines[-2:] == ["END:VCARD", ""]
    assert "FN:SM-7K2Q" in lines
    assert "EMAIL;TYPE=INTERNET:sm-7k2q@secure.example" in lines
    assert "9F4T" not in "".join(lines)
    assert file_name(CASE) == "SM-7K2Q.vcf"


def test_the_site_s_name_cannot_begin_a_line_and_lines_are_folded() -> None:
    octets = card(CASE, "secure.example", "Ministère, bureau\r\nEMAIL:x@y.example\n" * 5)
    assert b"\r\nEMAIL:x" not in octets
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))
    octets.decode("utf-8")
