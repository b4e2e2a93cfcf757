"""The quick reading of a header block without faults says exactly what the slow one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.mime import headerblock
from gateway.mime.headerblock import split_header_block
from gateway.mime.structure import Limits

_NAMES = st.sampled_from(
    [b"Subject", b"To", b"to", b"Bcc", b"X-A", b"Content-Type", b"From ", b"F\xc3\xb6", b"", b"A:B"]
)
_VALUES = st.sampled_from(
    [b" a", b"", b" a\r\n b", b" a\r\n\tb: c", b" =?utf-8?q?a?=", b" \xe4", b"\r\n ", b" a\rb", b" a\0"]
)
_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])
_JUNK = st.sampled_from([b"", b"", b"", b"junk\r\n", b"From a\r\n", b">From b\r\n", b" blank\r\n", b": none\r\n"])
_FIELDS = st.builds(lambda junk, name, value, end: junk + name + b":" + value + end, _JUNK, _NAMES, _VALUES, _ENDS)


@given(fields=st.lists(_FIELDS, max_size=12), offset=st.integers(0, 9), most=st.integers(1, 12), smtputf8=st.booleans())
def test_the_quick_reading_equals_the_slow_one(fields: list[bytes], offset: int, most: int, smtputf8: bool) -> None:
    block, limits = b"".join(fields), Limits(headers=most)
    quick = split_header_block(block, offset, "1", limits, smtputf8=smtputf8)
    slow = headerblock._split_slowly(block, offset, "1", limits, smtputf8=smtputf8)
    assert (quick.headers, quick.defects) == (slow.headers, slow.defects)
    assert (quick.length, quick.is_over_cap) == (slow.length, slow.is_over_cap)
    assert quick.may_have_words or b"=?" not in block
    assert {name: quick.value(name) for name in ("to", "bcc")} == {name: slow.value(name) for name in ("to", "bcc")}


def test_a_block_without_faults_is_read_quickly() -> None:
    block = b"Subject: a\r\n b\r\nTo: c\r\nTo: d\r\n"
    read = headerblock._well_formed(block, 5)
    assert read is not None
    assert [(header.key, header.value, header.offset, header.length) for header in read] == [
        ("subject", b" a\r\n b", 5, 16),
        ("to", b" c", 21, 7),
        ("to", b" d", 28, 7),
    ]
