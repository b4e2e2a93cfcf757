"""The load generator: a process of its own that speaks SMTP as mail tools do and tells what it was told.

`python -m benchmarks.load` reads one JSON object (`Load`) from standard input and writes one (`Outcome`) to standard
output. MAIL, RCPT and DATA go in one group (RFC 2920), the message after `354`; every reply is checked, and a message
counts when its `250` has come. The clock runs from the moment when every connection is ready to the last reply.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
import time
from dataclasses import asdict, dataclass, field

import uvloop

_LINE = b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456\r\n"
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `octets` a message, for `seconds` (or `messages` in all), over so many connections.

    `tls`: STARTTLS, checked against `ca`. `one_each`: a connection for each message. `bdat`: by one
    BDAT LAST (RFC 3030) in place of DATA. `tag` makes Message-IDs unique.
    """

    port: int
    connections: int
    octets: int
    sender: str
    recipient: str
    tag: str
    seconds: float = 3.0
    messages: int = 0
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str = ""
    one_each: bool = False
    bdat: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it: times in seconds; `sample` is (Message-ID, last words of the reply) of every n-th message."""

    acknowledged: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    sample: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def compose(load: Load, message_id: str) -> tuple[bytes, bytes]:
    """Return the header and the body of one message, `octets` long together; bodies of one load are equal."""
    header = (
        f"From: <{load.sender}>\r\nTo: <{load.recipient}>\r\nSubject: Figures of the season\r\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: {message_id}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode("ascii")
    return header, body_of(load.octets - len(header))


def body_of(octets: int) -> bytes:
    """Return lines of text, so many octets in all."""
    whole = _LINE * (octets // len(_LINE) + 1)
    return whole[: octets - 2] + b"\r\n"


class Client(asyncio.Protocol):
    """One connection: sends octets, waits for whole replies."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._lines: list[bytes] = []
        self._rest = b""
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self._flows = asyncio.Event()
        self._flows.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        self._lines += [line for line in lines if line[3:4] != b"-"]
        self._wake()

    def connection_lost(self, _: Exception | None) -> None:
        self._lost = True
        self._flows.set()
        self._wake()

    def pause_writing(self) -> None:
        self._flows.clear()

    def resume_writing(self) -> None:
        self._flows.set()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def expect(self, *codes: bytes) -> bytes:
        """Return the last of so many replies. Raises ValueError for another code."""
        while len(self._lines) < len(codes):
            if self._lost:
                raise ValueError("connection lost")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        replies, self._lines = self._lines[: len(codes)], self._lines[len(codes) :]
        for reply, code in zip(replies, codes, strict=True):
            if reply[:3] != code:
                raise ValueError(reply.decode("ascii", "replace"))
        return replies[-1]

    def send(self, *pieces: bytes) -> None:
        assert self.transport is not None
        self.transport.writelines(pieces)

    async def drained(self) -> None:
        await self._flows.wait()


class _Run:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.outcome = Outcome()
        self.deadline = float("inf")
        self.begun = 0
        self.last = 0.0
        self.context = ssl.create_default_context(cafile=load.ca) if load.tls else None
        header, body = compose(load, f"<{load.tag}.{0:012d}@load.example>")
        self.before, self.after = header.split(f"{load.tag}.{0:012d}".encode("ascii"))
        self.pieces = [body[place : place + 262_144] for place in range(0, len(body), 262_144)]
        self.envelope = f"MAIL FROM:<{load.sender}>\r\nRCPT TO:<{load.recipient}>\r\n".encode("ascii")
        self.begin = f"BDAT {len(header) + len(body)} LAST\r\n".encode("ascii") if load.bdat else b"DATA\r\n"
        self.end = b"" if load.bdat else b".\r\n"

    def next_number(self) -> int | None:
        if time.monotonic() >= self.deadline or (self.load.messages and self.begun >= self.load.messages):
            return None
        self.begun += 1
        return self.begun

    async def open(self) -> Client:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", self.load.port)
        await client.expect(b"220")
        client.send(b"EHLO tool.example\r\n")
        await client.expect(b"250")
        if self.context is not None:
            client.send(b"STARTTLS\r\n")
            await client.expect(b"220")
            assert client.transport is not None
            upgraded = await loop.start_tls(client.transport, client, self.context, server_hostname="localhost")
            client.transport = upgraded
            client.send(b"EHLO tool.example\r\n")
            await client.expect(b"250")
        if self.load.username:
            proof = base64.b64encode(f"\0{self.load.username}\0{self.load.password}".encode())
            client.send(b"AUTH PLAIN " + proof + b"\r\n")
            await client.expect(b"235")
        return client

    async def deliver(self, client: Client, number: int) -> str:
        word = b"%s.%012d" % (self.load.tag.encode("ascii"), number)
        client.send(self.envelope + self.begin)
        await client.expect(*((b"250", b"250") if self.load.bdat else (b"250", b"250", b"354")))
        if len(self.pieces) == 1:
            client.send(self.before + word + self.after, self.pieces[0], self.end)
        else:
            client.send(self.before, word, self.after)
            for piece in self.pieces:
                client.send(piece)
                await client.drained()
            client.send(self.end)
        return (await client.expect(b"250")).decode("ascii")

    def note(self, number: int, began: float, reply: str) -> None:
        self.last = time.monotonic()
        self.outcome.acknowledged += 1
        self.outcome.latencies.append(self.last - began)
        if number % 97 == 1 or len(self.outcome.sample) < 2:
            self.outcome.sample.append((f"<{self.load.tag}.{number:012d}@load.example>", reply))

    async def keep_sending(self, client: Client | None) -> None:
        while (number := self.next_number()) is not None:
            began = time.monotonic()
            try:
                used = client or await self.open()
                self.note(number, began, await self.deliver(used, number))
                if client is None:
                    used.send(b"QUIT\r\n")
                    await used.expect(b"221")
                    assert used.transport is not None
                    used.transport.close()
            except (ValueError, OSError) as problem:
                self.outcome.wrong.append(str(problem))
                return
        if client is not None:
            client.send(b"QUIT\r\n")

    async def run(self) -> Outcome:
        count = self.load.connections
        ready: list[Client | None] = [None] * count
        if not self.load.one_each:
            ready = list(await asyncio.gather(*(self.open() for _ in range(count))))
        began = time.monotonic()
        self.deadline = began + self.load.seconds
        async with asyncio.timeout(self.load.seconds + _TIMEOUT):
            await asyncio.gather(*(self.keep_sending(client) for client in ready))
        self.outcome.seconds = self.last - began
        return self.outcome


def main() -> None:
    load = Load(**json.load(sys.stdin))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(_Run(load).run())
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
