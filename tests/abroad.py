"""The world outside for direct delivery: a name server, an authority, policy hosts, and a courier that goes there."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

from sqlalchemy import select

from gateway.domain.address import parse_address
from gateway.domain.delivery import Delivery
from gateway.outbound.courier import Courier
from gateway.outbound.direct import DirectWay
from gateway.outbound.hosts import HostFinder
from gateway.outbound.names import Names
from gateway.outbound.standing import Standings
from gateway.outbound.tls_policy import Rule, TlsContexts
from gateway.store.database import Database
from gateway.store.tables import tls_outcome, tls_verified
from tests.authority import Authority, Shown
from tests.nameserver import Nameserver
from tests.relay import settled

DOMAIN = "agent.example"
HOST = "mx.agent.example"
HELO = "gateway.example"
ANN = parse_address("ann@agent.example")
BACK = parse_address("back@gateway.example")
MAIL = b"From: notices@gateway.example\r\nSubject: x\r\n\r\n.a line with a dot\r\n..two\r\nend\r\n"


class Abroad:
    """What a courier finds outside. `zone` may change at any time; `nameserver.vouches` is DNSSEC."""

    def __init__(self, nameserver: Nameserver, authority: Authority, database: Database) -> None:
        self.nameserver = nameserver
        self.authority = authority
        self.database = database
        self.zone: dict[tuple[str, str], list[str]] = {
            (DOMAIN, "MX"): [f"10 {HOST}."],
            (HOST, "A"): ["127.0.0.1"],
        }
        nameserver.zone = self.zone
        nameserver.vouches = True

    def name(self, port: int, record: str, host: str = HOST) -> None:
        """Put a TLSA record into DNS."""
        self.zone[f"_{port}._tcp.{host}", "TLSA"] = [record]

    def courier(
        self,
        port: int,
        *,
        clock: Callable[[], datetime] | None = None,
        rules: Mapping[str, Rule] | None = None,
        policy_port: int = 1,
        dnssec: bool = True,
        networks: tuple[str, ...] = ("127.0.0.0/8",),
    ) -> Courier:
        """A courier that has just been started, and remembers only what the store does."""
        now = clock or self.database.clock
        names = Names([self.nameserver.place], validates=dnssec)
        hosts = HostFinder(names, frozenset({HELO}), tuple(map(ip_network, networks)), port)
        tls = TlsContexts(self.authority.path)
        standings = Standings(self.database, names, hosts, rules or {}, tls.verified, policy_port, now)
        way = DirectWay(hosts, standings, tls, helo=HELO, port=port, connections=4, clock=now)
        return Courier(way, None, clock=now, jitter=lambda: 0.0)

    async def send(self, port: int, address: str = str(ANN), **changes: object) -> Delivery:
        """Deliver one mail by a new courier."""
        one = self.courier(port, **changes)  # type: ignore[arg-type]
        try:
            return await one.deliver(MAIL, parse_address(address), BACK)
        finally:
            await one.close()

    def outcomes(self) -> dict[tuple[str, str, str], int]:
        """What is counted of TLS, by policy, result and host, whichever day it was counted for."""
        found: Counter[tuple[str, str, str]] = Counter()
        for row in self.database.read_now(lambda connection: connection.execute(select(tls_outcome)).all()):
            found[row.policy_type, row.result_type, row.mx_host] += row.count
        return dict(found)

    def verified(self) -> list[tuple[str, str]]:
        """Domains that are remembered, and by which policy."""
        rows = self.database.read_now(lambda connection: connection.execute(select(tls_verified)).all())
        return [(row.domain, row.policy_type) for row in rows]


class PolicyHost:
    """A web server that gives one answer, and counts how often. `answer` is the whole of it, or None to say nothing."""

    def __init__(self) -> None:
        self.answer: bytes | None = b""
        self.asked: list[bytes] = []

    def give(self, body: str, *, kind: str = "text/plain", status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.answer = (head + body).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def policy_host(shown: Shown) -> AsyncIterator[tuple[PolicyHost, int]]:
    host = PolicyHost()
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0, ssl=shown.server_context())
    try:
        yield host, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await settled()


def policy(mode: str, *hosts: str, max_age: int = 86400) -> str:
    named = "".join(f"mx: {host}\r\n" for host in hosts)
    return f"version: STSv1\r\nmode: {mode}\r\n{named}max_age: {max_age}\r\n"


def folder_database(folder: Path, clock: Callable[[], datetime]) -> Database:
    from tests.tables import make_tables

    url = f"sqlite:///{folder}/gateway.db"
    make_tables(url)
    return Database(url, clock=clock, program="notifier")
