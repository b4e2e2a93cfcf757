from __future__ import annotations

import os
from collections.abc import Callable

from gateway.process import keep_to_core


def cores_after(act: Callable[[], None]) -> set[int]:
    """Return the cores that a process of its own may use once it has done this."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        act()
        os.write(writable, repr(os.sched_getaffinity(0)).encode("ascii"))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(readable, 10_000).decode("ascii")
    os.close(readable)
    os.close(writable)
    return {int(core) for core in told.strip("{}").split(",")}


def test_a_process_kept_to_a_core_runs_on_one_that_it_might_use() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    for number in range(2 * len(allowed)):
        assert cores_after(lambda number=number: keep_to_core(number)) == {allowed[number % len(allowed)]}  # type: ignore[misc]


def test_a_number_above_the_cores_begins_again_with_the_first() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    assert cores_after(lambda: keep_to_core(len(allowed))) == {allowed[0]}
