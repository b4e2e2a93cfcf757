"""Figures for a monitoring system, in Prometheus' text format, on a place of this machine alone.

What it trusts: nobody; it tells counts and instants, never whose. How it fails: what cannot be counted now is answered
`503`, and whoever asks too slowly or too much at once is hung up on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from gateway.domain.errors import GatewayError

Count = Callable[[], Awaitable[Sequence["Figure"]]]

PATH: Final = b"/metrics"
SECONDS: Final = 5.0
AT_ONCE: Final = 4
_HEAD: Final = 8 * 1024
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of several: its name, what it tells, whether it only grows, and its value by the label's value."""

    name: str
    words: str
    grows: bool
    label: str
    values: Iterable[tuple[str, float]]


@asynccontextmanager
async def telling(host: str, port: int, count: Count) -> AsyncIterator[int]:
    """Answer `GET /metrics` by what `count` returns, until the end; yields the port. Raises OSError."""
    room = asyncio.Semaphore(AT_ONCE)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not room.locked():
                async with room, asyncio.timeout(SECONDS):
                    await _answer(reader, writer, count)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or no client of ours
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host, port, limit=_HEAD)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), SECONDS)


def text_of(figures: Sequence[Figure]) -> bytes:
    """Return figures in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(figures))
    return generate_latest(registry)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Count) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, path, *_ = [*head.split(b"\r\n", 1)[0].split(b" "), b"", b""]
    if method != b"GET":
        status, body = "405 Method Not Allowed", b""
    elif path.partition(b"?")[0] != PATH:
        status, body = "404 Not Found", b""
    else:
        try:
            status, body = "200 OK", text_of(await count())
        except GatewayError:
            status, body = "503 Service Unavailable", b""
    fields = f"HTTP/1.1 {status}\r\nContent-Type: {_TEXT}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(fields.encode("ascii") + body)
    await writer.drain()


class _Figures:
    """Figures as the library's registry asks for them."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield each with its values."""
        for one in self._figures:
            family = (CounterMetricFamily if one.grows else GaugeMetricFamily)(one.name, one.words, labels=[one.label])
            for label, value in one.values:
                family.add_metric([label], value)
            yield family
