"""The PROXY protocol on the real listener: who may speak it, who must, and what it changes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network

import pytest

from gateway.inbound.listener import DoorLimits
from gateway.inbound.listener.proxy import SIGNATURE
from tests.dialogs.house import PATIENCE, Client, House, open_house

PROXY = (ip_network("127.0.0.9/32"),)
"""The only peer that is believed."""
LINE = b"PROXY TCP4 198.51.100.7 127.0.0.1 56324 587\r\n"
BINARY = (
    SIGNATURE
    + b"\x21\x11\x00\x13"
    + ip_address("198.51.100.7").packed
    + ip_address("127.0.0.1").packed
    + b"\xdc\x04\x02\x4b\x20\x00\x04abcd"
)
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
HEADERS = {"1": LINE, "2": BINARY}
DANA = "AUTH PLAIN AGpvZQByaWdodA=="


async def by_proxy(house: House, octets: bytes) -> Client:
    client = await house.connect(source="127.0.0.9")
    client.send(octets)
    return client


async def deposit(client: Client) -> None:
    for command in ("EHLO client.test", "MAIL FROM:<joe@b.test>", "RCPT TO:<sm@gw.test>"):
        assert (await client.ask(command)).startswith("250 ")
    assert (await client.ask("DATA")).startswith("354 ")
    assert (await client.ask("words\r\n.")).startswith("250 2.6.0")
    await client.close()


@pytest.mark.parametrize("version", HEADERS)
async def test_a_listed_peer_says_for_whom_it_connects(version: str, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY) as house:
        client = await by_proxy(house, HEADERS[version])
        assert await client.line() == "220 gw.test ESMTP"
        await deposit(client)
        peer = house.door.deposits[0].peer
        assert (peer.address, peer.port, peer.helo) == ("198.51.100.7", 56324, "client.test")


@pytest.mark.parametrize("version", HEADERS)
async def test_a_header_may_come_in_two_pieces_cut_anywhere(version: str, trust: ssl.SSLContext) -> None:
    header = HEADERS[version]
    async with open_house(None, trust, proxies=PROXY, limits=DoorLimits(connections_per_address=1000)) as house:
        for cut in range(1, len(header)):
            client = await by_proxy(house, header[:cut])
            await asyncio.sleep(0.001)
            client.send(header[cut:])
            assert await client.line() == "220 gw.test ESMTP", cut
            assert await client.ask("QUIT") == "221 2.0.0 bye"
            await client.close()
        await house.settle()


@pytest.mark.parametrize("version", HEADERS)
async def test_a_listed_peer_that_leaves_within_its_header_is_forgotten(version: str, trust: ssl.SSLContext) -> None:
    header = HEADERS[version]
    async with open_house(None, trust, proxies=PROXY) as house:
        for cut in range(len(header)):
            client = await by_proxy(house, header[:cut])
            await client.close()
        await house.settle()
        assert house.listener._state.occupancy.total == 0


async def test_a_health_check_speaks_for_the_proxy_itself(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY) as house:
        for octets in (LOCAL, b"PROXY UNKNOWN\r\n"):
            client = await by_proxy(house, octets)
            assert await client.line() == "220 gw.test ESMTP"
            await deposit(client)
            assert house.door.deposits[-1].peer.address == "127.0.0.9"


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client.test\r\n",
        b"PROXY TCP4 198.51.100.7 127.0.0.1 56324 587\n",
        b"PROXY TCP4 elsewhere 127.0.0.1 56324 587\r\n",
        b"PROXY TCP4 " + b"1" * 4000,
        SIGNATURE + b"\x21\x11\xff\xff",
        SIGNATURE + b"\x21\x11\x00\x04abcd",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        bytes(200),
    ],
)
@pytest.mark.parametrize("implicit", [False, True])
async def test_a_listed_peer_without_a_good_header_is_dropped_without_a_word(
    octets: bytes, implicit: bool, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with open_house(server, trust, implicit_tls=implicit, proxies=PROXY) as house:
        client = await by_proxy(house, octets)
        assert await client.is_closed()
        await client.close()
        await house.settle()


@pytest.mark.parametrize("octets", [b"", LINE[:20], BINARY[:20]])
async def test_a_header_has_a_deadline_however_its_octets_drip(octets: bytes, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY, limits=DoorLimits(proxy_seconds=0.1)) as house:
        client = await house.connect(source="127.0.0.9")
        for place in range(len(octets)):
            if client.writer.is_closing():
                break
            client.send(octets[place : place + 1])
            await asyncio.sleep(0.01)
        assert await client.is_closed()
        await client.close()


@pytest.mark.parametrize("version", HEADERS)
async def test_a_peer_that_is_not_listed_is_dropped_with_its_header(version: str, trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY) as house:
        client = await house.connect()
        client.send(HEADERS[version] + b"EHLO client.test\r\nMAIL FROM:<joe@b.test>\r\n")
        said = [line async for line in lines(client)]
        assert said[0] == "220 gw.test ESMTP"
        assert not [line for line in said[1:] if line.startswith("2")]
        assert said[-1] in {
            "554 5.5.1 this port speaks SMTP only; closing",
            "500 5.5.2 a command ends with CR LF, not with LF alone; closing",
        }
        await client.close()


async def test_a_peer_that_is_not_listed_needs_no_header(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY) as house:
        client = await house.connect()
        assert await client.line() == "220 gw.test ESMTP"
        await deposit(client)
        assert house.door.deposits[0].peer.address == "127.0.0.1"


async def test_a_second_header_is_not_believed(trust: ssl.SSLContext) -> None:
    async with open_house(None, trust, proxies=PROXY) as house:
        client = await by_proxy(house, LINE + LINE.replace(b".7", b".8"))
        assert await client.line() == "220 gw.test ESMTP"
        assert await client.line() == "554 5.5.1 this port speaks SMTP only; closing"
        assert await client.is_closed()
        await client.close()


@pytest.mark.parametrize("version", HEADERS)
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_a_header_comes_before_tls(
    version: str, implicit: bool, together: bool, server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    """Also where the client's hello is in one piece with the header."""
    async with open_house(server, trust, implicit_tls=implicit, require_auth=True, proxies=PROXY) as house:
        raw = socket.create_connection(("127.0.0.1", house.listener.port), source_address=("127.0.0.9", 0))
        said = await asyncio.to_thread(speak_tls, raw, trust, HEADERS[version], implicit, together)
        assert said[-2:] == [b"235 2.7.0 signed in", b"250 2.1.0 sender ok"]
        await house.settle()


