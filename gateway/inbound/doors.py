"""The doors of the submission program: which listeners its settings ask for, each with its limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from gateway.config import SubmissionSettings
from gateway.inbound.listener import DoorLimits, open_listener, open_lmtp_listener
from gateway.inbound.lmtp import LmtpDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.process import allow_descriptors, listening

_OTHER_DESCRIPTORS: Final = 256
"""Beside a socket and a blob for each connection: the store, other programs, the log."""


@asynccontextmanager
async def open_doors(door: SubmissionDoor, own: SubmissionSettings, tls: ssl.SSLContext) -> AsyncIterator[None]:
    """Open every listener, and close them at the end. Raises Unavailable where a place cannot be listened on."""
    allow_descriptors(own.limits.connections * len((*own.starttls, *own.tls)) * 2 + _OTHER_DESCRIPTORS)
    async with AsyncExitStack() as stack:
        for name, implicit, places in (("starttls", False, own.starttls), ("tls", True, own.tls)):
            for place in places:
                with listening(f"submission.{name}", place):
                    listener = await open_listener(
                        door,
                        name=name,
                        host=place.host,
                        port=place.port,
                        tls=tls,
                        implicit_tls=implicit,
                        limits=limits_of(own),
                        hostname=own.hostname,
                        require_auth=True,
                    )
                stack.push_async_callback(listener.close)
        if own.lmtp is not None:
            with listening("submission.lmtp", own.lmtp):
                listener = await open_lmtp_listener(
                    LmtpDoor(door),
                    path=own.lmtp,
                    users=frozenset(own.lmtp_users),
                    limits=limits_of(own),
                    hostname=own.hostname,
                )
            stack.push_async_callback(listener.close)
        yield


def limits_of(own: SubmissionSettings) -> DoorLimits:
    """Return the limits that these settings set; all others keep their defaults."""
    return DoorLimits(
        message_octets=own.max_message_octets,
        overrun_octets=own.max_message_octets,
        in_flight_octets=own.limits.in_flight_octets,
        recipients=own.limits.recipients,
        connections=own.limits.connections,
        connections_per_address=own.limits.connections_per_address,
        soft_errors=own.limits.soft_errors,
        hard_errors=own.limits.hard_errors,
        auth_failures=own.limits.auth_failures,
        command_seconds=own.limits.command_seconds,
        stress_command_seconds=own.limits.stress_command_seconds,
        chunk_seconds=own.limits.chunk_seconds,
        data_octets_per_second=own.limits.minimum_rate,
    )
