"""What one listener is, and what its connections share."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from gateway.inbound.listener.hosts import Networks, TrustedHosts
from gateway.inbound.listener.limits import DoorLimits, Occupancy
from gateway.inbound.listener.sasl import Offer
from gateway.inbound.listener.tls import ClientTls

if TYPE_CHECKING:
    from gateway.inbound.listener.wire import Wire


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """What one listener is. With `tls` and without `implicit_tls`, STARTTLS is offered, and mostly required."""

    name: str
    hostname: str
    tls: ssl.SSLContext | None
    implicit_tls: bool
    require_auth: bool
    limits: DoorLimits
    users: frozenset[int] | None = None
    """The user ids of those who may speak LMTP on this UNIX socket; None where it is a port that speaks SMTP."""
    proxies: Networks = ()
    """Where a connection from begins with a PROXY header, and no other does."""
    speakers: Networks = ()
    """Who may say XCLIENT and XFORWARD."""
    hosts: TrustedHosts | None = None
    """The only hosts that may speak here; their `context` stands in place of `tls`."""
    tls_required: bool = True
    """False where mail may come without TLS, as from anybody outside (RFC 3207 section 4)."""
    reports: bool = True
    """False where a report of delivery that is asked for is not sent: none is offered then (RFC 3461)."""

    offer: Offer = field(default_factory=Offer)
    """The ways to sign in, where that is required."""

    people: ClientTls | None = None
    """Asks mail tools for the certificates that they may sign in with; its `context` stands in place of `tls`."""

    @property
    def context(self) -> ssl.SSLContext | None:
        """What the next handshake uses."""
        if self.hosts is not None:
            return self.hosts.context
        return self.tls if self.people is None else self.people.context

    @property
    def is_lmtp(self) -> bool:
        """True where each recipient is answered at the end of data (RFC 2033)."""
        return self.users is not None


@dataclass(slots=True)
class ListenerState:
    """What the connections of one listener share."""

    occupancy: Occupancy
    is_closing: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    wires: set[Wire] = field(default_factory=set)
    commits: set[asyncio.Task[None]] = field(default_factory=set)
    """The conversations in which a message is being made durable."""
    numbers: count[int] = field(default_factory=count)
