"""The header of the PROXY protocol, versions 1 and 2: for whom a proxy in front of a listener connects.

The source is HAProxy's "The PROXY protocol", sections 2.1 and 2.2. Read strictly and within bounds: a proxy on the list
has no reason to send anything else. What a version 2 header says beside addresses (its TLVs) is passed over.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from gateway.inbound.listener.inbox import BareNewline, Inbox, LineTooLong

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
MAX_LINE: Final = 107
"""One line of version 1 with its CRLF (section 2.1)."""
MAX_REST: Final = 4096
"""What may follow the first 16 octets of version 2: addresses, and TLVs such as a client's certificate name."""
MAX_PORT: Final = 65535

_LINE = re.compile(rb"PROXY (TCP[46]) ([0-9A-Fa-f:.]{2,45}) ([0-9A-Fa-f:.]{2,45}) ([0-9]{1,5}) ([0-9]{1,5})\r\n\Z")
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP4, _TCP6 = 0x00, 0x11, 0x21


class BadHeader(Exception):
    """No PROXY header, or none that can be believed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host's address and port; the address in its shortest form, one of IPv4 never as IPv6."""

    address: str
    port: int

    @classmethod
    def of(cls, address: IPv4Address | IPv6Address, port: int) -> Endpoint:
        """Spell an address."""
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return cls(str(mapped or address), port)


async def read_origin(inbox: Inbox, seconds: float) -> Endpoint | None:
    """Read the header at the start of a connection, all of it within so many seconds; what follows it stays unread.

    Returns for whom the proxy connects, None where it speaks for itself. Raises BadHeader; PeerGone as the inbox does.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(inbox)
    except TimeoutError:
        raise BadHeader from None


async def _read(inbox: Inbox) -> Endpoint | None:
    if await inbox.first() == SIGNATURE[0]:
        head = await inbox.readexactly(16)
        return parse_addresses(head, await inbox.readexactly(parse_length(head)))
    try:
        return parse_line(await inbox.readline(MAX_LINE))
    except (LineTooLong, BareNewline):
        raise BadHeader from None


def parse_line(line: bytes) -> Endpoint | None:
    """Read a line of version 1, its CRLF included. Raises BadHeader."""
    if line == b"PROXY UNKNOWN\r\n" or line.startswith(b"PROXY UNKNOWN "):
        return None
    match = _LINE.match(line)
    if match is None:
        raise BadHeader
    family, source, destination, *ports = (part.decode("ascii") for part in match.groups())
    kind = IPv4Address if family == "TCP4" else IPv6Address
    try:
        found = kind(source)
        kind(destination)
    except AddressValueError:
        raise BadHeader from None
    source_port, _ = (_port(text) for text in ports)
    return Endpoint.of(found, source_port)


def parse_length(head: bytes) -> int:
    """Return how many octets follow the first 16 of version 2. Raises BadHeader."""
    length = int.from_bytes(head[14:16], "big")
    if head[:12] != SIGNATURE or head[12] not in (_LOCAL, _PROXY) or length > MAX_REST:
        raise BadHeader
    return length


def parse_addresses(head: bytes, rest: bytes) -> Endpoint | None:
    """Read the addresses of version 2, which follow its first 16 octets. Raises BadHeader."""
    command, family = head[12], head[13]
    if command == _LOCAL or family == _UNSPECIFIED:
        return None
    if family == _TCP4 and len(rest) >= 12:
        return Endpoint.of(IPv4Address(rest[:4]), int.from_bytes(rest[8:10], "big"))
    if family == _TCP6 and len(rest) >= 36:
        return Endpoint.of(IPv6Address(rest[:16]), int.from_bytes(rest[32:34], "big"))
    raise BadHeader  # datagrams, UNIX sockets, and lengths that do not hold what the family says


def _port(text: str) -> int:
    if int(text) > MAX_PORT or text != str(int(text)):
        raise BadHeader
    return int(text)
