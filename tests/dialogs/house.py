"""A real listener on a free port with a door in memory, and a client that speaks to it octet by octet."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.inbound.listener import DoorLimits, Listener, open_listener
from tests.dialogs.door import MemoryDoor

HOSTNAME = "gw.test"
PATIENCE = 60.0


@dataclass
class House:
    """One listener and what stands behind it."""

    door: MemoryDoor
    listener: Listener
    trust: ssl.SSLContext
    clients: list[Client] = field(default_factory=list)
    """All that ever connected: a test that fails leaves none of them open for the next one to stumble over."""

    async def connect(self, *, tls: bool = False, source: str = "127.0.0.1") -> Client:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.listener.port,
            ssl=self.trust if tls else None,
            server_hostname="localhost" if tls else None,
            local_addr=(source, 0),
        )
        self.clients.append(Client(reader, writer, self.trust))
        return self.clients[-1]

    async def commits(self) -> None:
        """Wait until every message that was begun has come to its commit."""
        async with asyncio.timeout(PATIENCE):
            while self.door.open:
                await asyncio.sleep(0.001)

    async def settle(self) -> None:
        """Wait until every connection has ended."""
        async with asyncio.timeout(PATIENCE):
            while self.listener.connections:
                await asyncio.sleep(0.001)


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    trust: ssl.SSLContext

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def line(self) -> str:
        """One reply line without its end; empty when the server has closed."""
        async with asyncio.timeout(PATIENCE):
            line = await self.reader.readline()
        return line.decode("ascii").removesuffix("\r\n")

    async def reply(self) -> str:
        """The last line of one reply."""
        while (line := await self.line())[3:4] == "-":
            pass
        return line

    async def ask(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def start_tls(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.writer.start_tls(self.trust, server_hostname="localhost")

    async def is_closed(self) -> bool:
        try:
            return await self.line() == ""
        except ConnectionError:
            return True

    def reset(self) -> None:
        """Leave without a word of TCP's either: RST in place of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(0.2):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            self.writer.transport.abort()

    async def begin_message(self) -> None:
        """EHLO, MAIL, RCPT."""
        assert (await self.line()).startswith("220 ")
        assert (await self.ask("EHLO client.test")).startswith("250 ")
        assert (await self.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
        assert (await self.ask("RCPT TO:<sm@gw.test>")).startswith("250 ")


@asynccontextmanager
async def open_house(
    server: ssl.SSLContext | None,
    trust: ssl.SSLContext,
    *,
    implicit_tls: bool = False,
    require_auth: bool = False,
    limits: DoorLimits | None = None,
    **more: Any,
) -> AsyncIterator[House]:
    """Open it, with `more` as `open_listener` takes it.

    At the end no connection, no transaction and no breach of the seam may be left.
    """
    door = MemoryDoor()
    listener = await open_listener(
        door,
        name="test",
        host="127.0.0.1",
        port=0,
        tls=server,
        implicit_tls=implicit_tls,
        limits=limits or DoorLimits(),
        hostname=HOSTNAME,
        require_auth=require_auth,
        **more,
    )
    house = House(door, listener, trust)
    try:
        yield house
        await house.settle()
    finally:
        for client in house.clients:
            with suppress(AttributeError):  # of Python 3.11.2, in TLS that was closed twice
                client.writer.transport.abort()
        await listener.close(grace=1)
    assert listener.connections == 0
    assert door.violations == []
    assert door.open == 0
