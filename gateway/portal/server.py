"""uvicorn in our own event loop: it takes no signals, waits for running requests, and nobody holds it by slowness."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 20.0
MAX_HEADER_OCTETS = 64 * 1024
KEEP_ALIVE_SECONDS = 15
GRACE_SECONDS = 20
LINGER_SECONDS = 1.0
MAX_CONNECTIONS = 1_000


class EmbeddedServer(Server):
    """A server that leaves signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none: the program around it stops us."""
        yield


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 with an end to patience: a head has HEADER_SECONDS from its first octet and only so many octets."""

    _deadline: asyncio.TimerHandle | None = None
    _head_octets = 0
    _tail = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take octets, unless they make a head too long."""
        if self.transport.is_closing():
            return
        if self._deadline is not None and self._is_too_long(data):
            self.send_400_response("The request's head is too long.")
            self._hang_up()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting: the request is served now."""
        self._head_is_here()
        super().on_headers_complete()

    def shutdown(self) -> None:
        """Close once the running request has ended; an idle peer has LINGER_SECONDS to say goodbye."""
        super().shutdown()
        if self.transport.is_closing():
            self._hang_up()

    def _is_too_long(self, data: bytes) -> bool:
        joined = self._tail + data
        end = joined.find(b"\r\n\r\n")
        self._tail = joined[-3:]
        self._head_octets += len(data) if end < 0 else end
        return self._head_octets > MAX_HEADER_OCTETS

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _head_is_here(self) -> None:
        self._head_octets = 0
        self._tail = b""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


async def serve(app: ASGIApp, listeners: list[socket.socket], tls: ssl.SSLContext, stop: asyncio.Event) -> None:
    """Serve `app` on listening sockets until `stop` is set and the running requests have ended."""
    config = Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=lambda _config, _default: tls,
    )
    server = EmbeddedServer(config)
    serving = asyncio.create_task(server.serve(sockets=listeners))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
