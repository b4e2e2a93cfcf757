"""A crowd that wants nothing good, from many loopback addresses: slow peers, idle ones, and guessers of passwords.

`python -m benchmarks.crowd` reads one JSON object (`Crowd`) from standard input, says `ready` when all are there and
each guesser has guessed, and goes on until its standard input ends; then it says how many guesses were refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import ssl
import sys
from dataclasses import dataclass

import uvloop

from benchmarks.load import Client

_TRICKLE = b"EHLO slow.example\r\nNOOP\r\n" * 1000


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many of each kind come to the STARTTLS port; the slow ones send an octet a second."""

    port: int
    ca: str
    username: str
    slow: int = 500
    idle: int = 500
    guessers: int = 50


class _Peers:
    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.context = ssl.create_default_context(cafile=crowd.ca)
        self.links: list[asyncio.Transport] = []
        self.refused = 0
        self.have_guessed = asyncio.Event()

    async def connect(self, number: int) -> Client:
        loop = asyncio.get_running_loop()
        address = f"127.0.{1 + number // 200}.{1 + number % 200}"
        _, client = await loop.create_connection(Client, "127.0.0.1", self.crowd.port, local_addr=(address, 0))
        await client.expect(b"220")
        return client

    async def gather(self) -> None:
        for number in range(self.crowd.slow + self.crowd.idle):
            client = await self.connect(number)
            assert client.transport is not None
            self.links.append(client.transport)

    async def trickle(self) -> None:
        for octet in _TRICKLE:
            for link in self.links[: self.crowd.slow]:
                link.write(bytes([octet]))
            await asyncio.sleep(1)

    async def guess(self, number: int) -> None:
        while True:
            try:
                await self._guess_once(number)
            except (ValueError, OSError):
                await asyncio.sleep(0.05)  # cut off: it comes again

    async def _guess_once(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        client = await self.connect(5000 + number)
        try:
            client.send(b"EHLO guess.example\r\nSTARTTLS\r\n")
            await client.expect(b"250", b"220")
            assert client.transport is not None
            client.transport = await loop.start_tls(client.transport, client, self.context, server_hostname="localhost")
            client.send(b"EHLO guess.example\r\n")
            await client.expect(b"250")
            for attempt in range(1000):
                said = base64.b64encode(f"\0{self.crowd.username}\0guess-{number}-{attempt}".encode())
                client.send(b"AUTH PLAIN " + said + b"\r\n")
                try:
                    await client.expect(b"535")
                except ValueError as problem:  # of too many guesses it hears something else
                    if str(problem).startswith("235"):
                        raise SystemExit("a guess was let in") from None
                    raise
                finally:
                    self.refused += 1
                    if self.refused >= self.crowd.guessers:
                        self.have_guessed.set()
        finally:
            if client.transport is not None:
                client.transport.abort()


async def _run(crowd: Crowd) -> None:
    peers = _Peers(crowd)
    await peers.gather()
    tasks = [asyncio.create_task(peers.trickle())]
    tasks += [asyncio.create_task(peers.guess(number)) for number in range(crowd.guessers)]
    await peers.have_guessed.wait()
    _say("ready")
    await asyncio.to_thread(sys.stdin.read)
    _say(str(peers.refused))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    crowd = Crowd(**json.loads(sys.stdin.readline()))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(crowd))


if __name__ == "__main__":
    main()
