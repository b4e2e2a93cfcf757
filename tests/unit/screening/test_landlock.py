from __future__ import annotations

import struct

import pytest

from gateway.screening.landlock import ruleset


@pytest.mark.parametrize(
    ("version", "files", "more"),
    [(1, 13, ()), (2, 14, ()), (3, 15, ()), (4, 15, (3,)), (5, 16, (3,)), (6, 16, (3, 3)), (9, 16, (3, 3))],
)
def test_every_right_that_a_version_knows_is_taken_and_none_that_it_does_not(
    version: int, files: int, more: tuple[int, ...]
) -> None:
    octets = ruleset(version)
    assert struct.unpack(f"={len(octets) // 8}Q", octets) == ((1 << files) - 1, *more)
