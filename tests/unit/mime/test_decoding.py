from __future__ import annotations

import base64
import binascii
import quopri
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.partmap import Part
from gateway.mime.decoding import Decoder, text
from gateway.mime.flowed import unflow

CUTS = st.lists(st.integers(0, 2_000), max_size=15)


def decode(encoding: str, octets: bytes, cuts: list[int] | None = None) -> tuple[bytes, set[str]]:
    decoder = Decoder(encoding)
    decoded, at = b"", 0
    for cut in [*sorted(cuts or []), len(octets)]:
        decoded += decoder.feed(octets[at:cut])
        at = max(at, min(cut, len(octets)))
    return decoded + decoder.finish(), decoder.oddities


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), CUTS)
def test_base64_is_undone_whatever_the_blocks(octets: bytes, cuts: list[int]) -> None:
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    assert decode("base64", encoded, cuts) == (octets, set())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), CUTS)
def test_quoted_printable_is_undone_whatever_the_blocks(plain: str, cuts: list[int]) -> None:
    octets = plain.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"\r\n")
    encoded = quopri.encodestring(octets.replace(b"\r\n", b"\n"), quotetabs=True).replace(b"\n", b"\r\n")
    assert decode("quoted-printable", encoded, cuts) == (octets, set())


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["base64", "quoted-printable", "x-uuencode", "8bit"]),
    st.lists(
        st.sampled_from(
            [
                b"=",
                b"==",
                b"QUJD",
                b"Q",
                b"\r\n",
                b"\n",
                b" ",
                b"=3D",
                b"=4",
                b"!",
                b"=\r\n",
                b"= \r\n",
                b"begin 644 x\r\n",
                b"%86)C\r\n",
                b"\xff",
                b"=\r",
                b"end\r\n",
            ]
        ),
        max_size=30,
    ).map(b"".join),
    CUTS,
)
def test_wrong_input_is_decoded_alike_in_any_blocks(encoding: str, octets: bytes, cuts: list[int]) -> None:
    assert decode(encoding, octets, cuts) == decode(encoding, octets)
    assert decode(encoding, octets, list(range(len(octets)))) == decode(encoding, octets)


@pytest.mark.parametrize(
    ("encoding", "octets", "decoded", "oddities"),
    [
        ("base64", b"QU*JD", b"ABC", {"base64_junk"}),
        ("base64", b"QQ==QUJD", b"AABC", {"base64_inner_padding"}),
        ("base64", b"QQ==QQ==", b"AA", {"base64_inner_padding"}),
        ("base64", b"QUJDQQ", b"ABCA", {"base64_truncated"}),
        ("base64", b"QUJDQ", b"ABC", {"base64_truncated"}),
        ("quoted-printable", b"a=3Db=\r\nc=  \r\nd", b"a=bcd", {"qp_trailing_blank"}),
        ("quoted-printable", b"a=zz=", b"a=zz", {"qp_bad_escape"}),
        ("quoted-printable", b"a==41", b"a=A", {"qp_bad_escape"}),
        ("quoted-printable", b"a==\r\n41", b"a=41", {"qp_bad_escape"}),
        ("quoted-printable", b"a=4=\r\n1", b"a=41", {"qp_bad_escape"}),
        ("quoted-printable", b"a=\rhidden\r\nb", b"a=\rhidden\r\nb", {"qp_bad_escape"}),
        ("quoted-printable", b"a=e4b=E4", b"a\xe4b\xe4", set()),
        ("x-uuencode", b"text\r\nbegin 644 x\r\n#86)C\r\n`\r\nend\r\nmore", b"abc", set()),
        ("x-uuencode", b"begin 644 x\r\n\xff\xff\xff\r\nend", b"", {"uu_bad_line"}),
        ("8bit", b"\xff=41", b"\xff=41", set()),
        ("unknown", b"abc", b"abc", set()),
    ],
)
def test_oddities_are_named_and_read_as_far_as_they_go(
    encoding: str, octets: bytes, decoded: bytes, oddities: set[str]
) -> None:
    assert decode(encoding, octets) == (decoded, oddities)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), CUTS)
def test_uuencode_is_undone(octets: bytes, cuts: list[int]) -> None:
    lines = b"".join(binascii.b2a_uu(octets[at : at + 45]) for at in range(0, len(octets), 45))
    encoded = b"begin 644 odd.bin\n" + lines + b"`\nend\n"
    assert decode("x-uuencode", encoded.replace(b"\n", b"\r\n"), cuts) == (octets, set())


def test_what_a_decoder_holds_stays_small() -> None:
    for encoding, octets in (
        ("base64", b"Q" * 99_999),
        ("quoted-printable", b"= " * 50_000),
        ("x-uuencode", b"M" * 99_999),
    ):
        decoder = Decoder(encoding)
        for at in range(0, len(octets), 1_000):
            decoder.feed(octets[at : at + 1_000])
            assert len(decoder._held) <= 2_000


# Text


def part(charset: str = "", media_type: str = "text/plain", **parameters: str) -> Part:
    return Part("1", media_type, (("charset", charset), *parameters.items()))


def test_text_is_read_by_its_charset_with_line_ends_made_one_kind() -> None:
    assert text(part("koi8-r"), "да\r\nнет\rда\n".encode("koi8-r")) == "да\nнет\nда\n"
    assert text(part("utf-8"), b"\xef\xbb\xbfbom") == "bom"
    assert text(part("nope"), b"caf\xe9") == "café"
    assert text(part("utf-7"), b"+AGE-") == "+AGE-"


def test_flowed_text_is_joined_only_when_the_part_says_so() -> None:
    flowed = b"one \r\ntwo\r\n"
    assert text(part("utf-8", format="flowed"), flowed) == "one two\n"
    assert text(part("utf-8"), flowed) == "one \ntwo\n"
    assert text(part("utf-8", "text/html", format="flowed"), flowed) == "one \ntwo\n"
    assert text(part("utf-8", format="Flowed", delsp="yes"), flowed) == "onetwo\n"


@pytest.mark.parametrize(
    ("plain", "joined"),
    [
        ("fixed\nlines", "fixed\nlines"),
        ("a \nb \nc\nd", "a b c\nd"),
        ("> q1 \n> q2\nown", "> q1 q2\nown"),
        ("> q1 \n>> deeper\n", "> q1 \n>> deeper\n"),
        ("text \n-- \nname", "text \n-- \nname"),
        (" From here", "From here"),
        (" > not a quote", "> not a quote"),
        ("ends flowed ", "ends flowed "),
        ("", ""),
    ],
)
def test_flowed_lines_are_joined_as_rfc_3676_says(plain: str, joined: str) -> None:
    assert unflow(plain) == joined


ESCAPED = st.lists(
    st.sampled_from([b"=", b"=4", b"=41", b"=e", b"=E9", b" ", b"\t", b"\r\n", b"\n", b"\r", b"a", b"\xe9", b" " * 101])
).map(b"".join)


@given(ESCAPED)
def test_quoted_printable_is_read_as_by_one_rule_after_the_other(octets: bytes) -> None:
    bad = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]{0,100}\r?\n)")
    whole = octets.removesuffix(b"=")
    plain = re.sub(rb"=[ \t]{0,100}\r?\n", b"", bad.sub(b"=3D", whole))
    oddities = {"qp_bad_escape"} if bad.search(whole) else set()
    if any(blank in octets for blank in (b" \r\n", b" \n", b"\t\r\n", b"\t\n")):
        oddities.add("qp_trailing_blank")
    assert decode("quoted-printable", octets, []) == (binascii.a2b_qp(plain), oddities)
