"""The site's relay: one host that takes all notifications, by TLS or not at all.

The one exception is a relay on this very machine, where a site may choose to do without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.config.settings import RelayTls
from gateway.domain.address import Address
from gateway.outbound.conversation import Conversation, Opening, open_conversation
from gateway.outbound.destination import Bearing
from gateway.outbound.tls_policy import verifying_context

MOST: Final = 512
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
    deadline: float = 30.0
    keep: float = 30.0

    def __post_init__(self) -> None:
        if self.tls is RelayTls.NONE and (self.host not in _THIS_MACHINE or self.username is not None):
            raise ValueError("a relay is spoken to by TLS, except one on this machine that asks for no password")


class RelayWay:
    """The way by the relay: one place for every address."""

    def __init__(self, relay: Relay) -> None:
        """Prepare TLS. Raises ConfigError for a CA file that is none."""
        self._opening = Opening(
            address=relay.host,
            port=relay.port,
            helo=relay.helo,
            server_name=relay.host,
            tls=None if relay.tls is RelayTls.NONE else verifying_context(relay.ca_file),
            implicit=relay.tls is RelayTls.IMPLICIT,
            username=relay.username,
            password=relay.password,
            seconds=relay.deadline,
        )
        self.bears = Bearing(relay.connections, MOST, relay.keep, is_only=True)
        self.seconds = relay.deadline

    def place(self, to: Address) -> str:  # noqa: ARG002 - all go the same way
        """Return the one place there is."""
        return ""

    async def open(self, place: str) -> Conversation:  # noqa: ARG002 - all go the same way
        """Open a conversation. Raises Hurdle."""
        return await open_conversation(self._opening)
