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
BODY_SECONDS = 60.0
LEAST_OCTETS_A_SECOND = 500
WRITE_SECONDS = 120.0
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
    """HTTP/1.1 with an end to patience.

    A head has HEADER_SECONDS from its first octet and only so many octets. A body has BODY_SECONDS and one more for
    every LEAST_OCTETS_A_SECOND of it that came, whether or not its request was answered meanwhile. Who leaves what was
    sent unread for WRITE_SECONDS is cut off. Only so many connections are served: none is held by doing nothing.
    """

    _deadline: asyncio.TimerHandle | None = None
    _head_octets = 0
    _tail = b""
    _is_in_body = False
    _body_deadline: asyncio.TimerHandle | None = None
    _body_due = 0.0
    _write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._head_is_here()
        self._body_is_here()
        self._peer_reads()
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
        if self.transport.is_closing():
            return
        if self._is_in_body:
            if self._body_deadline is None:
                self._await_body(BODY_SECONDS)
        elif self._deadline is None and self.cycle.response_complete:
            self._await_head()  # the octets ended the wait between two requests, and began none

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting: the request is served now."""
        self._head_is_here()
        self._is_in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Give the rest of a body the time that these octets have earned."""
        self._body_due += len(body) / LEAST_OCTETS_A_SECOND
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for no more of the body."""
        self._body_is_here()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Begin to wait for a peer that does not read."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no more: the peer reads again."""
        self._peer_reads()
        super().resume_writing()

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

    def _await_body(self, seconds: float) -> None:
        self._body_due = self.loop.time() + seconds
        self._body_deadline = self.loop.call_later(seconds, self._look_at_body)

    def _look_at_body(self) -> None:
        left = self._body_due - self.loop.time()
        if self.flow.read_paused:
            self._await_body(BODY_SECONDS)  # it is we who are slow
        elif left > 0:
            self._body_deadline = self.loop.call_later(left, self._look_at_body)
        else:
            self.transport.abort()

    def _body_is_here(self) -> None:
        self._is_in_body = False
        if self._body_deadline is not None:
            self._body_deadline.cancel()
            self._body_deadline = None

    def _peer_reads(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

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
