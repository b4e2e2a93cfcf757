from __future__ import annotations

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime import embedded
from gateway.mime.embedded import data_uris, embedded_files
from gateway.mime.structure import DefectKind

OCTETS = bytes(range(256)) * 3


def uuencoded(octets: bytes) -> bytes:
    lines = [binascii.b2a_uu(octets[at : at + 45]).rstrip(b"\n") for at in range(0, len(octets), 45)]
    return b"\r\n".join([b"begin 644 a file.bin", *lines, b"`", b"end", b""])


def yencoded(octets: bytes) -> bytes:
    out = bytearray()
    for octet in octets:
        shifted = (octet + 42) % 256
        out += bytes([61, (shifted + 64) % 256]) if shifted in b"\0\n\r=" else bytes([shifted])
    lines = [bytes(out[at : at + 100]) for at in range(0, len(out), 100)]
    return b"\r\n".join([b"=ybegin line=100 size=768 name=a file.bin", *lines, b"=yend size=768", b""])


def test_a_uuencoded_file_is_found_between_words() -> None:
    found = list(embedded_files(b"Hello,\r\n" + uuencoded(OCTETS) + b"Bye.\r\n"))
    assert [(each.octets, each.kind, each.name, each.is_whole) for each in found] == [
        (OCTETS, DefectKind.UUENCODED_TEXT, "a file.bin", True)
    ]


def test_every_file_of_several_is_found() -> None:
    found = [each for each in embedded_files(uuencoded(b"one" * 9) + uuencoded(b"two" * 9)) if each.name]
    assert [each.octets for each in found] == [b"one" * 9, b"two" * 9]


def test_a_file_cut_short_is_told_as_such() -> None:
    (found,) = [each for each in embedded_files(uuencoded(OCTETS)[:300]) if each.kind]
    assert not found.is_whole
    assert found.octets.startswith(OCTETS[:180])


def test_uuencode_in_base64_is_found() -> None:
    text = b"begin-base64 644 a\n" + base64.encodebytes(OCTETS) + b"====\n"
    assert OCTETS in [each.octets for each in embedded_files(text)]


@given(st.binary(min_size=1, max_size=400))
def test_yenc_is_undone(octets: bytes) -> None:
    (found,) = [each for each in embedded_files(b"x\r\n" + yencoded(octets)) if each.kind is DefectKind.YENC_TEXT]
    assert (found.octets, found.name, found.is_whole) == (octets, "a file.bin", True)


def test_base64_in_lines_is_found_quoted_or_not() -> None:
    encoded = base64.encodebytes(OCTETS)
    assert OCTETS in [each.octets for each in embedded_files(b"See:\n" + encoded)]
    quoted = b"".join(b"> " + line + b"\n" for line in encoded.splitlines())
    assert OCTETS in [each.octets for each in embedded_files(b"See:\n" + quoted)]


LINES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b" ", b"> ", b"QUJD", b"QUJD" * 10, b"A" * 39, b"=", b"==", b"\xe9", b"-"])
)


@given(LINES.map(b"".join))
def test_lines_of_base64_are_those_that_the_pattern_alone_finds(text: bytes) -> None:
    lines = embedded._BASE64_LINES.findall(b"\n" + text)
    assert sum(each.kind is None for each in embedded_files(text)) == len(lines)


def test_words_are_no_files() -> None:
    text = b"Let us begin 2026 well.\r\nbegin now\r\n" + b"A sentence of usual words, not too long.\r\n" * 9
    assert list(embedded_files(text)) == []


def test_binhex_is_named() -> None:
    (found,) = embedded_files(b"(This file must be converted with BinHex 4.0)\r\n:abc:")
    assert (found.kind, found.is_whole) == (DefectKind.BINHEX_TEXT, False)


@pytest.mark.parametrize("how", ["data:application/pdf;base64,{}", "DATA:application/pdf;charset=x;base64,{}"])
def test_a_data_uri_is_undone(how: str) -> None:
    markup = f'<a href="{how.format(base64.b64encode(OCTETS).decode())}">x</a>'.encode()
    assert [(each.octets, each.declared) for each in data_uris(markup)] == [(OCTETS, "application/pdf")]


def test_a_data_uri_in_percent_signs_is_undone() -> None:
    assert [each.octets for each in data_uris(b"<img src='data:text/plain,123%2D45%2D6789%20is%20it'>")] == [
        b"123-45-6789 is it'"
    ]


@given(st.binary(max_size=500))
def test_any_octets_are_searched(octets: bytes) -> None:
    list(embedded_files(octets))
    list(data_uris(octets))


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 x\n" * 300_000,
        b"=ybegin name=x\n" * 300_000,
        b"begin-base64 644 x\n" * 300_000,
        b"data:" * 600_000,
        b"data:;a=b" * 300_000,
        b"A" * 3_000_000,
        (b"A" * 39 + b"\n") * 70_000,
        b"\n" * 3_000_000,
        b"> > " * 700_000,
    ],
    ids=range(9),
)
def test_what_is_made_to_be_slow_is_searched_all_the_same(text: bytes) -> None:
    assert sum(len(each.octets) for each in embedded_files(text)) < 3 * len(text)
    assert sum(len(each.octets) for each in data_uris(text)) < 3 * len(text)
