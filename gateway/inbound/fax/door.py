"""The listener for the site's fax servers: fax mail by SMTP, from listed hosts alone (T.37, RFC 3965, RFC 2532).

What it trusts: a host in the server's networks, and where the site gave a file of certificates, one of these beside.
How it fails: the vault away → `451`; over its memory → `452`. It passes nothing on. The reply to the end of data comes
when the fax is durable; reports that a server asks for beside it are entered with the fax, for the notifier to send.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO

from gateway import maillog
from gateway.domain.address import parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import NotAllowed, NotAuthenticated
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Arrival
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.fax.recogniser import Backlog
from gateway.inbound.fax.reporting import Asking
from gateway.inbound.listener.hosts import Networks, is_in
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters

NOT_LISTED = "This is the door for the site's fax servers, and you are none of them."
NOT_OURS = "This server takes faxes for its own addresses only, and passes none on."


@dataclass(frozen=True, slots=True)
class FaxDoor:
    """What the listener of one fax server asks; see `gateway.inbound.listener.seam.Door`. `domains` are ours.

    What is filed goes to the `backlog`, to be recognised.
    """

    intake: FaxIntake
    source: Source
    networks: Networks
    domains: frozenset[str]
    backlog: Backlog | None = None

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Nobody signs in here. Raises NotAuthenticated."""
        del peer, credentials
        raise NotAuthenticated("Nobody signs in here.")

    async def begin(self, peer: Peer, principal: object | None, mail: MailParameters) -> FaxTransaction:
        """Take MAIL FROM of a listed host. Raises NotAllowed."""
        del principal
        if not is_in(peer.address, self.networks):
            maillog.fax_server_refused(self.source.name)
            raise NotAllowed(NOT_LISTED)
        return FaxTransaction(self, peer, mail.sender, mail.envid or "")


@dataclass(slots=True)
class FaxTransaction:
    """One fax, in memory until the vault has it."""

    door: FaxDoor
    peer: Peer
    sender: str
    envelope_id: str
    recipients: list[RecipientParameters] = field(default_factory=list)
    octets: BytesIO = field(default_factory=BytesIO, repr=False)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO, whatever number or name it has, in a domain of ours. Raises NotAllowed, Malformed."""
        domain = recipient.address.rpartition("@")[2]
        if parse_address(f"any@{domain}").domain not in self.door.domains:
            raise NotAllowed(NOT_OURS)
        self.recipients.append(recipient)

    def start(self) -> None:
        """Nothing to begin."""

    def write(self, block: bytes) -> None:
        """Keep a block."""
        self.octets.write(block)

    async def drain(self) -> None:
        """Nothing to wait for."""

    async def commit(self) -> SmtpReply:
        """Have the vault take it, and say under which reference. Raises GatewayError; nothing is kept then."""
        mail = self.octets.getvalue()
        self.abandon()
        addresses = tuple(one.address for one in self.recipients)
        way = Arrival(self.sender, addresses, self.peer.helo, self.peer.address)
        asking = Asking(self.sender, self.envelope_id, tuple(self.recipients))
        now_us = to_microseconds(self.door.intake.database.clock())
        entered = await self.door.intake.take(self.door.source, mail, way, arrived_us=now_us, asking=asking)
        if self.door.backlog is not None:
            self.door.backlog.add(entered.message_id, mail)
        words = f"{entered.reference} filed" if entered.reference else "entered, nothing kept"
        return SmtpReply(250, "2.6.0", words)

    def abandon(self) -> None:
        """Forget it."""
        self.octets = BytesIO()
