"""Pages of TIFF files: counted by their directories, whatever these say of themselves."""

from __future__ import annotations

import struct

import hypothesis
import hypothesis.strategies as st
import pytest

from gateway.mime.fax.tiff import MAX_PAGES, read_tiff
from tests.faxes import COARSE, FINE, tiff

THREE = tiff(("one", "two", "three"))


def tiny(pages: int, *, last: int = 0) -> bytes:
    """A TIFF of pages of one octet each, whose last directory points to an offset."""
    out = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number in range(pages):
        at = len(out)
        strip = at + 2 + 12 * 4 + 4
        tags = [(256, 3, 8), (257, 3, 1), (273, 4, strip), (279, 4, 1)]
        out += struct.pack("<H", len(tags))
        for tag, kind, value in tags:
            out += struct.pack("<HHII", tag, kind, 1, value)
        following = strip + 2 if number + 1 < pages else last
        out += struct.pack("<I", following) + bytes([number % 251, 0])
    return bytes(out)


@pytest.mark.parametrize("compression", ["group3", "group4"])
@pytest.mark.parametrize("resolution", [COARSE, FINE])
def test_pages_of_fax_machines_are_counted(compression: str, resolution: tuple[int, int]) -> None:
    found = read_tiff(tiff(("one", "two", "three", "four"), resolution, compression))
    assert (len(found.digests), found.fault) == (4, "")
    assert len(set(found.digests)) == 4


def test_the_same_page_in_another_file_has_the_same_digest() -> None:
    assert read_tiff(tiff(("two",))).digests[0] == read_tiff(THREE).digests[1]


def test_a_fax_of_six_hundred_pages_is_counted() -> None:
    assert len(read_tiff(tiny(600)).digests) == 600


def test_a_directory_that_points_back_ends_the_walk() -> None:
    assert read_tiff(tiny(3, last=8)).fault == "loop"
    assert len(read_tiff(tiny(3, last=8)).digests) == 3


def test_more_pages_than_any_fax_has_end_the_walk() -> None:
    found = read_tiff(tiny(MAX_PAGES + 5))
    assert (len(found.digests), found.fault) == (MAX_PAGES, "too-many-pages")


@pytest.mark.parametrize("length", [9, 20, 200, len(THREE) - 40])
def test_a_file_that_was_cut_off_says_so(length: int) -> None:
    assert read_tiff(THREE[:length]).fault == "truncated"


def test_a_program_that_calls_itself_a_picture_is_none() -> None:
    assert read_tiff(b"MZ\x90\0" + bytes(200)).fault == "not-tiff"


def test_a_picture_made_smaller_is_no_page_of_its_own() -> None:
    small = tiny(1).replace(struct.pack("<HHII", 256, 3, 1, 8), struct.pack("<HHII", 254, 4, 1, 1))
    assert read_tiff(small).digests == ()


def test_a_thousand_strips_at_one_place_are_not_read_a_thousand_times() -> None:
    out = bytearray(b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2))
    count, arrays = 1000, 8 + 2 + 24 + 4
    out += struct.pack("<HHII", 273, 4, count, arrays) + struct.pack("<HHII", 279, 4, count, arrays + 4 * count)
    out += struct.pack("<I", 0) + struct.pack("<I", 8) * count + struct.pack("<I", 4000) * count
    assert read_tiff(bytes(out)).fault == "truncated"


@hypothesis.given(st.binary(max_size=400), st.integers(0, 400))
def test_no_octets_make_the_walk_fail(noise: bytes, at: int) -> None:
    octets = tiny(5)
    read_tiff(octets[:at] + noise + octets[at + len(noise) :])
