"""A sender of TLS reports on a database, a name server and hosts of the test's own. Run as a program, it sends once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from gateway.domain.address import parse_address
from gateway.outbound.courier import AllowList, Courier
from gateway.outbound.direct import DirectWay
from gateway.outbound.dkim import Signer
from gateway.outbound.hosts import HostFinder
from gateway.outbound.names import Names
from gateway.outbound.tls_policy import TlsContexts
from gateway.outbound.tls_report import Reporter
from gateway.outbound.tls_reports import ByHttps, ByMail, TlsReporter, Uncounted
from gateway.store.database import Database
from tests.notifying import SIGNER, Time

MORNING = datetime(2026, 3, 2, 4, tzinfo=UTC)
OURS = Reporter(
    "Example Agency", "gateway.example", parse_address("notices@gateway.example"), "postmaster@gateway.example"
)


def tls_reporter(
    database: Database,
    clock: Callable[[], datetime],
    nameserver: tuple[str, int],
    ca_file: Path,
    *,
    smtp_port: int,
    web_port: int,
    signers: tuple[Signer, ...] = (SIGNER,),
    allow_list: AllowList | None = None,
) -> TlsReporter:
    names = Names([nameserver])
    hosts = HostFinder(names, frozenset(), (ip_network("127.0.0.0/8"),), smtp_port)
    tls = TlsContexts(ca_file)
    uncounted = Uncounted(database, names, hosts, {}, tls.verified, web_port, clock)
    way = DirectWay(hosts, uncounted, tls, helo="gateway.example", port=smtp_port, connections=1, clock=clock)
    carriers = {
        "mailto": ByMail(Courier(way, allow_list, clock=clock), signers),
        "https": ByHttps(hosts, allow_list, tls.verified, frozenset({web_port})),
    }
    return TlsReporter(database, names, OURS, carriers, clock=clock, jitter=lambda: 0.5)


class Web:
    """A web server that keeps what is posted, and answers as it was told."""

    def __init__(self) -> None:
        self.posted: list[tuple[bytes, bytes]] = []
        self.answers: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.posted.append((head, await reader.readexactly(length)))
        status = self.answers.pop(0) if self.answers else "201 Created"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


async def _send_once(url: str, host: str, port: str, ca_file: str, smtp_port: str, web_port: str, minutes: str) -> None:
    clock = Time(MORNING + timedelta(minutes=int(minutes)))
    database = Database(url, clock=clock)
    reporter = tls_reporter(
        database, clock, (host, int(port)), Path(ca_file), smtp_port=int(smtp_port), web_port=int(web_port)
    )
    await reporter.send_due()
    await reporter.close()
    database.close()


if __name__ == "__main__":
    asyncio.run(_send_once(*sys.argv[1:]))
