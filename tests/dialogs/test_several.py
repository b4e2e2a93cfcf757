"""Several processes behind one door: what they bear, they bear together. Here each is a column and a channel."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.inbound.listener import DoorLimits, Handed, Listener, Occupancy, open_listener
from gateway.inbound.listener.handover import HandedPeers, give, open_channel
from gateway.inbound.listener.tally import CONNECTIONS, TAKEN, Tally
from tests.dialogs.door import MemoryDoor
from tests.dialogs.house import HOSTNAME, PATIENCE, Client


@dataclass
class Worker:
    """One process: its end of the channel, what it counts in, its listener."""

    channel: socket.socket
    peers: HandedPeers
    listener: Listener
    door: MemoryDoor


@dataclass
class Shared:
    """A door that the first process accepts at, by turns for each worker."""

    accepting: socket.socket
    tally: Tally
    trust: ssl.SSLContext
    workers: list[Worker] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    async def connect(self, worker: int) -> Client:
        """A client of this worker."""
        loop = asyncio.get_running_loop()
        waiting = asyncio.create_task(loop.sock_accept(self.accepting))
        reader, writer = await asyncio.open_connection(*self.accepting.getsockname())
        accepted, _ = await waiting
        with accepted:
            assert give(self.workers[worker].channel, 0, accepted)
        self.clients.append(Client(reader, writer, self.trust))
        return self.clients[-1]


@asynccontextmanager
async def shared(trust: ssl.SSLContext, limits: DoorLimits, processes: int = 2) -> AsyncIterator[Shared]:
    with socket.create_server(("127.0.0.1", 0)) as accepting:
        accepting.setblocking(False)
        site = Shared(accepting, Tally(processes, limits.connections), trust)
        for process in range(processes):
            giver, taker = open_channel()
            peers, door = HandedPeers(taker, site.tally.column(process)), MemoryDoor()
            listener = await open_listener(
                door, name="test", host="127.0.0.1", port=0, tls=None, implicit_tls=False, limits=limits,
                hostname=HOSTNAME, require_auth=False, occupancy=Occupancy(limits, peers.column),
                handed=Handed(peers, 0),
            )  # fmt: skip
            peers.begin()
            site.workers.append(Worker(giver, peers, listener, door))
        try:
            yield site
        finally:
            for client in site.clients:
                client.writer.transport.abort()
            for worker in site.workers:
                await worker.peers.close()
                await worker.listener.close(grace=1)
                worker.channel.close()
        for worker in site.workers:
            assert worker.listener.connections == 0
        assert [site.tally.value(process, CONNECTIONS) for process in range(processes)] == [0] * processes


async def until(true: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.001)


async def test_connections_of_one_address_are_counted_over_all_processes(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(connections_per_address=2)) as site:
        clients = [await site.connect(0), await site.connect(1)]
        assert [await client.line() for client in clients] == ["220 gw.test ESMTP"] * 2
        for worker in (0, 1):
            third = await site.connect(worker)
            assert await third.line() == ("421 4.7.0 too many connections from your address; close some and try again")
            await third.close()
        await clients[0].close()
        await until(lambda: site.tally.value(0, CONNECTIONS) == 0)
        again = await site.connect(1)
        assert await again.line() == "220 gw.test ESMTP"
        for client in (clients[1], again):
            await client.close()


async def test_connections_are_counted_over_all_processes(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(connections=2)) as site:
        clients = [await site.connect(0), await site.connect(0)]
        assert [await client.line() for client in clients] == ["220 gw.test ESMTP"] * 2
        third = await site.connect(1)
        assert await third.line() == "421 4.7.0 too many connections; try again later"
        for client in (*clients, third):
            await client.close()


async def test_silent_peers_of_one_process_make_room_while_another_is_crowded(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(connections=5, command_seconds=60, stress_command_seconds=0.05)
    async with shared(trust, limits) as site:
        crowd = [await site.connect(1) for _ in range(3)]
        for client in crowd:
            await client.begin_message()
            assert (await client.ask("DATA")).startswith("354 ")
        silent = await site.connect(0)
        assert await silent.line() == "220 gw.test ESMTP"
        assert (await silent.line()).startswith("421 4.4.2 ")
        for client in (silent, *crowd):
            await client.close()


async def test_mail_under_way_is_counted_over_all_processes(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(message_octets=1000, in_flight_octets=1000)) as site:
        client, other = await site.connect(0), await site.connect(1)
        await client.begin_message()
        assert (await client.ask("DATA")).startswith("354 ")
        client.send(b"x" * 700 + b"\r\n")
        await other.begin_message()
        await until(lambda: not site.workers[1].listener._state.occupancy.has_room(400))
        assert (await other.ask("DATA")).startswith("354 ")
        assert (await other.ask("x" * 400 + "\r\n.")).startswith("452 4.3.1 ")
        assert (await client.ask(".")).startswith("250 ")
        assert (await other.ask("NOOP")).startswith("250 ")
        for one in (client, other):
            await one.close()


async def test_a_burst_arrives_whole_and_is_counted_as_taken(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(connections_per_address=200), processes=1) as site:
        clients = [await site.connect(0) for _ in range(150)]
        assert [await client.line() for client in clients] == ["220 gw.test ESMTP"] * 150
        await until(lambda: site.tally.value(0, TAKEN) == 150)
        assert site.tally.value(0, CONNECTIONS) == 150
        for client in clients:
            await client.close()


async def test_what_was_handed_over_before_the_end_is_told_so(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(), processes=1) as site:
        clients = [await site.connect(0) for _ in range(5)]
        await site.workers[0].peers.close()
        await site.workers[0].listener.close(grace=1)
        for client in clients:
            lines = [await client.line(), await client.line()]
            assert lines[0] == "220 gw.test ESMTP"
            assert lines[1].startswith("421 4.3.2 ")
            await client.close()


async def test_a_connection_handed_over_has_no_delay_of_small_packets(trust: ssl.SSLContext) -> None:
    async with shared(trust, DoorLimits(), processes=1) as site:
        client = await site.connect(0)
        assert await client.line() == "220 gw.test ESMTP"
        [wire] = site.workers[0].listener._state.wires
        assert wire._link is not None
        ours = wire._link.get_extra_info("socket")
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not os.get_inheritable(ours.fileno())
        await client.close()


async def test_nothing_can_be_given_to_who_is_gone() -> None:
    giver, taker = open_channel()
    taker.close()
    with giver, socket.socket() as connection:
        assert not give(giver, 0, connection)


async def test_nothing_is_given_to_who_takes_nothing(trust: ssl.SSLContext) -> None:
    giver, taker = open_channel()
    with giver, taker, socket.socket() as connection:
        given = 0
        while give(giver, 0, connection):
            given += 1
        assert given >= 100


@pytest.mark.parametrize("listener", [0, 7])
async def test_a_connection_for_a_listener_that_is_not_there_is_ended(listener: int) -> None:
    tally = Tally(1, 1)
    giver, taker = open_channel()
    peers = HandedPeers(taker, tally.column(0))
    peers.begin()
    ours, theirs = socket.socketpair()
    with giver, ours:
        with theirs:
            assert give(giver, listener, theirs)
        await until(lambda: tally.value(0, TAKEN) == 1)
        ours.settimeout(PATIENCE)
        assert ours.recv(1) == b""
        await peers.close()
