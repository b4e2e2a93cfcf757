"""Whom a connection speaks for: its own peer, or the client that a listed peer names for it.

What it trusts: a PROXY header and XCLIENT from peers on the listener's lists, from nobody else. What it holds: one
address, and its place in the count of connections, which moves with it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct

from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.hosts import is_in
from gateway.inbound.listener.limits import Occupancy
from gateway.inbound.listener.proxy import Endpoint
from gateway.inbound.listener.seam import Forwarded
from gateway.inbound.listener.state import ListenerSettings


class Origin:
    """The address that a connection is held to account by."""

    def __init__(self, settings: ListenerSettings, occupancy: Occupancy) -> None:
        self.address = ""
        self.port = 0
        self.forwarded: Forwarded | None = None
        self.is_proxy = False
        """True where a PROXY header must come first."""
        self.may_name = False
        """True where XCLIENT and XFORWARD are obeyed."""
        self._settings = settings
        self._occupancy = occupancy
        self._counted: str | None = None

    def arrive(self, link: asyncio.Transport) -> SmtpReply | None:
        """Count a new connection in. Returns the reply that turns it away: to who may not use this socket, or a limit.

        Peers that speak for many are not counted by their own address.
        """
        users = self._settings.users
        if users is not None and _user_at(link) not in users:
            return replies.NOT_FOR_YOU
        name = link.get_extra_info("peername")
        if isinstance(name, tuple):
            self.address, self.port = name[0], name[1]
        self.is_proxy = is_in(self.address, self._settings.proxies)
        self.may_name = not self.is_proxy and is_in(self.address, self._settings.speakers)
        return self._count("" if self.is_proxy or self.may_name else self.address)

    def proxied(self, named: Endpoint | None) -> SmtpReply | None:
        """Take what a proxy's header said; None where it speaks for itself. Returns as `arrive` does."""
        if named is None:
            return None
        self.address, self.port = named.address, named.port
        self.may_name = is_in(self.address, self._settings.speakers)
        return self._count("" if self.may_name else self.address)

    def named(self, named: Endpoint) -> SmtpReply | None:
        """Take what XCLIENT said. Returns as `arrive` does."""
        self.address, self.port = named.address, named.port
        return self._count(self.address)

    def leave(self) -> None:
        """Count the connection out, if it is counted in."""
        if self._counted is not None:
            self._occupancy.leave(self._counted)
            self._counted = None

    def _count(self, address: str) -> SmtpReply | None:
        self.leave()
        settings = self._settings
        is_ours = settings.users is not None or (settings.hosts is not None and settings.hosts.has(self.address))
        refusal = self._occupancy.enter(address, is_vouched=is_ours)
        if refusal is None:
            self._counted = address
        return refusal


def _user_at(link: asyncio.Transport) -> int:
    """Return the user id of the process at the other end of a UNIX socket (unix(7), SO_PEERCRED)."""
    with socket.socket(fileno=os.dup(link.get_extra_info("socket").fileno())) as own:
        _, user, _ = struct.unpack("3i", own.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(user)
