"""Hints between programs: a datagram to `run/NAME.wake` says that there may be something to do.

A hint carries nothing and may be lost: whoever waits for one looks each second regardless.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path


def wake(path: Path) -> None:
    """Hint at the program that listens on `path`. Never waits, never fails: a lost hint costs a second."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"\x00", os.fspath(path))


class Wakening(asyncio.DatagramProtocol):
    """The listening side: wait for a hint, or for a time to pass."""

    def __init__(self) -> None:
        self._hinted = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Open the socket, in place of one that a killed program left. Raises OSError."""
        receiver = _bound(path)
        self._path = path
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=receiver)

    def datagram_received(self, _data: bytes, _sender: object) -> None:
        """Note the hint, whatever it says and whoever sent it."""
        self._hinted.set()

    def nudge(self) -> None:
        """Hint from within the program itself."""
        self._hinted.set()

    async def wait(self, seconds: float) -> None:
        """Return at a hint, or after `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hinted.wait()
        self._hinted.clear()

    def close(self) -> None:
        """Close the socket and remove its file."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.setblocking(False)
    receiver.bind(os.fspath(path))
    path.chmod(0o660)
    return receiver
