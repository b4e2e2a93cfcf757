"""An employee's key, asked for at a directory over real TLS: what is taken of it, and what is not believed."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.domain.address import parse_address
from gateway.domain.errors import Unavailable, UnknownRecipient
from gateway.domain.wkd import places_of
from gateway.parcels.lookup import IpAddress, look_up
from gateway.parcels.openpgp_key import MAX_FILE
from tests.portal.house import make_certificate

ANN = parse_address("Ann.Ex@localhost")


@dataclass
class Directory:
    """A host that answers each request with `answer`, and notes what it was asked."""

    trust: ssl.SSLContext
    port: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nkey"
    asked: list[str] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
        writer.close()

    async def look_up(self, *, trusted: bool = True) -> bytes:
        trust = self.trust if trusted else ssl.create_default_context()
        return await look_up(ANN, may_ask=is_loopback, trust=trust, port=self.port)


def is_loopback(address: IpAddress) -> bool:
    return str(address) == "127.0.0.1"


@pytest_asyncio.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, tmp_path / "tls.key")
    found = Directory(ssl.create_default_context(cafile=str(certificate)))
    server = await asyncio.start_server(found.converse, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


async def test_the_key_is_asked_for_by_its_name_and_the_local_part(directory: Directory) -> None:
    assert await directory.look_up() == b"key"
    (asked,) = directory.asked
    assert asked.startswith(f"GET {places_of(ANN)[1][1]} HTTP/1.1\r\n")
    assert "\r\nhost: localhost\r\n" in asked.lower()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: https://10.0.0.1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (MAX_FILE + 1) + bytes(MAX_FILE + 1),
    ],
    ids=["absent", "elsewhere", "too long"],
)
async def test_where_there_is_no_key_none_is_taken(directory: Directory, answer: bytes) -> None:
    directory.answer = answer
    with pytest.raises(UnknownRecipient):
        await directory.look_up()
    assert len(directory.asked) == 1


async def test_a_host_that_cannot_prove_its_name_or_breaks_off_is_away(directory: Directory) -> None:
    with pytest.raises(Unavailable):
        await directory.look_up(trusted=False)
    directory.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\nhalf"
    with pytest.raises(Unavailable):
        await directory.look_up()


async def test_what_comes_packed_is_not_unpacked(directory: Directory) -> None:
    packed = gzip.compress(bytes(64 * MAX_FILE))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    directory.answer = head + packed
    assert await directory.look_up() == packed
