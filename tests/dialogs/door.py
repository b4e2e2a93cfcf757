"""A door in memory that keeps to the seam, and notices when the listener does not.

What it does is told by the addresses: see `TROUBLES`. `joe` signs in with `right`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.domain import errors
from gateway.domain.reply import SmtpReply
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters

TROUBLES: dict[str, Callable[[], Exception]] = {
    "forbidden": lambda: errors.NotAllowed("You may not write as this author."),
    "nobody": lambda: errors.UnknownRecipient("Nobody here by that address."),
    "full": lambda: errors.StoreFull("The store is full."),
    "away": lambda: errors.StoreUnavailable("The store is away."),
    "reset": lambda: ConnectionResetError("PRIVATE: the database hung up"),
    "crash": lambda: RuntimeError("PRIVATE: it broke"),
    "busy": lambda: errors.Overloaded("Too much at once."),
    "hasty": lambda: errors.RateExceeded("Too many attempts."),
    "misset": lambda: errors.ConfigError("PRIVATE: a path"),
    "odd": lambda: errors.Malformed("An address has the form name@domain."),
}


@dataclass(frozen=True, slots=True)
class Deposit:
    peer: Peer
    principal: object | None
    mail: MailParameters
    recipients: tuple[RecipientParameters, ...]
    octets: bytes


class Violation(Exception):
    """The listener broke the seam."""


def trouble(address: str, place: str) -> None:
    """Raise what an address such as `crash-at-commit@…` asks for at this place."""
    kind, _, where = address.partition("@")[0].partition("-at-")
    if kind in TROUBLES and where == place:
        problem = TROUBLES[kind]()
        raise problem


@dataclass
class MemoryTransaction:
    door: MemoryDoor
    peer: Peer
    principal: object | None
    mail: MailParameters
    recipients: list[RecipientParameters] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    state: str = "open"

    def expect(self, *states: str) -> None:
        if self.state not in states:
            self.door.violations.append(f"{self.state}, expected {states}")
            raise Violation(self.state)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        self.expect("open")
        await asyncio.sleep(0)
        trouble(recipient.address, "rcpt")
        self.recipients.append(recipient)

    def start(self) -> None:
        self.expect("open")
        trouble(self.mail.sender, "start")
        if not self.recipients:
            self.door.violations.append("start without a recipient")
        self.state = "started"

    def write(self, block: bytes) -> None:
        self.expect("started")
        if not block:
            self.door.violations.append("an empty block")
        self.blocks.append(block)
        trouble(self.mail.sender, "write")

    async def drain(self) -> None:
        self.expect("started")
        trouble(self.mail.sender, "drain")
        await asyncio.sleep(0)

    async def commit(self) -> SmtpReply:
        self.expect("started")
        self.state = "committed"
        self.door.open -= 1
        await self.door.gate.wait()
        await asyncio.sleep(0)
        trouble(self.mail.sender, "commit")
        octets = b"".join(self.blocks)
        self.door.deposits.append(Deposit(self.peer, self.principal, self.mail, tuple(self.recipients), octets))
        return SmtpReply(250, "2.6.0", f"SM-{len(self.door.deposits)}")

    def abandon(self) -> None:
        if self.state in {"open", "started"}:
            self.door.open -= 1
            self.door.abandoned += 1
        elif self.state == "committed":
            self.door.violations.append("abandoned after commit")
        self.state = "abandoned"
        trouble(self.mail.sender, "abandon")


class MemoryDoor:
    def __init__(self) -> None:
        self.deposits: list[Deposit] = []
        self.attempts: list[Credentials] = []
        self.guessed_from: list[str] = []
        self.violations: list[str] = []
        self.abandoned = 0
        self.open = 0
        """Transactions neither committed nor abandoned."""
        self.gate = asyncio.Event()
        """Commits wait for it; set from the start."""
        self.gate.set()

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        self.attempts.append(credentials)
        self.guessed_from.append(peer.address)
        trouble(credentials.username, "auth")
        await asyncio.sleep(0)
        if (credentials.username, credentials.secret) != ("joe", "right"):
            raise errors.NotAuthenticated("The name or the app password is wrong.")
        return f"principal:{credentials.username}"

    async def begin(self, peer: Peer, principal: object | None, mail: MailParameters) -> MemoryTransaction:
        trouble(mail.sender, "mail")
        self.open += 1
        return MemoryTransaction(self, peer, principal, mail)
