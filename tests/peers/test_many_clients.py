"""A thousand peers that want nothing good, from many addresses, while an employee sends mail.

The peers are plain sockets of our own; the gateway is a whole one, in processes of its own.
"""

from __future__ import annotations

import asyncio
import base64
import resource
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.demo.site import Plan
from gateway.demo.world import World
from gateway.supervisor import read_status
from tests.worlds import FAST, children_of, running_world

SLOW, IDLE, GUESSERS = 500, 500, 50
MOST_GROWTH = 200 * 1024 * 1024
NEEDED_FILES = 4096
MAILS = 10
PATIENCE = 240.0
LINES = b"EHLO slow.example\r\nNOOP\r\n" * 1000


@pytest.fixture
def many_files() -> Iterator[None]:
    """Descriptors for this process and for the programs that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < NEEDED_FILES:
        pytest.skip(f"needs {NEEDED_FILES} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, NEEDED_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@dataclass
class Crowd:
    """Peers of three kinds, and how far they came."""

    world: World
    stack: AsyncExitStack
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    trickled: int = 0
    wrong: int = 0

    async def connect(self, number: int, port: int, *, tls: bool = False) -> asyncio.StreamReader:
        """Connect from one of many addresses of this machine."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port,
            local_addr=(f"127.0.{1 + number // 200}.{1 + number % 200}", 0),
            ssl=self.world.tls if tls else None,
            server_hostname="localhost" if tls else None,
        )
        self.stack.callback(writer.transport.abort)
        self.writers.append(writer)
        return reader

    async def trickle(self) -> None:
        """The first SLOW peers send an octet a second each."""
        for octet in LINES:
            for writer in self.writers[:SLOW]:
                writer.write(bytes([octet]))
            self.trickled += 1
            await asyncio.sleep(1)

    async def guess(self, number: int) -> None:
        """Try passwords of an account that is there, by one connection after the other, until told to stop."""
        name = f"{self.world.people['dana'].address}" if number % 2 else f"nobody{number}@agency.example"
        while True:
            writer = None
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1",
                    self.world.ports.tls,
                    local_addr=(f"127.0.9.{1 + number}", 0),
                    ssl=self.world.tls,
                    server_hostname="localhost",
                )
                await reader.readline()
                writer.write(b"EHLO guess.example\r\n")
                while (await reader.readline())[3:4] == b"-":
                    pass
                for attempt in range(1000):
                    said = base64.b64encode(f"\0{name}\0guess-{number}-{attempt}".encode())
                    writer.write(b"AUTH PLAIN " + said + b"\r\n")
                    reply = await reader.readline()
                    assert not reply.startswith(b"235")
                    self.wrong += reply[:3] in {b"535", b"451"}
                    if not reply or reply.startswith(b"421"):
                        break
            except OSError:
                await asyncio.sleep(0.05)  # cut off: it comes again
            finally:
                if writer is not None:
                    writer.transport.abort()


@pytest.mark.usefixtures("many_files")
async def test_slow_idle_and_guessing_peers_keep_nobody_from_sending() -> None:
    plan = Plan(more=FAST.rstrip() + "\nconnections = 2000\n")
    async with asyncio.timeout(PATIENCE), running_world(plan) as world, AsyncExitStack() as stack:
        program = int(read_status(world.settings.site.run)["submission"]["pid"])
        serving = children_of(program) or [program]
        await send(world, "before")
        before = sum(map(resident, serving))
        crowd = Crowd(world, stack)
        greetings = [await crowd.connect(number, world.ports.starttls) for number in range(SLOW + IDLE // 2)]
        for number in range(IDLE // 2):  # these begin no handshake
            await crowd.connect(SLOW + IDLE // 2 + number, world.ports.tls)
        assert {await reader.readline() for reader in greetings} == {b"220 localhost ESMTP\r\n"}
        tasks = [asyncio.create_task(crowd.trickle())]
        tasks += [asyncio.create_task(crowd.guess(number)) for number in range(GUESSERS)]
        while crowd.wrong < GUESSERS:
            await asyncio.sleep(0.05)
        wrong, codes, grown = crowd.wrong, [], 0
        for number in range(MAILS):
            codes.append(await send(world, f"during {number}"))
            grown = max(grown, sum(map(resident, serving)) - before)
        while crowd.wrong <= wrong:  # the guessers go on: each is answered a second later
            await asyncio.sleep(0.05)
        failed = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert codes == [250] * MAILS
        assert failed == []
        assert crowd.trickled > 0
        assert grown <= MOST_GROWTH


async def send(world: World, subject: str) -> int:
    """Submit one mail as a tool does: connection, STARTTLS, AUTH."""
    octets = f"From: {world.people['dana'].address}\r\nSubject: {subject}\r\n\r\nwords\r\n".encode()
    return (await world.mail_tool("dana").send([world.case_address], octets)).code


def resident(pid: int) -> int:
    """Octets of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
