"""Mail of any octets and of any pieces: never an exception, and nothing missed in silence that another reader finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.verdict import Unread
from tests.corpus.ordinary_mail import ORDINARY
from tests.fuzz.soup import ENDS, PIECES, PLANTED, found, is_missed

SEEDS = sorted((Path(__file__).parents[3] / "fuzz" / "seeds").glob("*.eml"))


@st.composite
def soups(draw: st.DrawFn) -> bytes:
    """Lines of a mail in any order, one of them planted; line ends of one kind, seldom of several."""
    pieces = draw(st.lists(st.sampled_from(PIECES), max_size=24))
    pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(PLANTED)))
    if draw(st.integers(0, 9)):
        end = draw(st.sampled_from(ENDS[:4]))
        return end.join([*pieces, b""])
    return b"".join(piece + draw(st.sampled_from(ENDS)) for piece in pieces)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """An ordinary mail with some octets cut out, doubled or changed."""
    octets = ORDINARY[draw(st.sampled_from(sorted(ORDINARY)))].octets
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(octets)))
        until = min(at + draw(st.integers(0, 40)), len(octets))
        octets = (
            octets[:at]
            + draw(st.sampled_from([b"", octets[at:until] * 2, b"\0", b"\r", b"\n--", b"=?"]))
            + octets[until:]
        )
    return octets


@settings(max_examples=400)
@given(soups())
def test_what_another_reader_finds_is_found_or_told_as_unread(octets: bytes) -> None:
    assert not is_missed(octets)


@pytest.mark.sweep
@pytest.mark.timeout(600)
@settings(max_examples=6_000)
@given(soups())
def test_what_another_reader_finds_is_found_at_length(octets: bytes) -> None:
    assert not is_missed(octets)


@settings(max_examples=100)
@given(st.one_of(st.binary(max_size=400), broken()))
def test_mail_of_any_octets_is_read(octets: bytes) -> None:
    _, unread = found(octets)
    assert "mail" not in {each.detail for each in unread if each.why is Unread.CORRUPT}


@pytest.mark.sweep
@settings(max_examples=3_000)
@given(st.one_of(st.binary(max_size=2_000), broken()))
def test_mail_of_any_octets_is_read_at_length(octets: bytes) -> None:
    _, unread = found(octets)
    assert "mail" not in {each.detail for each in unread if each.why is Unread.CORRUPT}


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_what_was_once_missed_is_found(path: Path) -> None:
    text, unread = found(path.read_bytes())
    assert unread or "123-45-6780" in text
