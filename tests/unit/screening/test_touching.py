"""Pages that a look writes to are found and copied, where the kernel tells of them."""

from __future__ import annotations

import mmap
import os

from gateway.screening import touching


def test_pages_that_a_fork_writes_to_are_found_and_can_be_copied() -> None:
    with mmap.mmap(-1, 64 * mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = b"x" * len(memory)

        def write() -> None:
            memory[40 * mmap.PAGESIZE] = 1

        told = touching.find_touched(write)
        assert sum(length for _, length in told) >= mmap.PAGESIZE
        assert touching.copy_pages(told)


def test_where_nothing_is_known_nothing_is_copied() -> None:
    assert not touching.copy_pages([])


def test_a_trial_that_fails_tells_nothing_and_ends_alone() -> None:
    def fail() -> None:
        raise RuntimeError("no look")

    here = os.getpid()
    assert touching.find_touched(fail) == []
    assert os.getpid() == here
