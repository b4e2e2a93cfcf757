"""Carries one notification to the site's relay: TLS or not at all, each conversation under one deadline.

The one exception is a relay on this very machine, where a site may choose to do without.
A few connections are kept for a short time; on any error a connection is dropped, never repaired. What went wrong
before the relay spoke about the recipient (no connection, no TLS, a greeting or a sender refused) is the site's trouble
and only delays; a 5yz for the recipient or the data is final.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib

from gateway.config.settings import RelayTls
from gateway.domain.address import Address
from gateway.domain.delivery import Delivery, DeliveryState, from_reply
from gateway.domain.errors import ConfigError
from gateway.failpoints import failpoint

START_INPUT = 354
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Relay:
    """The next host: where it listens and how we speak to it. Times in seconds.

    `ca_file` replaces the system's authorities. `helo` is our own host name. Raises ValueError for plain SMTP to any
    host but this machine, and for a password on plain SMTP.
    """

    host: str
    port: int
    helo: str
    tls: RelayTls = RelayTls.STARTTLS
    ca_file: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 4
    deadline: float = 60.0
    keep: float = 30.0

    def __post_init__(self) -> None:
        if self.tls is RelayTls.NONE and (self.host not in _THIS_MACHINE or self.username is not None):
            raise ValueError("a relay is spoken to by TLS, except one on this machine that asks for no password")


@dataclass(frozen=True, slots=True)
class AllowList:
    """Addresses and domains that mail may go to outside production; everything else is refused."""

    entries: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[str]) -> AllowList:
        """Make a list of `name@domain` and `@domain` entries, any letter case."""
        return cls(frozenset(entry.strip().lower() for entry in entries))

    def permits(self, address: Address) -> bool:
        """Tell whether the address or its whole domain is listed."""
        return address.key in self.entries or f"@{address.domain}" in self.entries


@dataclass(slots=True)
class _Kept:
    client: aiosmtplib.SMTP
    until: float


class Courier:
    """Delivers notifications through one relay, over at most `relay.connections` connections at once."""

    def __init__(self, relay: Relay, allow_list: AllowList | None) -> None:
        """Prepare TLS. `allow_list` is None in production only. Raises ConfigError for a CA file that is none."""
        self._relay = relay
        self._allow_list = allow_list
        self._tls = _tls_context(relay.ca_file)
        self._slots = asyncio.Semaphore(relay.connections)
        self._kept: list[_Kept] = []

    async def deliver(self, mail: bytes, to: Address, return_path: Address) -> Delivery:
        """Hand over one signed mail (CRLF line ends) for one recipient and tell what became of it. Never raises for
        what a remote host or the network does. `return_path` is the envelope sender.
        """
        if self._allow_list is not None and not self._allow_list.permits(to):
            return Delivery(DeliveryState.FAILED, text="not on the allow-list of this environment")
        async with self._slots:
            try:
                async with asyncio.timeout(self._relay.deadline):
                    return await self._converse(mail, to, return_path)
            except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refusal:
                return from_reply(refusal.code, refusal.message)
            except aiosmtplib.SMTPResponseException as refusal:
                return from_reply(refusal.code, refusal.message, DeliveryState.DELAYED)
            except TimeoutError:
                return Delivery(DeliveryState.DELAYED, text="the relay did not answer in time")
            except ssl.SSLError:
                return Delivery(DeliveryState.DELAYED, text="no trusted TLS with the relay")
            except (aiosmtplib.SMTPException, OSError) as error:
                return Delivery(DeliveryState.DELAYED, text=_what_broke(error))

    async def close(self) -> None:
        """End the connections that are kept."""
        kept, self._kept = self._kept, []
        for one in kept:
            await _quit(one.client)

    async def _converse(self, mail: bytes, to: Address, return_path: Address) -> Delivery:
        client = await self._begin(str(return_path))
        try:
            await client.rcpt(str(to))
            reply = await _send(client, mail, self._relay.deadline)
        except BaseException:
            client.close()
            raise
        if client.is_connected:
            now = asyncio.get_running_loop().time()
            self._kept.append(_Kept(client, now + self._relay.keep))
        return from_reply(reply.code, reply.message)

    async def _begin(self, sender: str) -> aiosmtplib.SMTP:
        """Return a connection that has taken MAIL: a kept one when the relay still honours it, else a new one."""
        while (kept := self._take_kept()) is not None:
            try:
                await kept.mail(sender)
            except (aiosmtplib.SMTPException, OSError):
                kept.close()
            else:
                return kept
        client = self._new_client()
        try:
            await client.connect()
            await client.mail(sender)
        except BaseException:
            client.close()
            raise
        return client

    def _take_kept(self) -> aiosmtplib.SMTP | None:
        now = asyncio.get_running_loop().time()
        while self._kept:
            kept = self._kept.pop()
            if kept.until > now and kept.client.is_connected:
                return kept.client
            kept.client.close()
        return None

    def _new_client(self) -> aiosmtplib.SMTP:
        relay = self._relay
        return aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=relay.helo,
            use_tls=relay.tls is RelayTls.IMPLICIT,
            start_tls=relay.tls is RelayTls.STARTTLS,
            tls_context=self._tls,
            username=relay.username,
            password=relay.password,
            timeout=relay.deadline,
        )


async def _send(client: aiosmtplib.SMTP, mail: bytes, deadline: float) -> aiosmtplib.SMTPResponse:
    """DATA in two steps of our own, so that the moment between the final dot and its answer has a name."""
    start = await client.execute_command(b"DATA")
    if start.code != START_INPUT or client.protocol is None:
        raise aiosmtplib.SMTPDataError(start.code, start.message)
    client.protocol.write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    failpoint("courier.final_dot")
    reply = await client.protocol.read_response(timeout=deadline)
    if reply.code // 100 != 2:
        raise aiosmtplib.SMTPDataError(reply.code, reply.message)
    return reply


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit(timeout=2)
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _what_broke(error: Exception) -> str:
    if isinstance(error.__cause__, ssl.SSLError):
        return "no trusted TLS with the relay"
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return "the relay could not be reached"
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return "the relay ended the connection"
    return "the relay offers no TLS or speaks out of turn"


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigError(f"{ca_file}: is no file of certificates in PEM form") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
