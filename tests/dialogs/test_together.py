"""Listeners of one program: what they bear, they bear together."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.inbound.listener import DoorLimits, Occupancy, open_lmtp_listener
from tests.dialogs.door import MemoryDoor
from tests.dialogs.house import PATIENCE, Client, House, open_house


@asynccontextmanager
async def two_houses(trust: ssl.SSLContext, limits: DoorLimits) -> AsyncIterator[tuple[House, House, Occupancy]]:
    together = Occupancy(limits)
    async with (
        open_house(None, trust, limits=limits, occupancy=together) as first,
        open_house(None, trust, limits=limits, occupancy=together) as second,
    ):
        yield first, second, together


async def test_connections_are_counted_over_all_listeners(trust: ssl.SSLContext) -> None:
    async with two_houses(trust, DoorLimits(connections=2)) as (first, second, together):
        clients = [await first.connect(), await second.connect()]
        assert [await client.line() for client in clients] == ["220 gw.test ESMTP"] * 2
        for house in (first, second):
            third = await house.connect()
            assert await third.line() == "421 4.7.0 too many connections; try again later"
            await third.close()
        for client in clients:
            await client.close()
        await first.settle()
        await second.settle()
        assert together.total == 0


async def test_one_address_is_counted_over_all_listeners(trust: ssl.SSLContext) -> None:
    async with two_houses(trust, DoorLimits(connections_per_address=1)) as (first, second, _):
        client = await first.connect()
        assert await client.line() == "220 gw.test ESMTP"
        other = await second.connect()
        assert (await other.line()).startswith("421 4.7.0 too many connections from your address")
        await client.close()
        await other.close()


async def test_mail_under_way_is_counted_over_all_listeners(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(message_octets=1000, in_flight_octets=1000)
    async with two_houses(trust, limits) as (first, second, together):
        client, other = await first.connect(), await second.connect()
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        client.send(b"x" * 700 + b"\r\n")
        await other.begin_message()
        async with asyncio.timeout(PATIENCE):
            while together.octets < 700:
                await asyncio.sleep(0.001)
        assert (await other.ask("DATA")).startswith("354 ")
        assert (await other.ask("y" * 400 + "\r\n.")).startswith("452 4.3.1 too much mail is under way")
        assert (await client.ask(".")).startswith("250 2.6.0")
        await client.close()
        await other.close()


async def test_stress_at_one_door_is_stress_at_all(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(connections=5, command_seconds=60, stress_command_seconds=0.1)
    async with two_houses(trust, limits) as (first, second, _):
        silent = [await house.connect() for house in (first, first, second, second)]  # alone, no door were stressed
        assert [await client.line() for client in silent] == ["220 gw.test ESMTP"] * 4
        waiting = [asyncio.ensure_future(client.line()) for client in silent]
        ended, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert {one.result() for one in ended} == {"421 4.4.2 nothing came in time; closing"}
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for client in silent:
            await client.close()


async def test_no_crowd_at_the_ports_keeps_the_machines_own_mail_system_out(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(connections=10)
    together, users = Occupancy(limits), frozenset({os.getuid()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lmtp.sock"
        listener = await open_lmtp_listener(
            MemoryDoor(), path=path, users=users, limits=limits, hostname="gw.test", occupancy=together
        )
        async with open_house(None, trust, limits=limits, occupancy=together) as house:
            crowd = [await house.connect() for _ in range(10)]
            assert [await client.line() for client in crowd] == ["220 gw.test ESMTP"] * 10
            own, more = [Client(*await asyncio.open_unix_connection(path), trust) for _ in range(2)]
            assert await own.line() == "220 gw.test LMTP"
            assert await more.line() == "421 4.7.0 too many connections; try again later"
            for client in (*crowd, own, more):
                await client.close()
        await listener.close(grace=1)
    assert together.total == 0
