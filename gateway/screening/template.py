"""The template: loads everything that screening may need, then forks locked children ahead of need.

Started by exec, `python -m gateway.screening.template`, before its program takes any mail.

Does: reads its orders, loads every codec, extractor and detector and runs them once over documents of its own; then
    forks a child whenever it is told to, and sends back the child's connection and a handle to end it by. There is one
    template for each role: children for text are born faster without the engine that reads pages.
Trusts: its one connection, on standard input, to the program that started it.
Holds: no mail, no key, no file or socket of others: of its program it inherits that connection, and until it has loaded
    everything the log's stream, for its own faults.
Fails: by ending, and its children with it. It ends when its program does.
"""

from __future__ import annotations

import codecs
import ctypes
import encodings
import gc
import importlib
import os
import pkgutil
import select
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from gateway.hardening import harden
from gateway.screening import child, known, touching, warming
from gateway.screening.extraction import documents
from gateway.screening.protocol import FORK, MAX_ORDERS, READY, Orders, Request, Role, Task

_REAP_MILLISECONDS = 1000
_TRIED = 4  # of so many mails one tells what pages a look writes to
_COLLECT_AFTER = 200_000  # new objects: a child lives for one mail


def serve(tasks: Mapping[str, child.TaskOf] = child.TASKS) -> None:
    """Be the template until the program at the other end of standard input goes away."""
    harden()
    try:
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, os.dup(sys.stdin.fileno()))
        orders = Orders.decode(control.recv(MAX_ORDERS))
        load_codecs()
        documents.preload(pages=orders.role is Role.PAGES)
        if orders.role is Role.TEXT:
            warming.meet_beginnings()
        for octets in (*map(known.mail, known.MAILS), *warming.mails()):
            _look(octets, orders)
        _silence()
        touched = _settle(orders) if orders.role is Role.TEXT else None
        control.send(READY)
        _fork_on_demand(control, orders, tasks, touched)
    except Exception as problem:  # noqa: BLE001 - its program starts another; the place in code is all that is told
        from gateway import maillog  # it loads what no child needs

        maillog.incident("screening.template", problem)
        sys.exit(os.EX_SOFTWARE)


def load_codecs() -> None:
    """Load every encoding that Python has: a child could not, and would call the charset unknown."""
    for module in pkgutil.iter_modules(encodings.__path__):
        with suppress(ImportError, AttributeError):  # some are of other systems
            importlib.import_module(f"encodings.{module.name}")
    for name in {*encodings.aliases.aliases.values()}:
        with suppress(LookupError):
            codecs.lookup(name)


def _silence() -> None:
    """From here on no descriptor leads anywhere but the connection, and what is loaded is never looked at again."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.close(nothing)
    gc.collect()
    _trim_memory()
    gc.freeze()  # a collection in a child would write to pages that all share
    gc.set_threshold(_COLLECT_AFTER)


def _trim_memory() -> None:
    """Give back what loading has left over, where the C library can: a fork takes as long as there is memory."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _settle(orders: Orders) -> touching.Touched:
    """Lay memory out for children that live for milliseconds, and return the pages that they will touch."""
    touching.gather()
    return touching.find_touched(partial(_try, orders))


def _try(orders: Orders) -> None:
    for octets in (warming.letter(), *islice(warming.mails(), 0, None, _TRIED)):
        _look(octets, orders)


def _look(octets: bytes, orders: Orders) -> None:
    """Look into a mail as a child does, from the packet of its request to that of its answer."""
    request = Request.decode(Request(Task.SCREEN, len(octets)).encode())
    child.screen_mail(octets, request, replace(orders, limits=child.limits_of(orders)))


def _fork_on_demand(
    control: socket.socket, orders: Orders, tasks: Mapping[str, child.TaskOf], touched: touching.Touched | None
) -> None:
    wanted = select.poll()
    wanted.register(control, select.POLLIN)
    while True:
        if wanted.poll(_REAP_MILLISECONDS):
            if control.recv(len(FORK)) != FORK:
                return
            _fork(control, orders, tasks, touched)
        _reap()


def _fork(
    control: socket.socket, orders: Orders, tasks: Mapping[str, child.TaskOf], touched: touching.Touched | None
) -> None:
    theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        child.live(ours.fileno(), orders, tasks, parent, touched)
    ours.close()
    handle = os.pidfd_open(process)  # it is not reaped yet, so the number is still its own
    socket.send_fds(control, [FORK], [theirs.fileno(), handle])
    theirs.close()
    os.close(handle)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    serve()
