"""Ports for servers that cannot take port 0: whoever is given one has it to itself until it listens there.

A port that the system chose and that was let go may be anybody's before the server takes it. So each process of the
tests gives out the ports of a stretch of its own, below those that the system chooses from, one after another. It holds
the first of them as long as it lives: that keeps the others away from the stretch.
"""

from __future__ import annotations

import functools
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields

from gateway.demo.site import Ports

HOST = "127.0.0.1"
LOWEST, BEYOND = 12_000, 32_000
"""Linux chooses from 32768 on (`net.ipv4.ip_local_port_range`); services one knows are mostly below."""
LENGTH = 500


def free_port() -> int:
    """Return a port of loopback that nobody listens on and nobody else is given."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return so many of them, in a row."""
    return _stretch(os.getpid()).take(count)


def demo_ports() -> Ports:
    """Return ports for a whole running gateway."""
    return Ports(*free_ports(len(fields(Ports))))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """`held` keeps it from others; `ports` go round."""

    held: socket.socket
    ports: Iterator[int]

    def take(self, count: int) -> list[int]:
        row: list[int] = []
        while len(row) < count:
            port = next(self.ports)
            if not _is_free(port) or (row and port != row[-1] + 1):
                row.clear()
            else:
                row.append(port)
        return row


@functools.cache
def _stretch(process: int) -> _Stretch:
    """The stretch of a process: one that was forked from another has its own."""
    for first in range(LOWEST, BEYOND, LENGTH):
        held = socket.socket()
        try:
            held.bind((HOST, first))
        except OSError:
            held.close()
            continue
        return _Stretch(held, itertools.cycle(range(first + 1, first + LENGTH)))
    raise OSError(f"no stretch of ports is left for process {process}")


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server((HOST, port)):
        return True
    return False
