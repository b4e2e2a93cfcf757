"""Canonical forms, beside those of dkimpy."""

from __future__ import annotations

import pytest
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.canonical import BLOCK, canonical_body, canonical_field, fields_of

LINES = st.lists(st.sampled_from([b"", b" ", b"\t", b"a", b"a ", b" a\t b", b"a  \t", b"- x"]), max_size=12)


def body_of(octets: bytes, *, relaxed: bool, size: int = BLOCK) -> bytes:
    return b"".join(canonical_body(memoryview(octets), relaxed=relaxed, size=size))


@given(LINES, st.booleans(), st.integers(1, 7))
def test_bodies_are_those_of_dkimpy_wherever_a_block_ends(lines: list[bytes], ended: bool, size: int) -> None:
    octets = b"\r\n".join([*lines, b""] if ended else lines)
    relaxed, simple = (body_of(octets, relaxed=one, size=size) for one in (True, False))
    ended_octets = octets if not octets or octets.endswith(b"\r\n") else octets + b"\r\n"
    assert relaxed == Relaxed.canonicalize_body(ended_octets)
    assert simple == Simple.canonicalize_body(ended_octets)


@pytest.mark.parametrize("unit", [b"\r\n", b" ", b" \r\n", b"a", b"a \r\n", b"\t\t \r\n\r\n"])
def test_a_long_body_of_one_thing_grows_by_a_line_end_at_most(unit: bytes) -> None:
    octets = unit * (400 * BLOCK // len(unit))
    assert len(body_of(octets, relaxed=True)) <= len(octets) + 2


def test_fields_keep_their_octets_and_a_line_that_is_none_is_left_out() -> None:
    head = b"From: a@b.example\r\nno field\r\nSubject : one\r\n two\r\n\tthree\r\nX: "
    assert [field.name for field in fields_of(head)] == ["from", "subject", "x"]
    subject = fields_of(head)[1]
    assert subject.octets == b"Subject : one\r\n two\r\n\tthree"
    assert canonical_field(subject, relaxed=True) == b"subject:one two three"
    assert canonical_field(subject, relaxed=False) == subject.octets


@pytest.mark.parametrize("unit", [b"x", b"x \n ", b":", b"x:", b"\n", b" "])
def test_a_long_head_of_one_thing_is_read_once(unit: bytes) -> None:
    assert len(fields_of(unit * (400_000 // len(unit)))) <= 1
