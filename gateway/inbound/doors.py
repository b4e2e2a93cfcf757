"""The doors of the submission program: which listeners its settings ask for, each with its limits."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypedDict

from gateway.config import Listen, SubmissionSettings, TrustedRelaySettings
from gateway.inbound.limits import OTHER_DESCRIPTORS, limits_of
from gateway.inbound.listener import (
    Listener,
    Networks,
    Occupancy,
    TrustedHosts,
    open_listener,
    open_lmtp_listener,
)
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.process import allow_descriptors, listening

LMTP: Final = "lmtp"
"""What entries call the mail system that writes to the socket."""


class _Where(TypedDict):
    host: str
    port: int
    implicit_tls: bool
    proxies: Networks
    speakers: Networks


@dataclass(frozen=True, slots=True)
class DoorTls:
    """What the doors prove with: `context` to mail tools, and for each relay the hosts that it knows, by its name."""

    context: ssl.SSLContext
    hosts: Mapping[str, TrustedHosts]


def hosts_of(own: SubmissionSettings) -> dict[str, TrustedHosts]:
    """Return the hosts of each relay that the settings name. Raises ConfigError where their files do not fit."""
    return {relay.name: _hosts(relay, own) for relay in own.relays}


@asynccontextmanager
async def open_doors(door: SubmissionDoor, own: SubmissionSettings, tls: DoorTls, domain: str) -> AsyncIterator[None]:
    """Open every listener, and close them together at the end. Raises Unavailable where a place cannot be had.

    `domain` is that of the cases' addresses. All listeners count their connections and octets together.
    """
    allow_descriptors(own.limits.connections * 3 + OTHER_DESCRIPTORS)
    listeners: list[Listener] = []
    try:
        for key, place, opening in _openings(door, own, tls, domain):
            with listening(f"submission.{key}", place):
                listeners.append(await opening)
        yield
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))


def _openings(
    door: SubmissionDoor, own: SubmissionSettings, tls: DoorTls, domain: str
) -> Iterator[tuple[str, object, Awaitable[Listener]]]:
    """Yield the key of each listener, its place, and its opening."""
    limits = limits_of(own.limits, own.max_message_octets)
    occupancy = Occupancy(limits)
    opened = partial(open_listener, limits=limits, hostname=own.hostname, occupancy=occupancy)
    for name, place, where in _places(own):
        yield name, place, opened(door, name=name, **where, tls=tls.context, require_auth=True)
    for relay in own.relays:
        vouched, hosts = RelayDoor(door, relay.name, domain), tls.hosts[relay.name]
        for name, place, where in _places(relay):
            full = f"relays.{relay.name}.{name}"
            yield full, place, opened(vouched, name=full, **where, tls=None, require_auth=False, hosts=hosts)
    if own.lmtp is not None:
        vouched, users = RelayDoor(door, LMTP, domain), frozenset(own.lmtp_users)
        yield (
            LMTP,
            own.lmtp,
            open_lmtp_listener(
                vouched, path=own.lmtp, users=users, limits=limits, hostname=own.hostname, occupancy=occupancy
            ),
        )


def _places(own: SubmissionSettings | TrustedRelaySettings) -> Iterator[tuple[str, Listen, _Where]]:
    for name, is_implicit, places in (("starttls", False, own.starttls), ("tls", True, own.tls)):
        for place in places:
            yield (
                name,
                place,
                _Where(
                    host=place.host,
                    port=place.port,
                    implicit_tls=is_implicit,
                    proxies=own.proxies,
                    speakers=own.xclient,
                ),
            )


def _hosts(relay: TrustedRelaySettings, own: SubmissionSettings) -> TrustedHosts:
    return TrustedHosts(
        relay.name, relay.networks, relay.client_ca, relay.client_names, certificate=own.certificate, key=own.key
    )
