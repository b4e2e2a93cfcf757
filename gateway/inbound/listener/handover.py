"""Connections that one process accepts and others serve: how each goes from the one to the other.

A channel is a pair of UNIX sockets that keep the bounds of what is sent (unix(7), SOCK_SEQPACKET). One packet is one
connection: the number of the listener that it came to, and the connection's descriptor (SCM_RIGHTS). Whoever accepts
sees how busy each process is and gives the next one to the least busy; a packet to a process that is gone fails, and
another gets the connection.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from gateway import maillog
from gateway.inbound.listener.tally import TAKEN, Column

Factory = Callable[[], asyncio.Protocol]

_NUMBER: Final = struct.Struct("!H")
_AT_ONCE: Final = 64
"""Connections taken before others in the event loop have their turn."""


def open_channel() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a channel: the giver's, which never waits, and the taker's."""
    giver, taker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    giver.setblocking(False)
    taker.setblocking(False)
    return giver, taker


def give(channel: socket.socket, listener: int, connection: socket.socket) -> bool:
    """Hand a connection over; False where that process is gone or takes no more now. It is the caller's to close."""
    try:
        socket.send_fds(channel, [_NUMBER.pack(listener)], [connection.fileno()])
    except OSError:
        return False
    return True


class HandedPeers:
    """The taker's end: starts the protocol of the listener that a connection came to. `column` counts what was taken.

    A descriptor that this process has no room for is lost with its packet: its peer sees the connection end.
    """

    def __init__(self, channel: socket.socket, column: Column) -> None:
        self.column = column
        self._channel = channel
        self._factories: dict[int, Factory] = {}
        self._arriving: set[asyncio.Task[None]] = set()

    @property
    def is_first(self) -> bool:
        """True in the one process that does what is done once for all of them."""
        return self.column.process == 0

    def serve(self, listener: int, factory: Factory) -> None:
        """Let connections of this listener be spoken to by what `factory` makes."""
        self._factories[listener] = factory

    def begin(self) -> None:
        """Take connections from now on."""
        asyncio.get_running_loop().add_reader(self._channel, self._take, _AT_ONCE)

    async def close(self) -> None:
        """Take what was given before this, then nothing more; return when all of it has arrived."""
        if self._channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._channel)
            while self._take(_AT_ONCE):
                pass
            self._channel.close()
        if self._arriving:
            await asyncio.wait(tuple(self._arriving))

    def _take(self, most: int) -> bool:
        """Take connections that wait; False where no more do."""
        for _ in range(most):
            try:
                octets, descriptors, _, _ = socket.recv_fds(self._channel, _NUMBER.size, 1)
            except BlockingIOError:
                return False
            except ConnectionError:
                octets, descriptors = b"", []
            if not octets:  # the giver is gone, and this process goes with it
                asyncio.get_running_loop().remove_reader(self._channel)
                return False
            self._start(_NUMBER.unpack(octets)[0], [socket.socket(fileno=one) for one in descriptors])
        return True

    def _start(self, listener: int, connections: list[socket.socket]) -> None:
        factory = self._factories.get(listener)
        for connection in connections:
            if factory is None:
                connection.close()
                continue
            task = asyncio.get_running_loop().create_task(_connect(factory, connection))
            self._arriving.add(task)
            task.add_done_callback(self._arrived)
        if factory is None or not connections:
            self.column.add(TAKEN, 1)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        self.column.add(TAKEN, 1)


async def _connect(factory: Factory, connection: socket.socket) -> None:
    connection.setblocking(False)
    connection.set_inheritable(False)
    with suppress(OSError):  # it is none of TCP's
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        await asyncio.get_running_loop().connect_accepted_socket(factory, connection)
    except OSError:
        connection.close()  # its peer has gone
    except Exception as problem:  # noqa: BLE001 - a peer that cannot be spoken to must not end its neighbours
        maillog.incident("smtp.arrival", problem)
        connection.close()
