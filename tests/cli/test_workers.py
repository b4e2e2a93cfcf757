"""The first process of several and its workers, as real processes over a door of our own making."""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.process import READY_VARIABLE
from tests.worlds import children_of

PATIENCE = 60.0
PROGRAM = """
import asyncio, os, signal, sys, time
from pathlib import Path
from gateway.domain.errors import GatewayError
from gateway.inbound.doors import Bound
from gateway.inbound.listener import bind_port
from gateway.inbound.listener.handover import HandedPeers
from gateway.inbound.listener.tally import CONNECTIONS, Tally
from gateway.process import ignore_hangup, say_ready
from gateway.workers import Crew, Patience

folder, workers, mode = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
said = lambda name: (folder / name).open("a")
ignore_hangup()
bound = bind_port("127.0.0.1", 0)
(folder / "port").write_text(str(bound[0].getsockname()[1]))
tally = Tally(workers, 1000)
grace = 1 if mode == "stubborn" else 50
patience = Patience(ready=50, grace=grace, first_pause=0.01, longest_pause=0.05)
try:
    post = Crew("door", "trial", [Bound("door", "127.0.0.1", 0, tuple(bound))], tally, patience).run()
except GatewayError as problem:
    sys.exit(problem.code if problem.code > 0 else 69)
if post is None:
    sys.exit(0)
if mode == "broken" and post.number == 1: sys.exit(78)
if mode == "late" and post.number == 1:
    while not (folder / "go").exists(): time.sleep(0.01)
if mode == "once" and (folder / "served").exists(): sys.exit(77)
column = tally.column(post.number)

class Peer(asyncio.Protocol):
    def connection_made(self, link):
        column.add(CONNECTIONS, 1)
        link.write(f"{os.getpid()} {column.sum(CONNECTIONS)}\\n".encode())
    def connection_lost(self, _):
        column.add(CONNECTIONS, -1)
        said("left").write(f"{os.getpid()}\\n")

async def main():
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    peers = HandedPeers(post.channel, column)
    peers.serve(0, Peer)
    peers.begin()
    if mode == "stubborn": signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else: loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: said("renewed").write(f"{os.getpid()}\\n"))
    say_ready()
    await stop.wait()
    await peers.close()
    said("ended").write(f"{os.getpid()}\\n")

asyncio.run(main())
"""


@dataclass
class Door:
    """A program of several processes, and those who are connected to it."""

    folder: Path
    process: subprocess.Popen[bytes]
    ready: int
    peers: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int((self.folder / "port").read_text())

    @property
    def workers(self) -> list[int]:
        return children_of(self.process.pid)

    def connect(self) -> tuple[int, int]:
        """Connect; return who serves, and how many connections it sees in all."""
        [one] = self.connect_at_once(1)
        return one

    def connect_at_once(self, count: int) -> list[tuple[int, int]]:
        """Connect in a burst."""
        burst = [socket.socket() for _ in range(count)]
        self.peers += burst
        for peer in burst:
            peer.setblocking(False)
            peer.connect_ex(("127.0.0.1", self.port))
        lines = []
        for peer in burst:
            peer.settimeout(PATIENCE)
            worker, seen = peer.makefile("rb").readline().split()
            lines.append((int(worker), int(seen)))
        return lines

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def says_ready(self, seconds: float = PATIENCE) -> bool:
        readable, _, _ = select.select([self.ready], [], [], seconds)
        return bool(readable) and os.read(self.ready, 64).startswith(b"READY=1")

    def lines(self, name: str) -> list[int]:
        path = self.folder / name
        return sorted(map(int, path.read_text().split())) if path.exists() else []


Begin = Callable[..., Door]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    begun: list[Door] = []
    (tmp_path / "program.py").write_text(PROGRAM)

    def begin(mode: str = "", workers: int = 2) -> Door:
        readable, writable = os.pipe()
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "program.py"), str(tmp_path), str(workers), mode],
            env={**os.environ, READY_VARIABLE: str(writable)},
            pass_fds=[writable],
        )
        os.close(writable)
        begun.append(Door(tmp_path, process, readable))
        return begun[-1]

    yield begin
    for door in begun:
        for peer in door.peers:
            peer.close()
        os.close(door.ready)
        door.process.kill()
        door.process.wait()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("count", [10, 50])
def test_a_burst_of_connections_is_spread_over_the_workers(begin: Begin, count: int) -> None:
    door = begin()
    assert door.says_ready()
    served = Counter(worker for worker, _ in door.connect_at_once(count))
    assert set(served) == set(door.workers)
    # For a moment, what has just arrived counts twice: a worker that lags behind may be given twice as many.
    assert min(served.values()) >= (count - 1) // 3


def test_connections_one_after_the_other_are_spread_evenly(begin: Begin) -> None:
    door = begin(workers=3)
    assert door.says_ready()
    assert set(Counter(door.connect()[0] for _ in range(12)).values()) == {4}


