"""A name server for benchmarks: sink.example is at this machine, dead.example where nothing listens.

python -m benchmarks.nameserver PORT
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from dns import flags, message, rdatatype, rrset

_ZONE = {
    ("sink.example.", "MX"): "10 mx.sink.example.",
    ("mx.sink.example.", "A"): "127.0.0.1",
    ("dead.example.", "MX"): "10 mx.dead.example.",
    ("mx.dead.example.", "A"): "127.0.0.77",
}


class _Nameserver(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = message.from_wire(data)
        question = query.question[0]
        answer = message.make_response(query)
        answer.flags |= flags.RA
        kind = rdatatype.to_text(question.rdtype)
        record = _ZONE.get((question.name.to_text().lower(), kind))
        if record:
            answer.answer.append(rrset.from_text(question.name, 60, "IN", kind, record))
        self._transport.sendto(answer.to_wire(), addr)


async def _serve(port: int) -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(_Nameserver, local_addr=("127.0.0.1", port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
