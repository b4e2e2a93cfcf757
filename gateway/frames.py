"""Frames on UNIX sockets: how the programs of one machine ask each other.

A frame is 4 octets of length, big-endian, at most 1 MiB, and one JSON object; octets stand in it as base64. A request
is `{"verb": …, …}`, its answer `{"ok": {…}}` or `{"error": class name, "advice": one line}`. A connection carries one
request at a time and is kept for the next.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from gateway import maillog
from gateway.domain import errors
from gateway.domain.errors import ConfigError, GatewayError, Malformed, Unavailable

MAX_OCTETS = 1024 * 1024
CONNECTIONS = 16
TIMEOUT_SECONDS = 30.0
_BACKLOG = 128
_LENGTH = struct.Struct(">I")
_PEER = struct.Struct("3i")
_KINDS: dict[str, type[GatewayError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GatewayError)
}

Answer = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""What a server does with a request: verb and arguments to the object that answers it, or a GatewayError."""

PEER_UID: ContextVar[int | None] = ContextVar("peer_uid", default=None)
"""The user of the process that is being answered (SO_PEERCRED)."""


def encode(octets: bytes) -> str:
    """Return octets as a frame carries them."""
    return base64.b64encode(octets).decode("ascii")


def decode(value: object) -> bytes:
    """Return the octets that `encode` was given. Raises Malformed."""
    with contextlib.suppress(binascii.Error, ValueError):
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    raise Malformed("A request between programs cannot be read.")


def text(request: Mapping[str, Any], name: str) -> str:
    """Return a text of a request. Raises Malformed when it is absent or something else."""
    value = request.get(name)
    if not isinstance(value, str):
        raise Malformed("A request between programs cannot be read.")
    return value


@contextlib.asynccontextmanager
async def listen(
    path: Path,
    answer: Answer,
    *,
    away: type[Unavailable],
    mode: int = 0o600,
    users: Collection[int] | None = None,
) -> AsyncIterator[None]:
    """Answer requests on the socket at `path` while the block runs.

    `away` is what a peer gets for an exception no rule foresaw; `users` are the uids whose processes are answered
    (SO_PEERCRED), None for whoever may open the socket. Raises ConfigError when the socket cannot be made.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        try:
            uid = _peer_uid(writer)
            if users is None or uid in users:
                PEER_UID.set(uid)
                await _answer_requests(reader, writer, answer, away)
        except (OSError, EOFError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(converse, sock=_bind(path, mode), limit=MAX_OCTETS)
    try:
        yield
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()


class FrameClient:
    """Asks the program behind one socket: a pool of connections, made when needed and again after a loss.

    `away` is raised when nobody answers in time, or at all.
    """

    def __init__(
        self, path: Path, *, away: type[Unavailable], timeout: float = TIMEOUT_SECONDS, connections: int = CONNECTIONS
    ) -> None:
        self._path = path
        self._away = away
        self._timeout = timeout
        self._slots = asyncio.Semaphore(connections)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to one request. Raises the GatewayError of the answer, or `away`."""
        request = _frame({"verb": verb, **arguments})
        try:
            async with self._slots, asyncio.timeout(self._timeout):
                answer = await self._exchange(request)
        except (OSError, EOFError, TimeoutError, ValueError):
            raise self._away("A part of the gateway does not answer. Please try again later.") from None
        if "error" in answer:
            kind = _KINDS.get(str(answer["error"]), self._away)
            raise kind(str(answer.get("advice", "")))
        ok = answer.get("ok")
        return dict(ok) if isinstance(ok, Mapping) else {}

    async def close(self) -> None:
        """Close the connections that wait for use."""
        while self._idle:
            _, writer = self._idle.pop()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, request: bytes) -> dict[str, Any]:
        reader, writer = await self._connection()
        try:
            writer.write(request)
            await writer.drain()
            answer = await _read(reader)
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_unix_connection(os.fspath(self._path), limit=MAX_OCTETS)


async def _answer_requests(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, away: type[Unavailable]
) -> None:
    while True:
        try:
            request = await _read(reader)
        except ValueError:
            return
        writer.write(_frame(await _judge(request, answer, away)))
        await writer.drain()


async def _judge(request: dict[str, Any], answer: Answer, away: type[Unavailable]) -> dict[str, Any]:
    try:
        return {"ok": dict(await answer(text(request, "verb"), request))}
    except GatewayError as problem:
        return {"error": type(problem).__name__, "advice": problem.advice}
    except Exception as problem:  # noqa: BLE001 - the peer gets an id, never the words
        incident = maillog.incident("frames", problem)
        return {"error": away.__name__, "advice": f"Something failed here; say the number {incident} when you ask."}


async def _read(reader: asyncio.StreamReader) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_OCTETS:
        raise ValueError("a frame is too long")
    value = json.loads(await reader.readexactly(length))
    if not isinstance(value, dict):
        raise ValueError("a frame holds one object")
    return value


def _frame(value: Mapping[str, Any]) -> bytes:
    octets = json.dumps(value, separators=(",", ":")).encode("ascii")
    if len(octets) > MAX_OCTETS:
        raise Malformed("A request between programs is too long.")
    return _LENGTH.pack(len(octets)) + octets


def _bind(path: Path, mode: int) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.stat().st_mode):
                path.unlink()
        listener.bind(os.fspath(path))
        path.chmod(mode)
        listener.listen(_BACKLOG)
    except OSError as problem:
        listener.close()
        raise ConfigError(f"{path}: no socket can be made here: {problem.strerror or problem}") from None
    listener.setblocking(False)
    return listener


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(peer)
    return int(uid)
