from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.portal.ranges import Span, Unsatisfiable, wanted_span


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 100),
        ("bytes=99-", 99, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=10-500", 10, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-500", 0, 100),
        ("BYTES=5-6", 5, 7),
    ],
)
def test_one_range_is_given(header: str, start: int, stop: int) -> None:
    assert wanted_span(header, 100) == Span(start, stop, 100)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=1", "0-5"]
)
def test_anything_else_gets_the_whole(header: str | None) -> None:
    assert wanted_span(header, 100) is None


@pytest.mark.parametrize(
    ("header", "whole"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_outside_cannot_be_satisfied(header: str, whole: int) -> None:
    with pytest.raises(Unsatisfiable):
        wanted_span(header, whole)


@given(st.integers(0, 200), st.integers(0, 200) | st.none(), st.integers(1, 150))
def test_a_span_is_what_slicing_gives(first: int, last: int | None, whole: int) -> None:
    octets = bytes(range(150))[:whole]
    expected = octets[first:] if last is None else octets[first : last + 1]
    try:
        span = wanted_span(f"bytes={first}-{'' if last is None else last}", whole)
    except Unsatisfiable:
        assert not expected
        return
    if span is None:
        assert last is not None
        assert last < first
    else:
        assert octets[span.start : span.stop] == expected
        assert span.content_range == f"bytes {span.start}-{span.stop - 1}/{whole}"
        assert span.length == len(expected)
