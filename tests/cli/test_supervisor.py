"""The supervisor over small programs of our own making, as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.domain.errors import Overloaded
from gateway.process import ProgramLock, holder
from gateway.supervisor import Patience, StartFailed, Supervisor, read_status

Begin = Callable[..., tuple[Supervisor, asyncio.Task[None]]]
HASTE = Patience(ready=50, grace=50, first_pause=0.01, longest_pause=0.02)
PROGRAM = """
import os, sys, time, signal
from pathlib import Path
from gateway.process import ProgramLock, end_with_supervisor, say_ready
end_with_supervisor()
folder, name = Path(sys.argv[1]), sys.argv[2]
lock = ProgramLock(folder, name, patience=10)
with open(folder / "started", "a") as log: log.write(name + "\\n")
if name == "stubborn": signal.signal(signal.SIGTERM, signal.SIG_IGN)
if name == "broken": sys.exit(78)
def ended(*_):
    with open(folder / "ended", "a") as log: log.write(name + "\\n")
    sys.exit(0)
if name != "stubborn": signal.signal(signal.SIGTERM, ended)
def told(*_):
    with open(folder / "renewed", "a") as log: log.write(name + "\\n")
signal.signal(signal.SIGHUP, told)
if name != "silent": say_ready()
while True: time.sleep(300)
"""


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "program.py").write_text(PROGRAM)
    return (sys.executable, str(tmp_path / "program.py"), str(tmp_path))


@pytest.fixture
async def run_programs(tmp_path: Path, program: tuple[str, ...]) -> AsyncIterator[Begin]:
    running: list[tuple[Supervisor, asyncio.Task[None]]] = []

    def begin(*stages: tuple[str, ...], patience: Patience = HASTE) -> tuple[Supervisor, asyncio.Task[None]]:
        supervisor = Supervisor(tmp_path, program, environment="trial", stages=stages, patience=patience)
        running.append((supervisor, asyncio.create_task(supervisor.serve())))
        return running[-1]

    yield begin
    for supervisor, task in running:
        supervisor.stop()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


async def test_programs_start_by_stages_and_stop_in_the_opposite_order(tmp_path: Path, run_programs: Begin) -> None:
    supervisor, task = run_programs(("keyholder",), ("portal",))
    await until(lambda: read_status(tmp_path).get("portal", {}).get("ready"))
    assert lines(tmp_path / "started") == ["keyholder", "portal"]
    supervisor.stop()
    await task
    assert lines(tmp_path / "ended") == ["portal", "keyholder"]
    assert holder(tmp_path, "keyholder") is None


async def test_every_program_is_told_to_renew_its_certificates(tmp_path: Path, run_programs: Begin) -> None:
    supervisor, _ = run_programs(("keyholder",), ("portal",))
    await until(lambda: read_status(tmp_path).get("portal", {}).get("ready"))
    before = {name: one["pid"] for name, one in read_status(tmp_path).items()}
    supervisor.renew()
    await until(lambda: sorted(lines(tmp_path / "renewed")) == ["keyholder", "portal"])
    assert {name: one["pid"] for name, one in read_status(tmp_path).items()} == before


async def test_a_program_that_dies_is_started_again(tmp_path: Path, run_programs: Begin) -> None:
    run_programs(("keyholder",))
    await until(lambda: read_status(tmp_path).get("keyholder", {}).get("ready"))
    first = read_status(tmp_path)["keyholder"]["pid"]
    os.kill(first, signal.SIGKILL)
    await until(lambda: (now := read_status(tmp_path)["keyholder"])["pid"] != first and now["ready"])
    assert read_status(tmp_path)["keyholder"]["restarts"] == 1


async def test_a_program_that_cannot_start_ends_the_start(tmp_path: Path, run_programs: Begin) -> None:
    _, task = run_programs(("keyholder",), ("broken",))
    with pytest.raises(StartFailed) as failure:
        await task
    assert failure.value.code == 78
    assert lines(tmp_path / "ended") == ["keyholder"]


async def test_a_program_that_never_says_ready_ends_the_start(run_programs: Begin) -> None:
    patience = Patience(ready=0.5, grace=5)
    _, task = run_programs(("silent",), patience=patience)
    with pytest.raises(StartFailed):
        await task


async def test_a_program_that_does_not_stop_is_killed(tmp_path: Path, run_programs: Begin) -> None:
    supervisor, task = run_programs(("stubborn",), patience=Patience(ready=50, grace=1))
    await until(lambda: read_status(tmp_path).get("stubborn", {}).get("ready"))
    supervisor.stop()
    await task
    assert holder(tmp_path, "stubborn") is None


async def test_a_stop_during_the_start_leaves_nobody(tmp_path: Path, run_programs: Begin) -> None:
    supervisor, task = run_programs(("silent",), patience=Patience(ready=60, grace=5))
    await until(lambda: lines(tmp_path / "started"))
    supervisor.stop()
    await task
    assert holder(tmp_path, "silent") is None


async def test_a_second_supervisor_is_refused(tmp_path: Path, run_programs: Begin) -> None:
    held = ProgramLock(tmp_path, "supervisor")
    _, task = run_programs(("keyholder",))
    with pytest.raises(Overloaded, match=str(os.getpid())):
        await task
    held.release()


def test_children_end_with_a_supervisor_that_was_killed(tmp_path: Path, program: tuple[str, ...]) -> None:
    main = f"""
import asyncio
from pathlib import Path
from gateway.supervisor import Supervisor
supervisor = Supervisor(Path({str(tmp_path)!r}), {program!r}, environment="trial", stages=(("keyholder", "portal"),))
asyncio.run(supervisor.serve())
"""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", main], os.environ)
    wait_for(lambda: all(one.get("ready") for one in read_status(tmp_path).values()) and read_status(tmp_path))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: not holder(tmp_path, "keyholder") and not holder(tmp_path, "portal"))
    assert holder(tmp_path, "supervisor") is None
    assert json.loads((tmp_path / "supervisor.json").read_text())


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
