"""The seam between a listener and its program: what the wire tells, and what it asks.

A listener knows SMTP and nothing of cases; its program knows cases and nothing of sockets. Every method of `Door` and
`Transaction` may raise a GatewayError, which becomes the reply (gateway.inbound.replies); any other exception becomes
an incident and `451 4.3.0`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from gateway.domain.reply import SmtpReply


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a listed peer said by XFORWARD of where a message came from; empty or 0 where it does not know.

    For the log alone: nobody is judged by it. `ident` is that peer's own id of the message.
    """

    address: str
    port: int
    protocol: str
    ident: str
    is_local: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known of the connection now. `address` is empty on a UNIX socket; `helo` until HELO or EHLO.

    Behind a listed proxy, address and port are those of the client that it names.
    """

    address: str
    port: int
    tls: bool
    helo: str
    listener: str
    forwarded: Forwarded | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What AUTH brought (RFC 4954): the mechanism, whom the peer says it is, and its proof, which no repr shows.

    That is the password of PLAIN and LOGIN, and the access token of OAUTHBEARER and XOAUTH2; with a token `username`
    may be empty.
    """

    mechanism: str
    username: str
    secret: str = field(repr=False)
    certificate: bytes = field(default=b"", repr=False)
    """Of EXTERNAL: the client certificate (DER) whose key TLS has proved; there is no other secret then."""


@dataclass(frozen=True, slots=True)
class MailParameters:
    """One accepted MAIL command. `sender` is empty for the null sender; `ret` is FULL or HDRS; `envid` is decoded."""

    sender: str
    size: int | None
    body: Literal["7BIT", "8BITMIME"]
    smtputf8: bool
    ret: str | None
    envid: str | None
    auth: str | None


@dataclass(frozen=True, slots=True)
class RecipientParameters:
    """One RCPT command (RFC 3461): `notify` is NEVER, or some of SUCCESS, FAILURE, DELAY; `orcpt` is "type;address"."""

    address: str
    notify: frozenset[str] | None
    orcpt: str | None


class Transaction(Protocol):
    """One mail transaction, from MAIL to the reply at the end of data. Made by `Door.begin`."""

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """RCPT TO: return to accept it, raise a GatewayError to refuse this one recipient."""

    def start(self) -> None:
        """DATA or the first BDAT begins: a 354 is about to be sent."""

    def write(self, block: bytes) -> None:
        """Take octets of the message: dots unstuffed, lines end with CRLF, blocks of any size. Must not block long."""

    async def drain(self) -> None:
        """Awaited between reads: while it waits the peer is not read."""

    async def commit(self) -> SmtpReply:
        """End of data: return only when durable. Never cancelled by the listener once it has begun."""

    def abandon(self) -> None:
        """RSET, QUIT, a lost peer, refused data: forget everything. May be called again; never once `commit` began."""


class Door(Protocol):
    """What a listener asks of its program."""

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Return the principal these credentials prove. Raises NotAuthenticated (535) when they prove none."""

    async def begin(self, peer: Peer, principal: object | None, mail: MailParameters) -> Transaction:
        """MAIL FROM: return the transaction that takes the message. `principal` is None where AUTH is not required."""
