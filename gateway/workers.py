"""Several processes of one program on the same doors: one that accepts, and workers that serve what it hands them.

Does: opens no message and speaks to no peer. It holds the listening sockets, forks a worker for each column of the
    tally, says that the program serves when all of them do, and gives each new connection to the least busy one. It
    passes SIGHUP on; told to stop, it closes the doors, lets the workers finish, and ends last. A worker that dies is
    started again after a growing pause, and what it had counted is cleared.
Trusts: the workers' ready signs, and their columns of the tally for how busy they are.
Holds: listening sockets and the tally; no key, no database, no thread: it could not be forked otherwise.
Fails: killed, it takes its workers along, which the system sees to. A worker that cannot start at all ends the start,
    and when no worker is left the program ends: its supervisor starts it anew.
"""

from __future__ import annotations

import errno
import gc
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from math import inf
from typing import Final

from gateway import maillog
from gateway.config import Settings
from gateway.domain.errors import Unavailable
from gateway.failpoints import failpoint
from gateway.inbound.doors import Bound, bind_doors, processes_of
from gateway.inbound.listener.handover import HandedPeers, give, open_channel
from gateway.inbound.listener.tally import CONNECTIONS, TAKEN, Tally
from gateway.process import end_with_parent, ignore_hangup, keep_to_core, say_ready, say_ready_at

