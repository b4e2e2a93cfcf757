"""LMTP on a UNIX socket: who may speak, its own commands, and an answer for each recipient (RFC 2033)."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.inbound.listener import DoorLimits, open_lmtp_listener
from tests.dialogs.door import MemoryDoor
from tests.dialogs.house import Client, House

US = frozenset({os.getuid()})


@asynccontextmanager
async def open_socket(trust: ssl.SSLContext, users: frozenset[int] = US) -> AsyncIterator[tuple[House, Client]]:
    """One LMTP listener and a client on it."""
    door = MemoryDoor()
    with tempfile.TemporaryDirectory() as folder:  # short: addresses of sockets may not be long
        path = Path(folder) / "lmtp.sock"
        listener = await open_lmtp_listener(door, path=path, users=users, limits=DoorLimits(), hostname="gw.test")
        house = House(door, listener, trust)
        client = Client(*await asyncio.open_unix_connection(path), trust)
        try:
            yield house, client
            await client.close()
            await house.settle()
        finally:
            await listener.close(grace=1)
    assert (door.violations, door.open, listener.connections) == ([], 0, 0)


async def test_each_recipient_is_answered_alone_at_the_end_of_data(trust: ssl.SSLContext) -> None:
    async with open_socket(trust) as (house, client):
        assert await client.line() == "220 gw.test LMTP"
        client.send(
            b"LHLO mta.test\r\nMAIL FROM:<joe@b.test>\r\nRCPT TO:<sm@gw.test>\r\n"
            b"RCPT TO:<forbidden-at-rcpt@gw.test>\r\nRCPT TO:<sn@gw.test>\r\nDATA\r\n"
        )
        offered = [await client.line() for _ in range(9)]
        assert offered[-1] == "250 HELP"
        assert not [line for line in offered if "CHUNKING" in line or "AUTH" in line or "STARTTLS" in line]
        assert [(await client.line())[:9] for _ in range(5)] == [
            "250 2.1.0",
            "250 2.1.5",
            "550 5.7.1",
            "250 2.1.5",
            "354 send ",
        ]
        client.send(b"words\r\n.\r\nNOOP\r\n")
        assert [await client.line() for _ in range(3)] == ["250 2.6.0 SM-1", "250 2.6.0 SM-1", "250 2.0.0 ok"]
        assert [one.octets for one in house.door.deposits] == [b"words\r\n"]
        assert house.door.deposits[0].principal is None


async def test_what_is_refused_at_the_end_of_data_is_refused_to_each(trust: ssl.SSLContext) -> None:
    async with open_socket(trust) as (house, client):
        assert await client.line() == "220 gw.test LMTP"
        assert await client.ask("LHLO mta.test") == "250 HELP"
        for command in ("MAIL FROM:<away-at-commit@b.test>", "RCPT TO:<sm@gw.test>", "RCPT TO:<sn@gw.test>", "DATA"):
            assert (await client.ask(command))[:3] in {"250", "354"}
        client.send(b"x\r\n.\r\n")
        assert [await client.line() for _ in range(2)] == ["451 4.3.0 The store is away."] * 2
        assert house.door.deposits == []


async def test_lmtp_has_its_own_commands(trust: ssl.SSLContext) -> None:
    async with open_socket(trust) as (_, client):
        assert await client.line() == "220 gw.test LMTP"
        assert await client.ask("MAIL FROM:<a@b.test>") == "503 5.5.1 say EHLO first, or LHLO where LMTP is spoken"
        for command in ("HELO a.test", "EHLO a.test", "STARTTLS", "AUTH PLAIN AAAA", "BDAT 0 LAST"):
            assert await client.ask(command) == "500 5.5.1 command not recognised"
        assert await client.ask("LHLO mta.test") == "250 HELP"
        assert (await client.ask("MAIL FROM:<joe@b.test>")).startswith("250 ")
        assert await client.ask("DATA") == "503 5.5.1 no valid recipients"


async def test_a_user_who_is_not_on_the_list_is_turned_away(trust: ssl.SSLContext) -> None:
    async with open_socket(trust, frozenset({os.getuid() + 1})) as (house, client):
        assert await client.line() == "421 4.7.0 this socket is not for your user; closing"
        assert await client.is_closed()
        assert house.door.deposits == []
