"""The PROXY header, both versions, by all that a broken or lying proxy could send."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound.listener.inbox import Inbox, PeerGone
from gateway.inbound.listener.proxy import MAX_REST, SIGNATURE, BadHeader, Endpoint, parse_line, read_origin

HERE = ip_address("192.0.2.99").packed
THERE = ip_address("2001:db8::99").packed


def binary(
    source: str, port: int = 4711, *, command: int = 0x21, family: int | None = None, more: bytes = b"", lie: int = 0
) -> bytes:
    """A header of version 2 with addresses and TLVs; `lie` is added to the length that it states."""
    packed = ip_address(source).packed
    kind = family if family is not None else (0x11 if len(packed) == 4 else 0x21)
    rest = packed + (HERE if len(packed) == 4 else THERE) + port.to_bytes(2, "big") + b"\x02\x4b" + more
    return SIGNATURE + bytes((command, kind)) + (len(rest) + lie).to_bytes(2, "big") + rest


LINES = {
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 587\r\n": Endpoint("198.51.100.7", 56324),
    b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n": Endpoint("255.255.255.255", 65535),
    b"PROXY TCP6 2001:DB8:0::7 2001:db8::99 1 587\r\n": Endpoint("2001:db8::7", 1),
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n": None,
}
GOOD = LINES | {
    binary("198.51.100.7"): Endpoint("198.51.100.7", 4711),
    binary("2001:db8::7", 65535): Endpoint("2001:db8::7", 65535),
    binary("198.51.100.7", more=b"\x01\x00\x02h2\x20\x00\x0c" + bytes(12)): Endpoint("198.51.100.7", 4711),
    binary("198.51.100.7", more=bytes(MAX_REST - 12)): Endpoint("198.51.100.7", 4711),
    binary("::ffff:198.51.100.7"): Endpoint("198.51.100.7", 4711),
    binary("198.51.100.7", command=0x20): None,
    SIGNATURE + b"\x20\x00\x00\x00": None,
    SIGNATURE + b"\x21\x00\x00\x00": None,
    SIGNATURE + b"\x20\x11\x00\x03abc": None,
}
BAD = [
    b"PROXY\r\n",
    b"PROXY \r\n",
    b"proxy TCP4 198.51.100.7 192.0.2.99 56324 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 587\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 587\r\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 587 \r\n",
    b"PROXY  TCP4 198.51.100.7 192.0.2.99 56324 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 587 1\r\n",
    b"PROXY TCP4 198.51.100.256 192.0.2.99 56324 587\r\n",
    b"PROXY TCP4 198.51.100.07 192.0.2.99 56324 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2 56324 587\r\n",
    b"PROXY TCP4 2001:db8::7 2001:db8::99 1 587\r\n",
    b"PROXY TCP6 198.51.100.7 192.0.2.99 56324 587\r\n",
    b"PROXY TCP6 fe80::1%eth0 fe80::2 1 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 65536 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 56324 99999\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 056 587\r\n",
    b"PROXY TCP4 198.51.100.7 192.0.2.99 -1 587\r\n",
    b"PROXY TCP4 localhost 192.0.2.99 56324 587\r\n",
    b"PROXY UDP4 198.51.100.7 192.0.2.99 56324 587\r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
    b"PROXY TCP4 " + b" " * 200,
    b"EHLO client.test\r\n",
    b"\x16\x03\x01\x02\x00\r\n",
    b"\x00" * 200,
    b"\r\n\r\n\0\r\nQUIT\r" + bytes(4),
    SIGNATURE[:-1] + b"X\x21\x11\x00\x0c" + bytes(12),
    binary("198.51.100.7", command=0x11),
    binary("198.51.100.7", command=0x31),
    binary("198.51.100.7", command=0x22),
    binary("198.51.100.7", family=0x12),
    binary("198.51.100.7", family=0x31),
    binary("198.51.100.7", family=0x21),
    binary("2001:db8::7", family=0x51),
    binary("198.51.100.7", lie=-1),
    binary("2001:db8::7", lie=-1),
    binary("198.51.100.7", more=bytes(MAX_REST - 11)),
    SIGNATURE + b"\x21\x11\xff\xff" + bytes(70_000),
]


async def nothing() -> None:
    pass


def inbox() -> Inbox:
    loop = asyncio.get_running_loop()
    return Inbox(loop, nothing, capacity=131_072, line_octets=12_288, seconds=5.0)


async def read(octets: bytes) -> tuple[Endpoint | None, bytes]:
    """What a header says, and what is left behind it."""
    here = inbox()
    here.feed(octets)
    here.feed_eof()
    return await read_origin(here, 5.0), here.take_all()


@pytest.mark.parametrize("header", GOOD, ids=lambda octets: repr(octets[:40]))
async def test_a_header_says_for_whom_and_leaves_what_follows(header: bytes) -> None:
    assert await read(header + b"EHLO client.test\r\n") == (GOOD[header], b"EHLO client.test\r\n")


@pytest.mark.parametrize("header", GOOD, ids=lambda octets: repr(octets[:40]))
async def test_a_header_may_be_cut_anywhere(header: bytes) -> None:
    for cut in [*range(1, min(len(header), 120)), len(header) - 1]:
        here = inbox()
        here.feed(header[:cut])
        reading = asyncio.ensure_future(read_origin(here, 5.0))
        await asyncio.sleep(0)
        assert not reading.done(), cut
        here.feed(header[cut:])
        assert await reading == GOOD[header]
        assert not here.held


@pytest.mark.parametrize("header", GOOD, ids=lambda octets: repr(octets[:40]))
async def test_a_header_that_does_not_end_says_nothing(header: bytes) -> None:
    for cut in range(min(len(header), 120)):
        with pytest.raises(PeerGone):
            await read(header[:cut])


@pytest.mark.parametrize("octets", BAD, ids=lambda octets: repr(octets[:60]))
async def test_what_breaks_the_protocol_is_not_believed(octets: bytes) -> None:
    with pytest.raises(BadHeader):
        await read(octets)


@given(st.binary(max_size=120).map(lambda octets: b"PROXY " + octets + b"\r\n") | st.binary(max_size=120))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    try:
        found = parse_line(octets)
    except BadHeader:
        return
    assert found is None or ip_address(found.address)


@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 255))
def test_no_addresses_raise_anything_else(rest: bytes, command: int, family: int) -> None:
    async def run() -> None:
        try:
            await read(SIGNATURE + bytes((command, family)) + len(rest).to_bytes(2, "big") + rest)
        except BadHeader:
            return

    asyncio.run(run())