def test_whoever_has_fewest_gets_the_next_connection(begin: Begin) -> None:
    door = begin(workers=3)
    assert door.says_ready()
    first = [door.connect()[0] for _ in range(6)]
    assert Counter(first) == dict.fromkeys(door.workers, 2)
    for peer, worker in zip(door.peers[:6], first, strict=True):
        if worker == first[0]:
            peer.close()
    until(lambda: len(door.lines("left")) == 2)
    assert door.connect()[1] == 5
    assert max(Counter(worker for worker, _ in door.connect_at_once(9)).values()) <= 5


def test_the_doors_open_and_ready_is_said_when_all_are_ready(begin: Begin) -> None:
    door = begin("late")
    until(lambda: len(door.workers) == 2)
    assert not door.says_ready(0.3)
    assert not door.is_listening()
    (door.folder / "go").touch()
    assert door.says_ready()
    assert door.is_listening()


def test_a_worker_that_dies_is_started_again_and_takes_nobody_with_it(begin: Begin) -> None:
    door = begin()
    assert door.says_ready()
    served = [worker for worker, _ in door.connect_at_once(8)]
    [victim, other] = door.workers
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(door.workers) == 2 and victim not in door.workers)
    for peer, worker in zip(door.peers, served, strict=True):
        peer.settimeout(PATIENCE)
        if worker == victim:
            assert peer.recv(1) == b"", "the dead worker's peer was told"
        else:
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.recv(1)
    worker, seen = door.connect()
    assert worker in door.workers
    assert seen == served.count(other) + 1, "what the dead one had counted is forgotten"
    until(lambda: door.connect()[0] != other)


def test_a_connection_finds_somebody_while_a_worker_is_down(begin: Begin) -> None:
    door = begin()
    assert door.says_ready()
    victim, other = door.workers
    os.kill(victim, signal.SIGKILL)
    until(lambda: not is_there(victim))
    assert victim not in {worker for worker, _ in door.connect_at_once(20)}
    assert other in door.workers


def test_a_hangup_reaches_every_worker(begin: Begin) -> None:
    door = begin(workers=3)
    assert door.says_ready()
    workers = sorted(door.workers)
    door.process.send_signal(signal.SIGHUP)
    until(lambda: door.lines("renewed") == workers)
    assert sorted(door.workers) == workers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_closes_the_doors_and_waits_for_every_worker(begin: Begin, number: signal.Signals) -> None:
    door = begin()
    assert door.says_ready()
    workers = sorted(door.workers)
    door.process.send_signal(number)
    assert door.process.wait(PATIENCE) == 0
    assert door.lines("ended") == workers
    assert not door.is_listening()


def test_told_to_stop_before_it_serves_it_leaves_nobody(begin: Begin) -> None:
    door = begin("late")
    until(lambda: len(door.workers) == 2)
    workers = door.workers
    door.process.send_signal(signal.SIGTERM)
    assert door.process.wait(PATIENCE) == 0
    assert not any(map(is_there, workers))


def test_a_worker_that_does_not_stop_is_killed(begin: Begin) -> None:
    door = begin("stubborn")
    assert door.says_ready()
    workers = door.workers
    door.process.send_signal(signal.SIGTERM)
    assert door.process.wait(PATIENCE) == 0
    assert not any(map(is_there, workers))


def test_the_first_process_takes_its_workers_along(begin: Begin) -> None:
    door = begin("stubborn", workers=3)
    assert door.says_ready()
    workers = door.workers
    door.process.kill()
    door.process.wait()
    until(lambda: not any(map(is_there, workers)))


def test_a_worker_that_cannot_start_ends_the_start(begin: Begin) -> None:
    door = begin("broken")
    assert door.process.wait(PATIENCE) == 78
    assert not door.says_ready(0)


def test_with_no_worker_left_the_program_ends(begin: Begin) -> None:
    door = begin("once")
    assert door.says_ready()
    (door.folder / "served").touch()
    for worker in door.workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    assert door.process.wait(PATIENCE) in {69, 77}


def test_told_to_stop_together_with_its_workers_it_ends_as_if_told_alone(begin: Begin) -> None:
    door = begin(workers=3)
    assert door.says_ready()
    for process in (*door.workers, door.process.pid):  # as systemd and a terminal do
        os.kill(process, signal.SIGTERM)
    assert door.process.wait(PATIENCE) == 0


def test_a_worker_that_cannot_be_started_now_is_started_when_there_is_room(begin: Begin) -> None:
    door = begin()
    assert door.says_ready()
    [victim, other] = door.workers
    peer = door.connect()
    room = resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (3, 4096))
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in door.workers)
    time.sleep(0.2)
    assert door.process.poll() is None
    assert other in door.workers
    resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (min(room[1], 4096), 4096))
    until(lambda: len(door.workers) == 2)
    assert door.connect()[0] in {*door.workers, peer[0]}
