"""A listening port: opens it, and closes it without losing what is under way."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway import maillog
from gateway.inbound.listener.conversation import Conversation
from gateway.inbound.listener.handover import HandedPeers
from gateway.inbound.listener.hosts import Networks, TrustedHosts
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.sasl import Offer
from gateway.inbound.listener.seam import Door
from gateway.inbound.listener.state import ListenerSettings, ListenerState
from gateway.inbound.listener.tls import ClientTls
from gateway.inbound.listener.wire import silence_aiosmtpd

_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Handed:
    """That another process accepts for a listener: who takes what it hands over, and the listener's number there."""

    peers: HandedPeers
    number: int


class Listener:
    """One open port. Made by `open_listener`; without a `server` its connections are handed over."""

    def __init__(self, name: str, server: asyncio.Server | None, state: ListenerState) -> None:
        self.name = name
        self._server = server
        self._state = state
        place = server.sockets[0].getsockname() if server is not None else None
        self._port = int(place[1]) if isinstance(place, tuple) else 0

    @property
    def port(self) -> int:
        """The port that peers connect to; 0 for a UNIX socket, and where another process has it."""
        return self._port

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._state.wires)

    async def close(self, grace: float = 10.0) -> None:
        """Take no more peers, tell `421 4.3.2` to those here, but let a message under way finish.

        After `grace` seconds the peers still here are cut off; a commit that has begun is awaited as long again.
        """
        if self._server is not None:
            self._server.close()
        self._state.is_closing = True
        for wire in tuple(self._state.wires):
            wire.stop()
        if self._state.wires:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._state.emptied.wait(), grace)
        for wire in tuple(self._state.wires):
            wire.abort()
        if self._state.commits:
            await asyncio.wait(tuple(self._state.commits), timeout=grace)
        await asyncio.sleep(0)  # the cut-off connections end


async def open_listener(
    door: Door,
    *,
    name: str,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    implicit_tls: bool,
    limits: DoorLimits,
    hostname: str,
    require_auth: bool,
    occupancy: Occupancy | None = None,
    proxies: Networks = (),
    speakers: Networks = (),
    hosts: TrustedHosts | None = None,
    tls_required: bool = True,
    handed: Handed | None = None,
    reports: bool = True,
    offer: Offer | None = None,
    people: ClientTls | None = None,
) -> Listener:
    """Open a port whose peers speak to `door`. `port` 0 takes a free one; `hostname` is how the server names itself.

    With `tls`, STARTTLS is required before AUTH and MAIL, or merely offered without `tls_required`, or the connection
    begins with TLS if `implicit_tls`; a listener without `tls` speaks plainly, and offers no AUTH. With `hosts` only
    these may speak, under their own context. Peers in `proxies` begin with a PROXY header, those in `speakers` may say
    XCLIENT and XFORWARD. Listeners that share an `occupancy` count together. With `handed` another process has the
    port. Without `reports` none of delivery are offered. `offer` has the ways to sign in: by app
    password, without; with `people` by client certificate, too. Raises OSError where the port cannot be had.
    """
    settings = ListenerSettings(
        name,
        hostname,
        tls,
        implicit_tls,
        require_auth,
        limits,
        proxies=proxies,
        speakers=speakers,
        hosts=hosts,
        tls_required=tls_required,
        reports=reports,
        offer=offer or Offer(),
        people=people,
    )
    if implicit_tls and settings.context is None:
        raise ValueError("implicit TLS needs a TLS context")
    if require_auth and (settings.context is None or not tls_required):
        raise ValueError("AUTH needs TLS: no password crosses a wire in the clear")
    state = ListenerState(occupancy or Occupancy(limits))
    return await start(name, host, port, lambda: Conversation(door, settings, state), state, handed)


async def start(
    name: str,
    host: str,
    port: int,
    factory: Callable[[], Conversation],
    state: ListenerState,
    handed: Handed | None = None,
) -> Listener:
    """Let peers of a port be spoken to by what `factory` makes, which has this `state`. Raises OSError."""
    silence_aiosmtpd()
    if handed is not None:
        handed.peers.serve(handed.number, factory)
        return Listener(name, None, state)
    # By host and port: getaddrinfo says IPPROTO_TCP, without which asyncio sets no TCP_NODELAY on what it accepts.
    server = await asyncio.get_running_loop().create_server(factory, host, port, backlog=_BACKLOG)
    listener = Listener(name, server, state)
    maillog.listener_open(name, host, listener.port)
    return listener


async def open_lmtp_listener(
    door: Door,
    *,
    path: Path,
    users: frozenset[int],
    limits: DoorLimits,
    hostname: str,
    occupancy: Occupancy | None = None,
    handed: Handed | None = None,
) -> Listener:
    """Open a UNIX socket on which processes of these users (by id) speak LMTP (RFC 2033). Raises OSError.

    The socket's file lets everyone connect: who it is, the system says, and a stranger hears one reply.
    """
    silence_aiosmtpd()
    settings = ListenerSettings("lmtp", hostname, None, False, False, limits, users)
    state = ListenerState(occupancy or Occupancy(limits))
    if handed is not None:
        handed.peers.serve(handed.number, lambda: Conversation(door, settings, state))
        return Listener("lmtp", None, state)
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: Conversation(door, settings, state), sock=bind_path(path), backlog=_BACKLOG
    )
    listener = Listener("lmtp", server, state)
    maillog.listener_open("lmtp", "", 0)
    return listener


def bind_port(host: str, port: int) -> list[socket.socket]:
    """Bind a port at every address of a host, as asyncio does, without listening. Raises OSError."""
    places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, place in dict.fromkeys(places):
            one = socket.socket(family, kind, protocol)
            bound.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setblocking(False)
            one.bind(place)
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


def bind_path(path: Path) -> socket.socket:
    """Bind a UNIX socket that everyone may connect to, in place of one that is left over. Raises OSError."""
    if path.is_socket():  # of a program that is gone: the run folder's lock lets one live at a time
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.setblocking(False)
    try:
        bound.bind(str(path))
        path.chmod(0o666)
    except OSError:
        bound.close()
        raise
    return bound
