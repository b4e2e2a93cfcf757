from __future__ import annotations

import base64
import binascii
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.structure import DefectKind
from gateway.mime.transfer import spelled_encoding, undo


@given(st.binary(max_size=300))
def test_proper_base64_has_one_reading(octets: bytes) -> None:
    undone = undo(base64.encodebytes(octets), "base64")
    assert (undone.octets, undone.others, undone.oddities) == (octets, (), frozenset())


@given(st.text(max_size=200))
def test_quoted_printable_is_undone(text: str) -> None:
    octets = text.replace("\r", "").encode()
    assert undo(quopri.encodestring(octets), "quoted-printable").octets == octets


@given(st.binary(max_size=300), st.sampled_from(["base64", "quoted-printable", "x-uuencode", "unknown", "7bit"]))
def test_any_octets_have_a_reading_in_any_encoding(octets: bytes, encoding: str) -> None:
    undone = undo(octets, encoding)
    assert undone.octets in undone.readings


def test_base64_with_junk_is_read_as_four_kinds_of_programs_do() -> None:
    first, second = base64.b64encode(b"SSN 123-45").decode(), base64.b64encode(b"-6789 of Kim").decode()
    undone = undo(f"{first}\r\n*{second}".encode(), "base64")
    assert undone.oddities == {DefectKind.BASE64_JUNK, DefectKind.BASE64_INNER_PADDING}
    assert b"SSN 123-45-6789 of Kim" in undone.readings  # each padded run by itself
    assert b"SSN 123-45" in undone.readings  # up to the first octet that is no base64
    assert f"{first}\r\n*{second}".encode() in undone.readings  # as it is written


def test_what_follows_padding_is_read_with_and_without_it() -> None:
    undone = undo(b"MTIzLTQ1\r\nLTY=\r\nNzg5", "base64")
    assert b"123-45-6789" in undone.readings


def test_a_body_without_an_encoding_may_have_one_after_all() -> None:
    assert b"123-45-6789\n" in undo(b"=31=32=33-45-6789\n", "7bit").readings
    assert b"the number is 123-45-6789" in undo(base64.encodebytes(b"the number is 123-45-6789"), "8bit").readings
    assert undo(b"a = b, c == d\n", "7bit").readings == (b"a = b, c == d\n",)


def test_an_unknown_encoding_is_tried_as_each_known_one() -> None:
    encoded = base64.b64encode(b"123-45-6789")
    assert b"123-45-6789" in undo(encoded, "unknown").readings
    packed = b"begin 644 x\n" + binascii.b2a_uu(b"123-45-6789") + b"end\n"
    assert b"123-45-6789" in undo(packed, "unknown").readings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("base-64", "base64"),
        ("Base64;", "base64"),
        ("B64", "base64"),
        ("quoted/printable", "quoted-printable"),
        ("quopri", "quoted-printable"),
        ("uuencoded", "x-uuencode"),
        ("7-bit", "8bit"),
        ("utf-8", "8bit"),
        ("none", "8bit"),
        ("", "8bit"),
        ("gzip64", "unknown"),
        ("x-secret", "unknown"),
    ],
)
def test_a_misspelt_encoding_is_recognised(written: str, meant: str) -> None:
    assert spelled_encoding(written) == meant
