"""What every program does as a process: one of each per folder, end with the supervisor, say when it serves."""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import gc
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.domain.errors import ConfigError, Overloaded, Unavailable

READY_VARIABLE = "GATEWAY_READY_FD"
PARENT_VARIABLE = "GATEWAY_SUPERVISOR"

_PR_SET_PDEATHSIG = 1
_TRY_SECONDS = 0.05
_NOTIFY_VARIABLE = "NOTIFY_SOCKET"
_GARBAGE = 20_000
"""New objects that bring on a look for garbage: what no cycle holds is freed at once regardless."""


class ProgramLock:
    """`run/NAME.pid`: held while the program lives, and released by the system however it ends."""

    def __init__(self, run: Path, name: str, *, patience: float = 0.0) -> None:
        """Take the lock, waiting up to `patience` seconds for one that is ending. Raises Overloaded when it is held."""
        self.path = run / f"{name}.pid"
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience
        while not _try_lock(self._descriptor):
            if time.monotonic() >= deadline:
                os.close(self._descriptor)
                by = holder(run, name) or "unknown"
                raise Overloaded(f"{name} already runs on this folder (process {by}). Stop it first.")
            time.sleep(_TRY_SECONDS)
        self._owner = os.getpid()
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Give the lock up. The file stays: taking it away would race with the next holder.

        What was forked from the holder keeps the lock to its own end, and does not give it up.
        """
        if os.getpid() != self._owner:
            return
        os.truncate(self._descriptor, 0)
        os.close(self._descriptor)


def holder(run: Path, name: str) -> int | None:
    """Return the process id of the program that runs on this folder, or None when none does."""
    try:
        descriptor = os.open(run / f"{name}.pid", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _try_lock(descriptor):
            return None
        text = os.pread(descriptor, 16, 0).strip()
    finally:
        os.close(descriptor)
    return int(text) if text.isdigit() else None


def make_run_folder(run: Path) -> None:
    """Make the folder of sockets and process ids. Raises ConfigError when that cannot be."""
    try:
        run.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as problem:
        raise ConfigError(f"{run} cannot be made: {problem.strerror}. Check site.run and who owns it.") from None


def end_with_supervisor() -> None:
    """Ask the system to end this process with its supervisor. Without one this does nothing."""
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if not parent.isdigit():
        return
    end_with_parent(int(parent), signal.SIGTERM)


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Ask the system to send this process that signal when `parent`, which has forked it, ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(os.EX_TEMPFAIL)


def ignore_hangup() -> None:
    """Let SIGHUP end no program; `on_hangup` gives it a meaning."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def on_hangup(action: Callable[[], None]) -> None:
    """Do this at each SIGHUP from now on; asked within the program's event loop."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, action)


def allow_descriptors(wanted: int) -> None:
    """Let this process have so many descriptors open, or as many as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def settle_heap() -> None:
    """Spare the garbage collector what a program has loaded, and most of its runs: each one stops every thread."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def keep_to_core(number: int) -> None:
    """Run this process on one of the cores that it may use, the `number`-th, counted round.

    Its threads share one interpreter: on two cores they spend a fifth of their time on handing it to each other. Where
    the system does not allow it, they do.
    """
    cores = sorted(os.sched_getaffinity(0))
    with suppress(OSError):
        os.sched_setaffinity(0, {cores[number % len(cores)]})


@contextmanager
def listening(key: str, *places: object) -> Iterator[None]:
    """Say in the operator's words why a place cannot be listened on. Raises Unavailable in place of OSError."""
    try:
        yield
    except OSError as problem:
        where = ", ".join(map(str, places))
        reason = os.strerror(problem.errno) if problem.errno else "it was refused"
        raise Unavailable(f"{where} cannot be listened on: {reason}. Free it, or change {key}.") from None


def say_ready() -> None:
    """Tell the supervisor, and systemd where it started us, that this program serves."""
    descriptor = os.environ.pop(READY_VARIABLE, "")
    if descriptor.isdigit():
        with suppress(OSError):
            os.write(int(descriptor), b"READY=1\n")
            os.close(int(descriptor))
        return
    tell_systemd("READY=1")


def say_ready_at(descriptor: int) -> None:
    """Let `say_ready` write to this descriptor in place of the one that this process, or its parent, was given."""
    before = os.environ.get(READY_VARIABLE, "")
    if before.isdigit():
        os.close(int(before))
    os.environ[READY_VARIABLE] = str(descriptor)


def tell_systemd(state: str) -> None:
    """Send one state to systemd (`sd_notify`), when it listens."""
    address = os.environ.get(_NOTIFY_VARIABLE, "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode("ascii"), "\0" + address[1:] if address.startswith("@") else address)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
