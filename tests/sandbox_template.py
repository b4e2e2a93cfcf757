"""A template like the shipped one, whose children also know tasks that no good child would: started by tests alone.

An attempt returns what it reached; a child in which it is refused answers the error's name. A mail that begins with the
name of a misdeed is not looked into: the child does that instead.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import platform
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway.screening import child, seccomp, template
from gateway.screening.chunk import Budget, Chunk
from gateway.screening.protocol import Answer, Orders, Request
from gateway.screening.screen import screen

libc = ctypes.CDLL(None, use_errno=True)
CLONE = seccomp.MACHINES[platform.machine()].numbers["clone"]


def checked(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def open_ones() -> list[int]:
    def is_open(number: int) -> bool:
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as problem:
            return problem.errno != errno.EBADF
        return True

    return [number for number in range(256) if is_open(number)]


ATTEMPTS: Mapping[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "read the own program": lambda: os.open(__file__, os.O_RDONLY),
    "list a folder": lambda: [*Path("/").iterdir()],
    "look at a path": lambda: Path("/etc/passwd").stat(),
    "make a file": lambda: os.open("made", os.O_WRONLY | os.O_CREAT),
    "delete a file": lambda: Path("nothing").unlink(),
    "make a memory file": lambda: os.memfd_create("x"),
    "open a TCP socket": lambda: socket.socket(socket.AF_INET),
    "open a UNIX socket": lambda: socket.socket(socket.AF_UNIX),
    "make a pair of sockets": socket.socketpair,
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "make a process": os.fork,
    "make a process past the C library": lambda: checked(libc.syscall(CLONE, signal.SIGCHLD, None, None, None, None)),
    "make a process that shares all but its descriptors": lambda: checked(
        libc.syscall(CLONE, 0x3D0B00, None, None, None, None)
    ),
    "make a process by flags that no filter sees": lambda: checked(libc.syscall(435, b"\0" * 88, 88)),
    "make a namespace": lambda: checked(libc.unshare(0x10000000)),
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "signal any process": lambda: os.kill(1, 0),
    "take rights back": lambda: checked(libc.setrlimit(resource.RLIMIT_AS, b"\xff" * 16)),
    "become another user": lambda: os.setuid(12345),
    "become dumpable": lambda: checked(libc.prctl(4, 1, 0, 0, 0)),
    "run code of its own": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "trace its parent": lambda: checked(libc.ptrace(16, os.getppid(), None, None)),
    "know its descriptors": open_ones,
    "know its environment": lambda: sorted(os.environ),
}


def attempt(octets: bytes, _request: Request, _orders: Orders) -> bytes:
    try:
        return json.dumps({"reached": repr(ATTEMPTS[octets.decode()]())}).encode()
    except OSError as problem:
        return json.dumps({"refused": type(problem).__name__}).encode()


def attempt_in_a_thread(octets: bytes, request: Request, orders: Orders) -> bytes:
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(attempt(octets, request, orders)))
    thread.start()
    thread.join()
    return answers[0]


def spin() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - as a careless extractor would
            pass


def spin_in_c() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    sum(range(1 << 62))


def hog() -> None:
    held = []
    while True:
        held.append(bytearray(8 * 1024**2))


def crash() -> None:
    ctypes.string_at(0)


MISDEEDS: Mapping[str, Callable[[], object]] = {
    "spin": spin,
    "spin in C": spin_in_c,
    "hog": hog,
    "crash": crash,
    "sleep": lambda: time.sleep(600),
    "leave": lambda: os._exit(0),
    "abort": os.abort,
    "bug": lambda: {}["absent"],
    "deep": lambda: deeper(0),
}

ANSWERS: Mapping[str, bytes] = {
    "say nonsense": b"clean",
    "say too much": b"x" * 100_000,
    "say words": b'{"findings":[["ssn","Ada Lovelace said this","strong",1]],"unreadable":[],"fault":""}',
}


def deeper(depth: int) -> int:
    return deeper(depth + 1) + 1


def screen_or_not(octets: bytes, request: Request, orders: Orders) -> bytes:
    word = octets.partition(b"\r\n")[0].decode("latin-1")
    if word in ANSWERS:
        return ANSWERS[word]
    if word not in MISDEEDS:
        return child.screen_mail(octets, request, orders)
    faults: list[str] = []

    def misbehave(_octets: bytes, _budget: Budget) -> Iterator[Chunk]:
        yield Chunk("Taxpayer's social security number (SSN): 536-41-2879", "body")
        MISDEEDS[word]()

    verdict = screen(octets, orders.policy, limits=orders.limits, on_fault=faults.append, extract=misbehave)
    return Answer(verdict, *faults).encode()


if __name__ == "__main__":
    template.serve(
        {**child.TASKS, "attempt": attempt, "attempt in a thread": attempt_in_a_thread, "screen": screen_or_not}
    )
