"""The doors of the submission program: which listeners its settings ask for, each with its limits."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypedDict

from gateway.config import Listen, SubmissionSettings, ToolSignIn, TrustedRelaySettings
from gateway.domain.credential import discovery_address
from gateway.domain.probe import ProbeAddresses
from gateway.inbound.limits import OTHER_DESCRIPTORS, limits_of
from gateway.inbound.listener import (
    ClientTls,
    DoorLimits,
    Handed,
    Listener,
    Networks,
    Occupancy,
    Offer,
    TrustedHosts,
    bind_path,
    bind_port,
    open_listener,
    open_lmtp_listener,
    token_wanted,
)
from gateway.inbound.listener.handover import HandedPeers
from gateway.inbound.organisation import OrganisationCheck
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.process import allow_descriptors, listening

LMTP: Final = "lmtp"
"""What entries call the mail system that writes to the socket."""

MOST_BY_CORES: Final = 4
"""Processes that are started unasked: they write to one store in turn, and each has some memory."""


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
    people: ClientTls | None = None
    """In place of `context` where mail tools may sign in by client certificate."""


def hosts_of(own: SubmissionSettings) -> dict[str, TrustedHosts]:
    """Return the hosts of each relay that the settings name. Raises ConfigError where their files do not fit."""
    return {relay.name: _hosts(relay, own) for relay in own.relays}


def people_of(own: SubmissionSettings) -> ClientTls | None:
    """Return what asks mail tools for client certificates, where they sign in so. Raises ConfigError."""
    wanted = own.sign_in.certificates
    return None if wanted is None else ClientTls(own.certificate, own.key, wanted.client_ca)


def processes_of(own: SubmissionSettings) -> int:
    """Return how many processes serve the doors: as many as are asked for, or one for each core, within reason."""
    return own.processes or min(len(os.sched_getaffinity(0)), MOST_BY_CORES)


@dataclass(frozen=True, slots=True)
class Bound:
    """The place of one listener, which is nobody else's from now on; nobody listens there yet."""

    name: str
    host: str
    port: int
    sockets: tuple[socket.socket, ...]


def bind_doors(own: SubmissionSettings) -> list[Bound]:
    """Bind the place of every listener, in the order of `open_doors`. Raises Unavailable where one cannot be had."""
    bound: list[Bound] = []
    for name, place in _all_places(own):
        with listening(f"submission.{name}", place):
            if isinstance(place, Path):
                bound.append(Bound(name, "", 0, (bind_path(place),)))
            else:
                sockets = bind_port(place.host, place.port)
                bound.append(Bound(name, place.host, sockets[0].getsockname()[1], tuple(sockets)))
    return bound


@asynccontextmanager
async def open_doors(
    door: SubmissionDoor, own: SubmissionSettings, tls: DoorTls, domain: str, peers: HandedPeers | None = None
) -> AsyncIterator[None]:
    """Open every listener, and close them together at the end. Raises Unavailable where a place cannot be had.

    `domain` is that of the cases' addresses. All listeners count their connections and octets together. With `peers`
    another process has bound the places, and these are whom it hands over.
    """
    allow_descriptors(own.limits.connections * 3 + OTHER_DESCRIPTORS)
    listeners: list[Listener] = []
    openings = _openings(door, own, tls, domain, Occupancy(_limits(own), peers.column if peers is not None else None))
    try:
        for number, ((key, place), opening) in enumerate(zip(_all_places(own), openings, strict=True)):
            with listening(f"submission.{key}", place):
                listeners.append(await opening(handed=None if peers is None else Handed(peers, number)))
        if peers is not None:
            peers.begin()
        yield
    finally:
        if peers is not None:
            await peers.close()
        await asyncio.gather(*(listener.close() for listener in listeners))


def _openings(
    door: SubmissionDoor, own: SubmissionSettings, tls: DoorTls, domain: str, occupancy: Occupancy
) -> Iterator[Callable[..., Awaitable[Listener]]]:
    """Yield how each listener is opened, in the order of `_all_places`."""
    opened = partial(open_listener, limits=occupancy.limits, hostname=own.hostname, occupancy=occupancy)
    for name, _, where in _places(own):
        more = {"offer": _offer(own.sign_in), "people": tls.people}
        yield partial(opened, door, name=name, **where, tls=tls.context, require_auth=True, **more)
    probes = _probes(door, domain)
    for relay in own.relays:
        check = None if relay.organisation is None else OrganisationCheck.of(relay.organisation, door.database.clock)
        vouched, hosts = RelayDoor(door, relay.name, domain, check, probes), tls.hosts[relay.name]
        for name, _, where in _places(relay):
            full = f"relays.{relay.name}.{name}"
            yield partial(opened, vouched, name=full, **where, tls=None, require_auth=False, hosts=hosts)
    if own.lmtp is not None:
        yield partial(
            open_lmtp_listener,
            RelayDoor(door, LMTP, domain, probes=probes),
            path=own.lmtp,
            users=frozenset(own.lmtp_users),
            limits=occupancy.limits,
            hostname=own.hostname,
            occupancy=occupancy,
        )


def _all_places(own: SubmissionSettings) -> Iterator[tuple[str, Listen | Path]]:
    """Yield the name of each listener, and its place."""
    for name, place, _ in _places(own):
        yield name, place
    for relay in own.relays:
        for name, place, _ in _places(relay):
            yield f"relays.{relay.name}.{name}", place
    if own.lmtp is not None:
        yield LMTP, own.lmtp


def _probes(door: SubmissionDoor, domain: str) -> ProbeAddresses | None:
    """Return what knows the addresses of probes, under the key that thread addresses are made under."""
    threads = next((mailroom.threads for mailroom in door.mailrooms.values() if mailroom.threads is not None), None)
    return None if threads is None else ProbeAddresses(domain, threads.return_path_key)


def _limits(own: SubmissionSettings) -> DoorLimits:
    return limits_of(own.limits, own.max_message_octets)


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


def _offer(sign_in: ToolSignIn) -> Offer:
    tokens = sign_in.tokens
    wanted = token_wanted(tokens.scope, discovery_address(sign_in.issuer)) if tokens else b""
    return Offer(sign_in.passwords, wanted)


def _hosts(relay: TrustedRelaySettings, own: SubmissionSettings) -> TrustedHosts:
    return TrustedHosts(
        relay.name, relay.networks, relay.client_ca, relay.client_names, certificate=own.certificate, key=own.key
    )
