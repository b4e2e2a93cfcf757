"""A name server for tests: answers over UDP from a zone in memory, as a resolver of a site does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

from dns import flags, message, rcode, rdatatype, rrset
from dns.name import from_text

Zone = Mapping[tuple[str, str], Sequence[str]]
"""By name (lower case, without a dot at its end) and kind: the records, as a zone file has them."""


class Nameserver(asyncio.DatagramProtocol):
    """Answers what is asked, and counts it in `asked`. A name in `silent` gets no answer.

    Set `vouches`, and it says of each answer that DNSSEC has proven it.
    """

    vouches = False

    def __init__(self, zone: Zone, silent: frozenset[str] = frozenset()) -> None:
        self.zone = zone
        self.silent = silent
        self.asked: list[tuple[str, str]] = []
        self.transport: asyncio.DatagramTransport

    @property
    def place(self) -> tuple[str, int]:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return str(host), int(port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return
        answer = message.make_response(query)
        answer.flags |= flags.RA | (flags.AD if self.vouches else 0)
        asked = question.name
        for alias in self.zone.get((name, "CNAME"), ()):
            answer.answer.append(rrset.from_text(asked, 60, "IN", "CNAME", alias))
            asked = from_text(alias)
        records = self.zone.get((asked.to_text(omit_final_dot=True).lower(), kind), ())
        if records:
            answer.answer.append(rrset.from_text_list(asked, 60, "IN", kind, list(records)))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def nameserver(zone: Zone, silent: frozenset[str] = frozenset()) -> AsyncIterator[Nameserver]:
    """Run one on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: Nameserver(zone, silent), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()


def text(octets: bytes) -> str:
    """A TXT record as a zone file has it, in strings of at most 255 octets."""
    pieces = [octets[start : start + 255].decode("ascii") for start in range(0, len(octets), 255)]
    return " ".join(f'"{piece}"' for piece in pieces)