def speak_tls(raw: socket.socket, trust: ssl.SSLContext, header: bytes, implicit: bool, together: bool) -> list[bytes]:
    """A client behind a proxy, octet by octet: signs in over TLS, and begins a message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust.wrap_bio(incoming, outgoing, server_hostname="localhost")
    said: list[bytes] = []
    raw.settimeout(PATIENCE)

    def swap() -> None:
        if outgoing.pending:
            raw.sendall(outgoing.read())
        incoming.write(raw.recv(65536))

    def run(step: object, *arguments: object) -> object:
        while True:
            try:
                return step(*arguments)  # type: ignore[operator]
            except ssl.SSLWantReadError:
                swap()

    with raw:
        if implicit and together:
            with pytest.raises(ssl.SSLWantReadError):
                tls.do_handshake()
            raw.sendall(header + outgoing.read())
        else:
            raw.sendall(header)
        if not implicit:
            raw.recv(100)
            raw.sendall(b"STARTTLS\r\n")
            assert raw.recv(100).startswith(b"220 2.0.0")
        run(tls.do_handshake)
        if implicit:
            run(tls.read, 100)
        for command in (b"EHLO client.test", DANA.encode(), b"MAIL FROM:<joe@b.test>"):
            tls.write(command + b"\r\n")
            raw.sendall(outgoing.read())
            said.append(run(tls.read, 1000).splitlines()[-1])  # type: ignore[attr-defined]
    return said


async def test_clients_of_one_proxy_are_counted_by_their_own_addresses(trust: ssl.SSLContext) -> None:
    limits = DoorLimits(connections_per_address=2)
    async with open_house(None, trust, proxies=PROXY, limits=limits) as house:
        clients = [await by_proxy(house, LINE.replace(b".7 ", b".%d " % last)) for last in (7, 7, 8, 8, 9, 7)]
        said = [await client.line() for client in clients]
        assert said[:5] == ["220 gw.test ESMTP"] * 5
        assert said[5] == "421 4.7.0 too many connections from your address; close some and try again"
        for client in clients:
            await client.close()
        await house.settle()
        again = await by_proxy(house, LINE)
        assert await again.line() == "220 gw.test ESMTP"
        await again.close()


async def test_guesses_are_told_of_by_the_clients_address(server: ssl.SSLContext, trust: ssl.SSLContext) -> None:
    async with open_house(server, trust, require_auth=True, proxies=PROXY) as house:
        client = await by_proxy(house, LINE)
        assert await client.line() == "220 gw.test ESMTP"
        assert (await client.ask("STARTTLS")).startswith("220 ")
        await client.start_tls()
        assert (await client.ask("EHLO client.test")).startswith("250 ")
        assert (await client.ask(DANA)) == "235 2.7.0 signed in"
        assert house.door.guessed_from == ["198.51.100.7"]
        await client.close()


async def lines(client: Client) -> AsyncIterator[str]:
    """All that the server says until it closes."""
    while True:
        try:
            line = await client.line()
        except ConnectionError:
            return
        if not line:
            return
        yield line
