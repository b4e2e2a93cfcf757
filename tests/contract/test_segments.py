"""Segments and blobs on a real disk."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import StoreUnavailable, Tampered
from gateway.failpoints import arm
from gateway.store.blobs import SWEEP_AGE_SECONDS, BlobFolder, start_of
from gateway.store.packs import PAGE_OCTETS
from gateway.store.sealing import (
    FRAME_OCTETS,
    SEALED_FRAME_OCTETS,
    body_key,
    new_key,
    open_box,
    part_key,
    sealed_length,
)
from gateway.store.segments import INLINE_OCTETS, PACKED_OCTETS, SealedSegment, SegmentReader, SegmentWriter

CONTENT = new_key()
BODY = body_key(CONTENT, "m1")
ON_DISK = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

LONG = PACKED_OCTETS + 7
"""What has a file of its own."""
LENGTHS = st.sampled_from([0, 1, INLINE_OCTETS, INLINE_OCTETS + 1, FRAME_OCTETS, 3 * FRAME_OCTETS + 7, LONG])


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs", reserve_octets=0)


@pytest.fixture
def failpoints() -> Iterator[Callable[[str], None]]:
    yield arm
    arm("")


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


def at_rest(blobs: BlobFolder, segment: SealedSegment) -> bytes:
    if segment.inline is not None:
        return segment.inline
    assert segment.blob is not None
    return blobs.read(segment.blob, 0, sealed_length(segment.octets))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("length", [0, 1, INLINE_OCTETS - 1, INLINE_OCTETS])
def test_what_is_short_stays_in_the_row(blobs: BlobFolder, tmp_path: Path, length: int) -> None:
    segment = written(blobs, octets_of(length))
    assert segment.blob is None
    assert segment.inline is not None
    assert len(segment.inline) == sealed_length(length)
    assert files(tmp_path) == []
    assert reading(blobs, as_row(segment)) == octets_of(length)


@pytest.mark.parametrize("length", [INLINE_OCTETS + 1, FRAME_OCTETS + 1, PACKED_OCTETS])
def test_what_is_longer_goes_into_a_pack_that_all_share(blobs: BlobFolder, tmp_path: Path, length: int) -> None:
    first, second = written(blobs, octets_of(length)), written(blobs, octets_of(length))
    assert (first.inline, second.inline) == (None, None)
    assert first.blob is not None
    assert second.blob is not None
    [path] = files(tmp_path)
    assert path == blobs.path(first.blob) == blobs.path(second.blob)
    assert path.name == first.blob[:32] == second.blob[:32]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for segment in (first, second):
        assert reading(blobs, as_row(segment)) == octets_of(length)


def test_one_octet_more_than_a_pack_takes_has_a_file_of_its_own(blobs: BlobFolder, tmp_path: Path) -> None:
    segment = written(blobs, octets_of(PACKED_OCTETS + 1))
    assert segment.inline is None
    assert segment.blob == segment.id
    [path] = files(tmp_path)
    assert path == blobs.path(segment.id)
    assert path.stat().st_size == sealed_length(PACKED_OCTETS + 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert reading(blobs, as_row(segment)) == octets_of(PACKED_OCTETS + 1)


@pytest.mark.parametrize("length", [0, 5, FRAME_OCTETS, 3 * FRAME_OCTETS + 7, LONG])
def test_the_row_tells_length_and_hash_of_the_ciphertext(blobs: BlobFolder, length: int) -> None:
    segment = written(blobs, octets_of(length))
    ciphertext = at_rest(blobs, segment)
    row = segment.row("m1", BODY, part="2", ordinal=3)
    assert row["octets"] == length
    assert row["ciphertext_sha256"] == hashlib.sha256(ciphertext).hexdigest()
    assert (row["message_id"], row["part"], row["ordinal"]) == ("m1", "2", 3)
    assert open_box(BODY, row["wrapped_key"], f"segment key {segment.id}") == segment.key  # type: ignore[arg-type]


def test_a_row_and_a_blob_hold_no_key_and_no_plaintext(blobs: BlobFolder) -> None:
    secret = os.urandom(16)
    for length in (100, 3 * FRAME_OCTETS, LONG):
        segment = written(blobs, secret * (length // 16))
        resting = repr(segment.row("m1", BODY)).encode() + at_rest(blobs, segment)
        assert secret not in resting
        assert segment.key not in resting
        assert repr(segment.key).encode() not in resting


@ON_DISK
@given(st.lists(st.integers(0, 3 * FRAME_OCTETS) | LENGTHS, max_size=5), st.data())
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
    segment = written(blobs, octets_of(LONG))
    path = blobs.path(segment.id)
    path.write_bytes(bytes(SEALED_FRAME_OCTETS) + path.read_bytes()[SEALED_FRAME_OCTETS:])
    row = as_row(segment)
    assert reading(blobs, row, FRAME_OCTETS, 100) == octets_of(LONG)[FRAME_OCTETS : FRAME_OCTETS + 100]
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
        reading(blobs, as_row(mine._replace(id=other.id), wrapped_key=as_row(mine).wrapped_key))


def test_a_changed_length_does_not_open(blobs: BlobFolder) -> None:
    segment = written(blobs, octets_of(3 * FRAME_OCTETS))
    for octets in (FRAME_OCTETS, 3 * FRAME_OCTETS - 1, 3 * FRAME_OCTETS + 1, 4 * FRAME_OCTETS):
        with pytest.raises(Tampered):
            reading(blobs, as_row(segment, octets=octets))


@pytest.mark.parametrize("length", [3 * FRAME_OCTETS, LONG])
def test_a_missing_or_short_blob_is_tampering(blobs: BlobFolder, length: int) -> None:
    segment = written(blobs, octets_of(length))
    path = blobs.path(str(segment.blob))
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
    for length in (10, 5 * FRAME_OCTETS, LONG):
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
    writer.write(octets_of(LONG))
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
    kept, orphan, young = (written(blobs, octets_of(LONG)).id for _ in range(3))
    unfinished = blobs.create("cd" * 16)
    unfinished.write(b"x")
    now = blobs.path(kept).stat().st_mtime + SWEEP_AGE_SECONDS + 100
    for path in (blobs.path(kept), blobs.path(orphan), tmp_path / "blobs" / "tmp" / ("cd" * 16)):
        os.utime(path, (now - SWEEP_AGE_SECONDS - 50,) * 2)
    os.utime(blobs.path(young), (now - SWEEP_AGE_SECONDS + 50,) * 2)
    assert blobs.sweep([orphan, young, "ef" * 16], now) == 2
    assert sorted(blobs.names()) == sorted([kept, young])
    assert list((tmp_path / "blobs" / "tmp").iterdir()) == []


def test_a_body_written_after_a_failed_sync_stands_in_another_pack(
    blobs: BlobFolder, failpoints: Callable[[str], None]
) -> None:
    before = written(blobs, octets_of(20_000))
    unsettled = [SegmentWriter(blobs), SegmentWriter(blobs)]
    for writer in unsettled:
        writer.write(octets_of(30_000))
    sealed = [writer.finish_unsettled() for writer in unsettled]
    failpoints("blob.fsync=eio@1")
    for segment in sealed:  # the second time it is not tried again
        with pytest.raises(StoreUnavailable):
            segment.settle()
    after = written(blobs, octets_of(20_000))
    assert str(after.blob)[:32] != str(before.blob)[:32]
    assert reading(blobs, as_row(before)) == reading(blobs, as_row(after)) == octets_of(20_000)


def test_a_body_that_could_not_be_written_leaves_room_for_the_next(
    blobs: BlobFolder, failpoints: Callable[[str], None]
) -> None:
    first = written(blobs, octets_of(20_000))
    failpoints("blob.write.after=eio@1")
    with pytest.raises(StoreUnavailable):
        written(blobs, octets_of(50_000))
    second = written(blobs, octets_of(30_000))
    assert str(first.blob)[:32] == str(second.blob)[:32]
    assert reading(blobs, as_row(first)) == octets_of(20_000)
    assert reading(blobs, as_row(second)) == octets_of(30_000)


def test_no_body_is_told_durable_when_its_pack_was_deleted(blobs: BlobFolder) -> None:
    writer = SegmentWriter(blobs)
    writer.write(octets_of(20_000))
    sealed = writer.finish_unsettled()
    blobs.path(str(sealed.blob)).unlink()
    with pytest.raises(StoreUnavailable):
        sealed.settle()


def test_one_sync_settles_all_that_was_appended_before(blobs: BlobFolder, failpoints: Callable[[str], None]) -> None:
    writers = [SegmentWriter(blobs) for _ in range(3)]
    for writer in writers:
        writer.write(octets_of(20_000))
    sealed = [writer.finish_unsettled() for writer in writers]
    failpoints("blob.fsync=eio@2")  # a second sync would fail
    for segment in reversed(sealed):
        segment.settle()


def test_two_bodies_never_share_a_page(blobs: BlobFolder) -> None:
    for length in (17_000, 20_000, 65_536, 70_001):
        segment = written(blobs, octets_of(length))
        assert start_of(str(segment.blob)) % PAGE_OCTETS == 0
        assert reading(blobs, as_row(segment)) == octets_of(length)


def test_many_threads_share_one_pack(blobs: BlobFolder, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        segments = list(threads.map(lambda n: written(blobs, octets_of(17_000 + n)), range(64)))
    assert len(files(tmp_path)) == 1
    for n, segment in enumerate(segments):
        assert reading(blobs, as_row(segment)) == octets_of(17_000 + n)


def test_two_segments_never_share_key_or_id(blobs: BlobFolder) -> None:
    segments = [written(blobs, b"same") for _ in range(200)]
    assert len({segment.key for segment in segments}) == 200
    assert len({segment.id for segment in segments}) == 200
    assert len({segment.inline for segment in segments}) == 200
