"""A received message's digests, however its octets are cut."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.casework.deposit import Received, ReceivedDeposit
from gateway.store.blobs import BlobFolder

ON_DISK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs", reserve_octets=0)


def received(blobs: BlobFolder, octets: bytes, cuts: list[int]) -> Received:
    deposit = ReceivedDeposit(blobs)
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    for start, stop in pairwise(places):
        deposit.write(octets[start:stop])
    return deposit.finish()


@ON_DISK
@given(
    st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a: b", b".", b"x"]), max_size=12).map(b"".join),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_the_digest_is_of_the_headers_and_the_bodys_wherever_blocks_end(
    blobs: BlobFolder, octets: bytes, cuts: list[int]
) -> None:
    # A message that begins with an empty line has no header: its body begins behind that line.
    found = (b"\r\n" + octets).find(b"\r\n\r\n")
    header, body = (octets, b"") if found < 0 else (octets[: found + 2], octets[found + 2 :])
    made = received(blobs, octets, cuts)
    parts = hashlib.sha256(header).digest(), hashlib.sha256(body).digest()
    assert made.digest == hashlib.sha256(b"".join(parts)).digest()
    assert made.body_digest == parts[1]


def test_messages_whose_octets_differ_have_different_digests(blobs: BlobFolder) -> None:
    texts = [
        b"a: b\r\n\r\nbody",
        b"a: b\r\n\r\nbod",
        b"a: c\r\n\r\nbody",
        b"a: b\r\nbody",
        b"\r\na: b\r\n\r\nbody",
        b"",
    ]
    assert len({received(blobs, text, []).digest for text in texts}) == len(texts)
