from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.wake import Caller, Waker, notify, wake_path


@pytest.fixture
def run() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gw"))
    yield folder
    shutil.rmtree(folder)


async def test_a_waiting_program_is_woken(run: Path) -> None:
    with Waker(run, "notifier") as waker:
        asyncio.get_running_loop().call_later(0.01, notify, run, "notifier")
        assert await waker.wait(10)


async def test_a_wake_up_before_the_wait_is_not_lost(run: Path) -> None:
    with Waker(run, "notifier") as waker:
        notify(run, "notifier")
        assert await waker.wait(10)


async def test_many_wake_ups_are_one(run: Path) -> None:
    with Waker(run, "notifier") as waker:
        for _ in range(20):
            notify(run, "notifier")
        assert await waker.wait(10)
        assert not await waker.wait(0.01)


async def test_nobody_listening_is_no_error(run: Path) -> None:
    notify(run, "notifier")
    notify(run / "absent", "notifier")


async def test_a_socket_left_by_the_dead_is_replaced(run: Path) -> None:
    left = Waker(run, "notifier")
    with Waker(run, "notifier") as waker:
        left.close()
        assert wake_path(run, "notifier").exists()
        notify(run, "notifier")
        assert await waker.wait(10)
    assert not wake_path(run, "notifier").exists()


async def test_a_caller_wakes_at_most_once_in_each_turn(run: Path) -> None:
    caller = Caller(run, "notifier")
    with Waker(run, "notifier") as waker:
        for _ in range(20):
            caller()
        assert await waker.wait(5)
        assert not await waker.wait(0.05)
        caller()
        assert await waker.wait(5)
    caller()
    await asyncio.sleep(0)
    caller.close()
