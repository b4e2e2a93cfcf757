"""Peers that hold a connection by doing next to nothing: each is hung up on, whatever it leaves out of a request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.portal import server
from gateway.portal.forms import chunks
from gateway.portal.server import PatientProtocol

LARGE = 32 * 1024 * 1024


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(server, name, 0.2)
    monkeypatch.setattr(server, "LEAST_OCTETS_A_SECOND", 1_000)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a form and answer; without reading what follows for /at-once, and with much for /large."""
    request = Request(scope, receive)
    octets = b"read"
    if scope["path"] == "/form":
        octets = b"".join([piece async for piece in chunks(request)])
    await Response(b"0" * LARGE if scope["path"] == "/large" else octets)(scope, receive, send)


@contextlib.asynccontextmanager
async def asking() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, set[Any]]]:
    """A connection to a portal's server, and the connections that it counts."""
    config = Config(app, http=PatientProtocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=15)
    config.load()
    state = ServerState()
    listener = await asyncio.get_running_loop().create_server(
        lambda: PatientProtocol(config, state, {}), "127.0.0.1", 0, family=socket.AF_INET
    )
    async with listener:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
        try:
            yield reader, writer, state.connections
        finally:
            writer.close()


async def hung_up(connections: set[Any]) -> bool:
    """Whether the connection is over within some time that no deadline of these tests is near to."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while connections:
                await asyncio.sleep(0.02)
    return not connections


async def trickle(writer: asyncio.StreamWriter, octets: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(octets)
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_a_body_that_comes_an_octet_at_a_time_is_not_awaited() -> None:
    async with asking() as (_, writer, connections):
        writer.write(b"POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        trickling = asyncio.create_task(trickle(writer, b"a"))
        await asyncio.sleep(0.05)
        assert connections
        assert await hung_up(connections)
        trickling.cancel()


@pytest.mark.parametrize("rest", [b"", b"a"])
async def test_who_was_answered_before_the_end_of_the_body_is_not_kept_for_it(rest: bytes) -> None:
    async with asking() as (reader, writer, connections):
        writer.write(b"POST /at-once HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        await reader.readuntil(b"read")
        writer.write(rest)
        assert await hung_up(connections)


async def test_empty_lines_between_requests_keep_no_connection() -> None:
    async with asking() as (reader, writer, connections):
        writer.write(b"GET /at-once HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"read")
        writer.write(b"\r\n")
        assert await hung_up(connections)


async def test_who_does_not_read_the_answer_is_not_waited_for() -> None:
    async with asking() as (reader, writer, connections):
        writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await hung_up(connections)


async def test_who_sends_steadily_is_waited_for_and_may_ask_again() -> None:
    async with asking() as (reader, writer, connections):
        writer.write(b"POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 3000\r\n\r\n")
        for _ in range(10):
            writer.write(b"a" * 300)
            await asyncio.sleep(0.06)
        assert (await reader.readuntil(b"a" * 3000)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.5)
        writer.write(b"GET /at-once HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readuntil(b"read")).startswith(b"HTTP/1.1 200")
        assert connections