_WORKERS_NEED: Final = (
    "gateway.casework.addressing",
    "gateway.inbound.listener.tls",
    "gateway.inbound.submission",
    "gateway.store.maintenance",
    "uvloop",
)
_BACKLOG: Final = 512
_ACCEPT_AT_ONCE: Final = 64
_TRIES: Final = 100
_TRY_SECONDS: Final = 0.01
_FATHERS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What the first process is told by, and a worker in another way."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the first process waits, in seconds. `grace` is above what the doors give a message to finish."""

    ready: float = 60.0
    grace: float = 25.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    settled: float = 60.0


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is given: its number, from 0 on, and the channel of its connections."""

    number: int
    channel: socket.socket


class WorkerFailed(Unavailable):
    """A worker ended before the program served, or none is left. `code` is its exit code."""

    def __init__(self, program: str, code: int) -> None:
        super().__init__(f"{program} cannot go on: a process of it ended (exit code {code}). Its own message says why.")
        self.code = code


@dataclass(slots=True)
class _Worker:
    number: int
    due: float = inf
    process: int = 0
    handle: int = -1
    ready_pipe: int = -1
    channel: socket.socket | None = None
    is_ready: bool = False
    since: float = 0.0
    pause: float = 0.0
    restarts: int = 0
    given: int = 0
    turn: int = 0


def share_submission(settings: Settings, serve: Callable[..., None]) -> None:
    """Call `serve` in this process, or, where the settings want several, in each worker with its `peers`.

    A worker is forked before there is a loop, a thread, a key or a database, with all the modules that it needs; this
    process then returns at the end of all. Raises WorkerFailed, and Unavailable where a place cannot be had.
    """
    own = settings.submission
    count = processes_of(own)
    if count == 1:
        serve()
        return
    for name in _WORKERS_NEED:
        import_module(name)
    tally = Tally(count, own.limits.connections)
    post = Crew("submission", settings.site.environment, bind_doors(own), tally).run()
    if post is not None:
        as_json = settings.log.is_json(terminal=sys.stderr.isatty())
        maillog.configure(
            "submission", stream=sys.stderr, level=settings.log.level, json=as_json, process=post.number + 1
        )
        keep_to_core(post.number)
        serve(peers=HandedPeers(post.channel, tally.column(post.number)))


@dataclass(slots=True)
class Crew:
    """The workers of one program. `doors` are bound, and nobody listens there yet; `tally` has a column a worker."""

    program: str
    environment: str
    doors: Sequence[Bound]
    tally: Tally
    patience: Patience = Patience()
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _workers: list[_Worker] = field(default_factory=list)
    _signals: tuple[socket.socket, ...] = ()
    _is_serving: bool = False
    _is_listening: bool = False
    _stop_by: float = inf
    _failure: WorkerFailed | None = None
    _turns: int = 0

    def run(self) -> Post | None:
        """Fork the workers and tend them until told to stop.

        Returns in every worker its post, and in the first process None, at the end. Raises WorkerFailed there.
        """
        if threading.active_count() > 1:
            raise RuntimeError("a process with threads cannot be forked")
        gc.collect()
        gc.freeze()
        self._workers = [_Worker(number, pause=self.patience.first_pause) for number in range(self.tally.processes)]
        self._workers[0].due = 0.0  # alone: what keeps it from starting would keep the others
        self._hear_signals()
        while any(worker.process or worker.due < inf for worker in self._workers):
            for worker in self._workers:
                if worker.due <= time.monotonic() and (post := self._start(worker)) is not None:
                    return post
            for key, _ in self._selector.select(self._timeout()):
                key.data()
            self._end_late_ones()
        if self._failure is not None:
            raise self._failure
        return None

    # Workers.

    def _start(self, worker: _Worker) -> Post | None:
        """Fork a worker, or try again later. Returns its post in the new process, None in this one."""
        first = os.getpid()
        try:
            return self._fork(worker, first)
        except OSError as problem:  # no room for one process more, or for its descriptors
            if os.getpid() != first or not self._is_serving:
                raise
            maillog.incident("workers.fork", problem)
            if worker.process:
                os.kill(worker.process, signal.SIGKILL)
                os.waitpid(worker.process, 0)
                worker.process = 0
            _close(worker)
            self._put_off(worker)
            return None

    def _fork(self, worker: _Worker, first: int) -> Post | None:
        worker.channel, taker = open_channel()
        worker.ready_pipe, writable = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _FATHERS)  # none is to meet the other's handlers
        try:
            process = os.fork()
            if process == 0:
                end_with_parent(first, signal.SIGKILL)
                self._leave_all()
                say_ready_at(writable)
                return Post(worker.number, taker)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            if os.getpid() == first:
                taker.close()
                os.close(writable)
        failpoint("workers.forked")
        worker.process, worker.is_ready, worker.given = process, False, 0
        worker.due, worker.since = inf, time.monotonic()
        worker.handle = os.pidfd_open(process)
        self._selector.register(worker.handle, selectors.EVENT_READ, partial(self._on_end, worker))
        self._selector.register(worker.ready_pipe, selectors.EVENT_READ, partial(self._on_ready, worker))
        return None

    def _leave_all(self) -> None:
        """In a worker: give up what is the first process's."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        ignore_hangup()
        self._selector.close()
        for one in (*self._signals, *(socket_ for door in self.doors for socket_ in door.sockets)):
            one.close()
        for other in self._workers:
            _close(other)

    def _on_ready(self, worker: _Worker) -> None:
        if worker.ready_pipe < 0:  # its end was noticed in the same turn
            return
        worker.is_ready = os.read(worker.ready_pipe, 64).startswith(b"READY=1")
        self._forget_pipe(worker)
        if not worker.is_ready or self._is_stopping:
            return
        waiting = [other for other in self._workers if not other.is_ready]
        for other in waiting:
            if not self._is_serving and not other.process:
                other.due = 0.0
        if not waiting and not self._is_serving:
            self._serve()
        self._govern()

    def _on_end(self, worker: _Worker) -> None:
        _, status = os.waitpid(worker.process, 0)
        code = os.waitstatus_to_exitcode(status)
        self._selector.unregister(worker.handle)
        self._forget_pipe(worker)
        _close(worker)
        worker.process, worker.is_ready = 0, False
        self.tally.clear(worker.number)
        self._on_signal()  # whoever told the worker to stop may have told all of us
        if self._is_stopping:
            return
        maillog.program_died(f"{self.program}/{worker.number + 1}", code, worker.restarts)
        if not self._is_serving or not any(other.process for other in self._workers):
            self._failure = WorkerFailed(self.program, code)
            self._stop()
            return
        if time.monotonic() - worker.since > self.patience.settled:
            worker.pause = self.patience.first_pause
        self._put_off(worker)
        worker.restarts += 1
        self._govern()

    def _put_off(self, worker: _Worker) -> None:
        worker.due = time.monotonic() + worker.pause
        worker.pause = min(worker.pause * 2, self.patience.longest_pause)

    def _forget_pipe(self, worker: _Worker) -> None:
        if worker.ready_pipe >= 0:
            self._selector.unregister(worker.ready_pipe)
            os.close(worker.ready_pipe)
            worker.ready_pipe = -1

    def _end_late_ones(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            is_late = not worker.is_ready and now - worker.since > self.patience.ready
            if worker.process and (is_late or self._stop_by <= now):
                os.kill(worker.process, signal.SIGKILL)

    # Doors.

    def _serve(self) -> None:
        self._is_serving = True
        for door in self.doors:
            for socket_ in door.sockets:
                socket_.listen(_BACKLOG)
            maillog.listener_open(door.name, door.host, door.port)
        maillog.program_started(self.environment, len(self._workers))
        say_ready()

    def _govern(self) -> None:
        """Accept connections while somebody is there to take them; else they wait in the kernel."""
        wanted = self._is_serving and not self._is_stopping and any(worker.is_ready for worker in self._workers)
        if wanted == self._is_listening:
            return
        self._is_listening = wanted
        for number, door in enumerate(self.doors):
            for socket_ in door.sockets:
                if wanted:
                    self._selector.register(socket_, selectors.EVENT_READ, partial(self._accept, number, socket_))
                else:
                    self._selector.unregister(socket_)

    def _accept(self, listener: int, door: socket.socket) -> None:
        for _ in range(_ACCEPT_AT_ONCE if self._is_listening else 0):
            try:
                connection, _ = door.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                if problem.errno in _OUT_OF_ROOM:
                    time.sleep(_TRY_SECONDS)  # descriptors or memory: others have to end first
                    return
                continue  # that peer had gone
            with connection:
                self._hand_over(listener, connection)

    def _hand_over(self, listener: int, connection: socket.socket) -> None:
        for _ in range(_TRIES):
            for worker in sorted(self._workers, key=self._load):
                if worker.is_ready and worker.channel is not None and give(worker.channel, listener, connection):
                    worker.given += 1
                    self._turns += 1
                    worker.turn = self._turns
                    failpoint("workers.handed")
                    return
            time.sleep(_TRY_SECONDS)  # every channel is full: the peers have to wait in the kernel

    def _load(self, worker: _Worker) -> tuple[int, int]:
        """Tell how busy a worker is: connections that it counts or has not taken yet; then who had one longest ago."""
        on_the_way = worker.given - self.tally.value(worker.number, TAKEN)
        return self.tally.value(worker.number, CONNECTIONS) + on_the_way, worker.turn

    # Signals.

    @property
    def _is_stopping(self) -> bool:
        return self._stop_by < inf

    def _hear_signals(self) -> None:
        self._signals = socket.socketpair()
        for one in self._signals:
            one.setblocking(False)
        signal.set_wakeup_fd(self._signals[1].fileno(), warn_on_full_buffer=False)
        for number in _FATHERS:
            signal.signal(number, _nothing)
        self._selector.register(self._signals[0], selectors.EVENT_READ, self._on_signal)

    def _on_signal(self) -> None:
        heard = b""
        with suppress(BlockingIOError):
            heard = self._signals[0].recv(256)
        if not {signal.SIGTERM, signal.SIGINT}.isdisjoint(heard):
            self._stop()
        elif signal.SIGHUP in heard:
            self._tell(signal.SIGHUP)

    def _stop(self) -> None:
        if self._is_stopping:
            return
        self._stop_by = time.monotonic() + self.patience.grace
        self._govern()
        for door in self.doors:
            for socket_ in door.sockets:
                socket_.close()
        for worker in self._workers:
            worker.due = inf
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process:
                os.kill(worker.process, number)

    def _timeout(self) -> float | None:
        due = [worker.due for worker in self._workers]
        due += [
            worker.since + self.patience.ready for worker in self._workers if worker.process and not worker.is_ready
        ]
        nearest = min(*due, self._stop_by)
        return None if nearest == inf else max(0.0, nearest - time.monotonic())


_OUT_OF_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def _nothing(*_: object) -> None:
    """What a signal does at once; the rest is done when the wake-up is read."""


def _close(worker: _Worker) -> None:
    if worker.channel is not None:
        worker.channel.close()
        worker.channel = None
    for descriptor in (worker.handle, worker.ready_pipe):
        if descriptor >= 0:
            os.close(descriptor)
    worker.handle = worker.ready_pipe = -1
