"""A screening child: born locked up, does one task over one mail, answers, and is gone.

Does: closes every descriptor but its connection, gives up new privileges, files, network, signals to others and most
    system calls; then reads one mail from a sealed memory file, looks into it, and writes one answer.
Trusts: nothing it reads. It is written as if the mail runs code here.
Holds: one mail, and what the template has loaded. No key, no file, no other mail.
Fails: over a limit it says so; over the hard limits of memory and processor time it dies. The pool takes neither
    silence nor nonsense for clean.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NoReturn

from gateway.domain.verdict import Unread, Unreadable, Verdict
from gateway.screening import known, landlock, seccomp, touching, warming
from gateway.screening.chunk import Limits
from gateway.screening.extraction.pdf import count_pages
from gateway.screening.policy import Policy
from gateway.screening.protocol import MAIL, MAX_REQUEST, Answer, Locks, Orders, PageCount, Request, Role, Task
from gateway.screening.recognition import reader
from gateway.screening.recognition.exchange import Asked
from gateway.screening.screen import OutOfTime, screen

TaskOf = Callable[[bytes, Request, Orders], bytes]
"""What does a task: from the octets of a mail, the request and the orders to the octets of an answer."""

ADDRESS_SPACE = 384 * 1024**2  # beside what is only mapped
LAST_SECONDS = 3  # between the end of the look and the end of the child, for the answer
_MOST_TASKS = 4_096  # of this user, in all

_CONNECTION, _FIRST_UNKNOWN = 3, 4  # beside the template's three, which are /dev/null
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_TICK = 0.5  # seconds until OutOfTime is raised again, should somebody have caught it
_BEHIND_OTHERS = 10  # nice: reading pages never slows ordinary mail down

_prctl: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl


def live(
    connection: int, orders: Orders, tasks: Mapping[str, TaskOf], parent: int, touched: touching.Touched | None = None
) -> NoReturn:
    """Be a child from birth to end. `connection` is its only descriptor to keep, `parent` the template's process id,
    `touched` are pages that it will read and write.
    """
    try:
        channel = _leave_everything(connection, parent)
        if orders.role is Role.PAGES:
            os.nice(_BEHIND_OTHERS)
        orders = replace(orders, limits=limits_of(orders))
        copied = touched is not None and touching.copy_pages(touched)  # now, while nobody waits
        locks = lock(orders.limits.seconds)
        if orders.role is Role.TEXT and not copied:
            screen(warming.letter(), orders.policy, limits=orders.limits)
        os.write(_CONNECTION, locks.encode())
        _serve(channel, orders, tasks)
    except BaseException:  # noqa: BLE001 - nothing may unwind into the template's own frames; silence says it all
        os._exit(os.EX_SOFTWARE)
    os._exit(os.EX_OK)


def limits_of(orders: Orders) -> Limits:
    """Return the limits of this role: those of the site, and where text is read, no page of an image."""
    return replace(orders.limits, ocr_pages=0) if orders.role is Role.TEXT else orders.limits


def lock(seconds: int) -> Locks:
    """Lock this process up for good and return what the kernel had for it. `seconds` of processor time are left to it.

    Raises OSError when the kernel has a lock and does not close it.
    """
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    most_memory = ADDRESS_SPACE + _untouched()
    machine = seccomp.machine() if seccomp.is_present() else None
    version = landlock.restrict()
    signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, seconds, _TICK)
    for limit, most in (
        (resource.RLIMIT_AS, most_memory),
        (resource.RLIMIT_CPU, seconds + LAST_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FIRST_UNKNOWN + 1),
        (resource.RLIMIT_NPROC, _tasks() if machine is not None else 0),
    ):
        resource.setrlimit(limit, (most, most))
    if machine is not None:
        seccomp.restrict(machine)
    return Locks(version, machine is not None)


def screen_mail(octets: bytes, request: Request, orders: Orders) -> bytes:
    """The task SCREEN: look into a mail."""
    faults: list[str] = []
    try:
        verdict = screen(octets, orders.policy, first=request.first, limits=orders.limits, on_fault=faults.append)
    except MemoryError:  # even the verdict has found no room
        verdict = Verdict(unreadable=(Unreadable(MAIL, Unread.OVER_LIMIT, "memory"),))
    return Answer(verdict, faults[0] if faults else "").encode()


def check(octets: bytes, request: Request, orders: Orders) -> bytes:
    """The task CHECK: look into one of our own mails, for every kind, whatever the site screens for."""
    return screen_mail(known.mail(octets.decode("ascii")), request, replace(orders, policy=Policy.default()))


def probe(_octets: bytes, _request: Request, _orders: Orders) -> bytes:
    """The task PROBE: try what must not be possible, and return the names of what was."""
    tries: Mapping[str, Callable[[], object]] = {
        "read a file": lambda: os.open("/", os.O_RDONLY),
        "write a file": lambda: os.open("/dev/null", os.O_WRONLY),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "run a program": lambda: os.execv("/nowhere", ["nowhere"]),  # noqa: S606 - even unlocked it runs nothing
        "make a process": os.fork,
        "signal a process": lambda: os.kill(os.getppid(), 0),
    }
    return json.dumps([name for name, attempt in tries.items() if not _is_refused(attempt)]).encode("ascii")


def count(octets: bytes, _request: Request, _orders: Orders) -> bytes:
    """The task COUNT: say how many pages a PDF has. It is no mail, and nothing of it is told but that number."""
    try:
        return PageCount(count_pages(octets)).encode()
    except MemoryError:
        return PageCount(None).encode()


def recognise(octets: bytes, _request: Request, orders: Orders) -> bytes:
    """The task RECOGNISE: say what pages of a fax are, as many of them as there is processor time for."""
    return reader.read_pages(Asked.decode(octets), orders.limits.seconds).encode()


TASKS: Mapping[str, TaskOf] = MappingProxyType(
    {Task.SCREEN: screen_mail, Task.CHECK: check, Task.PROBE: probe, Task.COUNT: count, Task.RECOGNISE: recognise}
)


def _leave_everything(connection: int, parent: int) -> socket.socket:
    """Keep the connection alone, and end with the template."""
    if connection != _CONNECTION:
        os.dup2(connection, _CONNECTION)
    os.closerange(_FIRST_UNKNOWN, max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _FIRST_UNKNOWN + 1))
    if _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0 or os.getppid() != parent:
        raise OSError(errno.ESRCH, "the template has gone")
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, _CONNECTION)


def _untouched() -> int:
    """Return how many octets are mapped and not in memory: libraries' unused code, which no mail has brought."""
    with open("/proc/self/statm", "rb") as pages:
        mapped, resident, *_ = map(int, pages.read().split())
    return (mapped - resident) * resource.getpagesize()


def _tasks() -> int:
    """Return how many threads and processes this user may have, where the filter refuses this process another."""
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    return _MOST_TASKS if most == resource.RLIM_INFINITY else min(most, _MOST_TASKS)


def _serve(channel: socket.socket, orders: Orders, tasks: Mapping[str, TaskOf]) -> None:
    packet, files, _, _ = socket.recv_fds(channel, MAX_REQUEST, 1)
    if not packet:  # nobody needs this child any more
        return
    request = Request.decode(packet)
    os.write(_CONNECTION, tasks[request.task](_read(files[0], request.octets), request, orders))


def _read(file: int, octets: int) -> bytes:
    """Read from a file that others have, too: never by its position."""
    pieces: list[bytes] = []
    place = 0
    while place < octets and (piece := os.pread(file, octets - place, place)):
        pieces.append(piece)
        place += len(piece)
    os.close(file)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _is_refused(attempt: Callable[[], object]) -> bool:
    try:
        made = attempt()
    except OSError as problem:
        return isinstance(problem, PermissionError)
    if made == 0:  # a process that should not be
        os._exit(os.EX_OK)
    return False


def _out_of_time(_number: int, _frame: object) -> None:
    raise OutOfTime
