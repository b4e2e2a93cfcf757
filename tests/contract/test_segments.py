"""Segments and blobs on a real disk."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import StoreUnavailable, Tampered
from gateway.store.blobs import SWEEP_AGE_SECONDS, BlobFolder
from gateway.store.sealing import (
    FRAME_OCTETS,
    SEALED_FRAME_OCTETS,
    body_key,
    new_key,
    open_box,
    part_key,
    sealed_length,
)
from gateway.store.segments import INLINE_FRAMES, SealedSegment, SegmentReader, SegmentWriter

CONTENT = new_key()
BODY = body_key(CONTENT, "m1")
ON_DISK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

ROW_OCTETS = INLINE_FRAMES * FRAME_OCTETS


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs", reserve_octets=0)


def octets_of(length: int) -> bytes:
    return hashlib.shake_128(str(length).encode()).digest(length)


def written(blobs: BlobFolder, *pieces: bytes) -> SealedSegment:
    writer = SegmentWriter(blobs)
    for piece in pieces:
        writer.write(piece)
    return writer.finish()


def as_row(segment: SealedSegment, **changes: Any) -> Any:
    return SimpleNamespace(**{**segment.row("m1", BODY), **changes})


def reading(blobs: BlobFolder, row: Any, start: int = 0, length: int | None = None, key: bytes = BODY) -> bytes:
    return b"".join(SegmentReader(blobs, row, key).read(start, length))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("length", [0, 1, FRAME_OCTETS, FRAME_OCTETS + 1, ROW_OCTETS - 1, ROW_OCTETS])
def test_what_fits_one_frame_stays_in_the_row(blobs: BlobFolder, tmp_path: Path, length: int) -> None:
    segment = written(blobs, octets_of(length))
    assert segment.blob is None
    assert segment.inline is not None
    assert len(segment.inline) == sealed_length(length)
    assert files(tmp_path) == []
    assert reading(blobs, as_row(segment)) == octets_of(length)


def test_one_octet_more_makes_a_blob_of_two_frames(blobs: BlobFolder, tmp_path: Path) -> None:
    segment = written(blobs, octets_of(ROW_OCTETS + 1))
    assert segment.inline is None
    assert segment.blob == segment.id
    [path] = files(tmp_path)
    assert path == blobs.path(segment.id)
    assert path.stat().st_size == sealed_length(ROW_OCTETS + 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert reading(blobs, as_row(segment)) == octets_of(ROW_OCTETS + 1)


@pytest.mark.parametrize("length", [0, 5, FRAME_OCTETS, 3 * FRAME_OCTETS + 7])
def test_the_row_tells_length_and_hash_of_the_ciphertext(blobs: BlobFolder, length: int) -> None:
    segment = written(blobs, octets_of(length))
    ciphertext = segment.inline if segment.inline is not None else blobs.path(segment.id).read_bytes()
    row = segment.row("m1", BODY, part="2", ordinal=3)
    assert row["octets"] == length
    assert row["ciphertext_sha256"] == hashlib.sha256(ciphertext).hexdigest()
    assert (row["message_id"], row["part"], row["ordinal"]) == ("m1", "2", 3)
    assert open_box(BODY, row["wrapped_key"], f"segment key {segment.id}") == segment.key  # type: ignore[arg-type]


def test_a_row_and_a_blob_hold_no_key_and_no_plaintext(blobs: BlobFolder) -> None:
    secret = os.urandom(16)
    for length in (100, 3 * FRAME_OCTETS):
        segment = written(blobs, secret * (length // 16))
        at_rest = repr(segment.row("m1", BODY)).encode()
        at_rest += segment.inline or blobs.path(segment.id).read_bytes()
        assert secret not in at_rest
        assert segment.key not in at_rest
        assert repr(segment.key).encode() not in at_rest


@ON_DISK
@given(st.lists(st.integers(0, 3 * FRAME_OCTETS), max_size=5), st.data())
def test_any_range_of_any_segment_reads_as_the_plaintext(
    blobs: BlobFolder, sizes: list[int], data: st.DataObject
) -> None:
    plaintext = octets_of(sum(sizes))
    pieces, at = [], 0
    for size in sizes:
        pieces.append(plaintext[at : at + size])
        at += size
    row = as_row(written(blobs, *pieces))
    reader = SegmentReader(blobs, row, BODY)
    for _ in range(3):
        start = data.draw(st.integers(0, len(plaintext)))
        length = data.draw(st.integers(0, len(plaintext) - start))
        got = list(reader.read(start, length))
        assert b"".join(got) == plaintext[start : start + length]
        assert all(0 < len(piece) <= FRAME_OCTETS for piece in got)
    assert b"".join(reader.read()) == plaintext


def test_an_empty_segment_is_checked_when_it_is_read(blobs: BlobFolder) -> None:
    segment = written(blobs)
    assert reading(blobs, as_row(segment)) == b""
    assert reading(blobs, as_row(segment), 0, 0) == b""
    with pytest.raises(Tampered):
        reading(blobs, as_row(segment, inline=bytes(16)))


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 11), (11, 0), (5, 6), (5, -1)])
def test_a_range_outside_the_segment_is_refused(blobs: BlobFolder, start: int, length: int) -> None:
    row = as_row(written(blobs, b"0123456789"))
    with pytest.raises(ValueError, match="outside"):
        reading(blobs, row, start, length)


def test_a_range_reads_only_the_frames_it_needs(blobs: BlobFolder) -> None:
    segment = written(blobs, octets_of(4 * FRAME_OCTETS))
    path = blobs.path(segment.id)
    path.write_bytes(bytes(SEALED_FRAME_OCTETS) + path.read_bytes()[SEALED_FRAME_OCTETS:])
    row = as_row(segment)
    assert reading(blobs, row, FRAME_OCTETS, 100) == octets_of(4 * FRAME_OCTETS)[FRAME_OCTETS : FRAME_OCTETS + 100]
    with pytest.raises(Tampered):
        reading(blobs, row, FRAME_OCTETS - 1, 100)


def test_another_segments_octets_under_this_row_do_not_open(blobs: BlobFolder) -> None:
    mine, other = written(blobs, b"a" * 100), written(blobs, b"a" * 100)
    with pytest.raises(Tampered):
        reading(blobs, as_row(mine, inline=other.inline))
    big, bigger = (written(blobs, octets_of(3 * FRAME_OCTETS)) for _ in range(2))
    with pytest.raises(Tampered):
        reading(blobs, as_row(big, blob=bigger.blob))
    with pytest.raises(Tampered):
        reading(blobs, as_row(replace(mine, id=other.id), wrapped_key=as_row(mine).wrapped_key))


def test_a_changed_length_does_not_open(blobs: BlobFolder) -> None:
    segment = written(blobs, octets_of(3 * FRAME_OCTETS))
    for octets in (FRAME_OCTETS, 3 * FRAME_OCTETS - 1, 3 * FRAME_OCTETS + 1, 4 * FRAME_OCTETS):
        with pytest.raises(Tampered):
            reading(blobs, as_row(segment, octets=octets))


def test_a_missing_or_short_blob_is_tampering(blobs: BlobFolder) -> None:
    segment = written(blobs, octets_of(3 * FRAME_OCTETS))
    path = blobs.path(segment.id)
    os.truncate(path, SEALED_FRAME_OCTETS + 5)
    with pytest.raises(Tampered, match="cut short"):
        reading(blobs, as_row(segment))
    path.unlink()
    with pytest.raises(Tampered, match="missing"):
        reading(blobs, as_row(segment))
    with pytest.raises(Tampered, match="missing"):
        reading(blobs, as_row(segment, blob=None))


def test_a_wrong_body_or_part_key_opens_nothing(blobs: BlobFolder) -> None:
    row = as_row(written(blobs, b"text"))
    for key in (body_key(CONTENT, "m2"), part_key(CONTENT, "m1", "1"), new_key(), CONTENT):
        with pytest.raises(Tampered):
            reading(blobs, row, key=key)


def test_an_abandoned_segment_leaves_nothing(blobs: BlobFolder, tmp_path: Path) -> None:
    for length in (10, 5 * FRAME_OCTETS):
        writer = SegmentWriter(blobs)
        writer.write(octets_of(length))
        writer.abandon()
        writer.abandon()
        assert files(tmp_path) == []
        with pytest.raises(StoreUnavailable):
            writer.write(b"more")
        with pytest.raises(StoreUnavailable):
            writer.finish()


def test_a_blob_is_under_its_name_only_when_it_is_whole(blobs: BlobFolder, tmp_path: Path) -> None:
    writer = SegmentWriter(blobs)
    writer.write(octets_of(4 * FRAME_OCTETS))
    assert list(blobs.names()) == []
    assert [path.parent.name for path in files(tmp_path)] == ["tmp"]
    segment = writer.finish()
    assert list(blobs.names()) == [segment.blob]


def test_a_blob_is_never_written_over(blobs: BlobFolder) -> None:
    first = blobs.create("ab" * 16)
    with pytest.raises(StoreUnavailable):
        blobs.create("ab" * 16)
    first.abandon()


@pytest.mark.parametrize("name", ["", "a", "../" + "a" * 29, "A" * 32, "a" * 33, "a" * 32 + "\n", "g" * 32])
def test_a_name_that_is_no_id_reaches_no_file(blobs: BlobFolder, name: str) -> None:
    for use in (blobs.create, blobs.path, lambda name: blobs.read(name, 0, 1), lambda name: blobs.sweep([name], 0)):
        with pytest.raises(ValueError, match="32 hex"):
            use(name)


def test_the_sweep_takes_only_what_is_old_and_unknown(blobs: BlobFolder, tmp_path: Path) -> None:
    kept, orphan, young = (written(blobs, octets_of(3 * FRAME_OCTETS)).id for _ in range(3))
    unfinished = blobs.create("cd" * 16)
    unfinished.write(b"x")
    now = blobs.path(kept).stat().st_mtime + SWEEP_AGE_SECONDS + 100
    for path in (blobs.path(kept), blobs.path(orphan), tmp_path / "blobs" / "tmp" / ("cd" * 16)):
        os.utime(path, (now - SWEEP_AGE_SECONDS - 50,) * 2)
    os.utime(blobs.path(young), (now - SWEEP_AGE_SECONDS + 50,) * 2)
    assert blobs.sweep([orphan, young, "ef" * 16], now) == 2
    assert sorted(blobs.names()) == sorted([kept, young])
    assert list((tmp_path / "blobs" / "tmp").iterdir()) == []


def test_two_segments_never_share_key_or_id(blobs: BlobFolder) -> None:
    segments = [written(blobs, b"same") for _ in range(200)]
    assert len({segment.key for segment in segments}) == 200
    assert len({segment.id for segment in segments}) == 200
    assert len({segment.inline for segment in segments}) == 200
