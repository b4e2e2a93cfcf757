"""Stock aiosmtpd on uvloop, as it comes, with a handler that keeps nothing: what its own protocol work allows at most.

python -m benchmarks.stock PORT
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import uvloop
from aiosmtpd.smtp import SMTP

from benchmarks.waiting import free_port, wait_for_port


class Nothing:
    """Says yes to everything."""

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: ARG002
        return "250 2.0.0 ok"


class Stock:
    """The peer, as a process of its own."""

    name = "stock aiosmtpd, stores nothing"

    def __init__(self) -> None:
        self.port = free_port()
        self._process = subprocess.Popen([sys.executable, "-m", "benchmarks.stock", str(self.port)])

    def start(self) -> None:
        wait_for_port(self.port)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


async def _serve(port: int) -> None:
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Nothing(), data_size_limit=2**28), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
