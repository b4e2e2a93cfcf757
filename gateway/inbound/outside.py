"""The listeners of the mx program: plain, STARTTLS offered, nobody signed in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.config import MxSettings
from gateway.inbound.limits import OTHER_DESCRIPTORS, limits_of
from gateway.inbound.listener import Listener, Occupancy, open_listener
from gateway.inbound.mx import OutsideDoor
from gateway.process import allow_descriptors, listening


@asynccontextmanager
async def open_outside(door: OutsideDoor, own: MxSettings, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Open every listener, and close them together at the end. Raises Unavailable where a place cannot be had."""
    allow_descriptors(own.limits.connections * 3 + OTHER_DESCRIPTORS)
    limits = limits_of(own.limits, own.max_message_octets)
    occupancy = Occupancy(limits)
    listeners: list[Listener] = []
    try:
        for place in own.listen:
            with listening("mx.listen", place):
                listeners.append(
                    await open_listener(
                        door,
                        name="mx",
                        host=place.host,
                        port=place.port,
                        tls=tls,
                        implicit_tls=False,
                        limits=limits,
                        hostname=own.hostname,
                        require_auth=False,
                        occupancy=occupancy,
                        speakers=own.xforward,
                        tls_required=False,
                    )
                )
        yield
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))
