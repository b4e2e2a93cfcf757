"""Pages that a look writes to are found and copied, where the kernel tells of them."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

from gateway.screening import touching


def test_pages_that_a_fork_writes_to_are_found_and_can_be_copied() -> None:
    with mmap.mmap(-1, 64 * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = b"x" * len(memory)

        def write() -> None:
            memory[40 * mmap.PAGESIZE] = 1

        told = touching.find_touched(write)
        assert sum(length for _, length in told.written) >= mmap.PAGESIZE
        assert touching.copy_pages(told)


def test_pages_of_files_that_a_fork_reads_are_found_and_are_no_pages_to_copy(tmp_path: Path) -> None:
    held = tmp_path / "library"
    held.write_bytes(b"x" * 64 * mmap.PAGESIZE)
    with held.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as memory:
        start = _start_of(held)

        def read() -> None:
            assert memory[40 * mmap.PAGESIZE] == ord("x")

        def is_told(spans: Sequence[touching.Span]) -> bool:
            return any(at <= start + 40 * mmap.PAGESIZE < at + length for at, length in spans)

        told = touching.find_touched(read)
        assert is_told(told.read)
        assert not is_told(told.written)
        assert not is_told(touching.find_touched(lambda: None).read)
        assert touching.copy_pages(told)


def _start_of(file: Path) -> int:
    lines = Path("/proc/self/maps").read_text("ascii", "replace").splitlines()
    return next(int(line.partition("-")[0], 16) for line in lines if line.endswith(str(file)))


def test_memory_that_is_gathered_holds_what_it_held_in_this_process_and_in_its_forks() -> None:
    held = os.urandom(8 << 20)
    with mmap.mmap(-1, len(held), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = held
        touching.gather()  # how much of it is gathered is for the kernel to say

        def write() -> None:
            memory[40 * mmap.PAGESIZE] ^= 1

        assert sum(length for _, length in touching.find_touched(write).written) >= mmap.PAGESIZE
        assert memory[:] == held


def test_where_nothing_is_known_nothing_is_copied() -> None:
    assert not touching.copy_pages(touching.Touched())


def test_a_trial_that_fails_tells_nothing_and_ends_alone() -> None:
    def fail() -> None:
        raise RuntimeError("no look")

    here = os.getpid()
    assert touching.find_touched(fail) == touching.Touched()
    assert os.getpid() == here
