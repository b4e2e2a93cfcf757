"""What nearly every mail has is read in a quick way, which gives what the plain way gives."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.words import unfold
from gateway.screening.extraction import families, headers

PIECES = st.sampled_from([
    b"Tour", b" ", b"\t", b"\r\n ", b"\n\t", b"\r", b"\n", b"=?", b"=", b"?", b"=?utf-8?q?=C3=A9?=",
    b"=?utf-8?b?NTM2?=", b"+", b"+AD", b"+ADUAMwA2-", b"/", b"+/wEx", b"\x1b$B", b"\x00", b"\xc3\xa9", b"\xe9",
    b"\xa3\xb5", b"\x7f", b"~", b"536-41-2879",
])  # fmt: skip
VALUES = st.lists(st.one_of(PIECES, st.binary(max_size=3)), max_size=8).map(b"".join)
MAGICS = st.sampled_from([magic for _, magic, _ in families._MAGIC])
BEGINNINGS = st.lists(st.one_of(MAGICS, st.binary(max_size=12), st.just(b"\0" * 20)), max_size=6).map(b"".join)


@given(VALUES)
def test_a_value_that_is_read_at_once_has_no_other_reading(value: bytes) -> None:
    assert headers.value_readings(value) == headers._every_reading(value)


@given(st.text("aA+=?/ 1-~", max_size=12))
def test_signs_of_encodings_in_printable_values_are_heeded(value: str) -> None:
    assert headers.value_readings(value.encode()) == headers._every_reading(value.encode())


def test_most_values_are_read_at_once() -> None:
    for value in (
        b" Tour accounting 2025",
        b" Mon, 18 May 2026 17:26:45 +0200",
        b" <H899QON4B3J2.637162855@a.example>",
    ):
        assert headers._ONE_READING.match(value)


@given(VALUES)
def test_a_value_without_a_line_end_is_unfolded_as_any_other(value: bytes) -> None:
    joined = re.sub(rb"[\r\n]+", b" ", re.sub(rb"\r?\n(?=[ \t])", b"", value))
    assert unfold(value) == joined.strip(b" \t\r\n")


@given(BEGINNINGS)
def test_every_mark_of_a_file_is_looked_for_by_its_first_octet(octets: bytes) -> None:
    seen = [row for row in families._MAGIC if octets.startswith(row[1], row[0])]
    may_be = families._BY_FIRST_OCTET[octets[0]] if octets else ()
    assert [row for row in may_be if octets.startswith(row[1], row[0])] == seen
