"""Figures for a monitoring system: read by its own library, told to `GET /metrics` alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families

from gateway.domain.errors import StoreUnavailable
from gateway.metrics import Figure, telling, text_of

FIGURES = (
    Figure("gateway_faxes", "Faxes that came.", True, "source", [("line-one", 3.0), ('odd"\n', 1.0)]),
    Figure("gateway_waiting", "Faxes that wait.", False, "source", [("line-one", 2.0)]),
)


async def figures() -> Sequence[Figure]:
    return FIGURES


async def ask(port: int, octets: bytes) -> bytes:
    """Return what is answered: nothing, too, where it is hung up on while octets are on their way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_figures_are_what_a_monitoring_system_reads() -> None:
    read = {one.name: one for one in text_string_to_metric_families(text_of(FIGURES).decode())}
    assert read["gateway_faxes"].type == "counter"
    assert [(one.labels["source"], one.value) for one in read["gateway_faxes"].samples] == [
        ("line-one", 3.0), ('odd"\n', 1.0),
    ]  # fmt: skip
    assert read["gateway_waiting"].type == "gauge"


async def test_they_are_told_to_whoever_asks_at_their_path() -> None:
    async with telling("127.0.0.1", 0, figures) as port:
        told = await ask(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 200 OK\r\n")
        assert told.partition(b"\r\n\r\n")[2] == text_of(FIGURES)
        assert (await ask(port, b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
        assert (await ask(port, b"POST /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405 ")


async def test_what_is_no_request_is_hung_up_on() -> None:
    async with telling("127.0.0.1", 0, figures) as port:
        assert await ask(port, b"\xff" * 100_000) == b""
        assert (await ask(port, b"\r\n\r\n")).startswith(b"HTTP/1.1 405 ")


async def test_with_the_vault_away_that_is_said() -> None:
    async def away() -> Sequence[Figure]:
        raise StoreUnavailable("away")

    async with telling("127.0.0.1", 0, away) as port:
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
