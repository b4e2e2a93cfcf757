"""Wake-ups between programs on one machine: a datagram to `run/NAME.wake` says "look now".

They are hints and may be lost at any time; whoever waits looks once a second regardless.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

POLL_SECONDS = 1.0


def wake_path(run: Path, name: str) -> Path:
    """Return where the program `name` listens for wake-ups."""
    return run / f"{name}.wake"


def notify(run: Path, name: str) -> None:
    """Wake the program `name`, if it is there. Never raises and never waits."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        sender.sendto(b"1", str(wake_path(run, name)))


class Caller:
    """Wakes programs again and again over one socket, at most once in each turn of the event loop."""

    def __init__(self, run: Path, *names: str) -> None:
        self._paths = [str(wake_path(run, name)) for name in names]
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._is_due = False

    def __call__(self) -> None:
        """Wake each program that is there when this turn is over. Never raises and never waits."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def _send(self) -> None:
        self._is_due = False
        for path in self._paths:
            with suppress(OSError):
                self._socket.sendto(b"1", path)


class Waker:
    """Waits for the wake-ups of one program. A socket left by a program that died is replaced.

    Raises OSError when the run folder cannot hold a socket.
    """

    def __init__(self, run: Path, name: str) -> None:
        self._path = wake_path(run, name)
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind(str(self._path))
            self._path.chmod(0o660)
            self._inode = self._path.stat().st_ino
        except OSError:
            self._socket.close()
            raise

    async def wait(self, seconds: float = POLL_SECONDS) -> bool:
        """Return True at the next wake-up, False when `seconds` have passed without one."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        loop.add_reader(self._socket, woken.set)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._socket)
        self._drain()
        return True

    def close(self) -> None:
        """Give the socket back; its path too, unless another program of this name has taken it."""
        self._socket.close()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
