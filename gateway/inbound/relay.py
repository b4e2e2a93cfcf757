"""The way in for the site's own mail system, which vouches for its senders: a trusted relay, or the LMTP socket.

Does: takes mail whose author is the employee with the envelope sender's address; ends automatic mail with an entry.
Trusts: the word of hosts that their listener has proven, or of users that the system names, on the envelope sender.
Holds: what the submission door holds, and of automatic mail its beginning. Fails: as the submission door does; nobody
    else's mail is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from gateway import maillog
from gateway.casework.automatic import BY_RELAY, Ending, case_addressed, end
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed, NotAuthenticated
from gateway.domain.reply import SmtpReply
from gateway.domain.rights import Side
from gateway.inbound import replies
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters
from gateway.inbound.reports import MAX_OCTETS
from gateway.inbound.submission import SubmissionDoor, SubmissionTransaction
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Limits
from gateway.store.people import people_by_address

_SCANNED: Final = Limits().header_block


@dataclass(frozen=True, slots=True)
class RelayDoor:
    """What the listener of a relay asks; see `gateway.inbound.listener.seam.Door`. `relay` is its name."""

    door: SubmissionDoor
    relay: str
    domain: str

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Nobody signs in here. Raises NotAuthenticated."""
        del peer, credentials
        raise NotAuthenticated("Nobody signs in here.")

    async def begin(
        self, peer: Peer, principal: object | None, mail: MailParameters
    ) -> SubmissionTransaction | EndedTransaction:
        """Take MAIL FROM: the author is the employee with this address. Raises NotAllowed where there is none."""
        del principal
        if not mail.sender:
            return EndedTransaction(self)
        return await self.door.begin(peer, Principal(await self._author(mail.sender), ""), mail, relay=self.relay)

    async def _author(self, sender: str) -> str:
        address, now_us = parse_address(sender), to_microseconds(self.door.database.clock())
        people = await self.door.database.recall(people_by_address, address.key, now_us)
        authors = [person.id for person in people if person.side is Side.OFFICE]
        if len(authors) != 1:
            raise NotAllowed("The envelope sender is no employee's own address.")
        return authors[0]


@dataclass(slots=True)
class EndedTransaction:
    """Mail with the null sender: read for what it reports of a notification, and of the rest nothing is even sealed."""

    way: RelayDoor
    cases: set[str] = field(default_factory=set)
    recipients: list[Address] = field(default_factory=list)
    octets: BytesIO = field(default_factory=BytesIO, repr=False)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO, whether or not the address is a case's. Raises NotAllowed for one elsewhere."""
        address = parse_address(recipient.address)
        case_id = await self.way.door.database.recall(case_addressed, self.way.domain, address)
        self.cases.update((case_id,) if case_id else ())
        self.recipients.append(address)

    def start(self) -> None:
        """Nothing to begin."""

    def write(self, block: bytes) -> None:
        """Keep as much as a report is looked at."""
        self.octets.write(block[: max(MAX_OCTETS - self.octets.tell(), 0)])

    async def drain(self) -> None:
        """Nothing to wait for."""

    async def commit(self) -> SmtpReply:
        """Enter what it reports, else that it came."""
        mail = self.octets.getvalue()
        self.abandon()
        reports = self.way.door.reports
        if reports is not None and await reports.bring(mail, self.recipients, "", BY_RELAY, self.way.relay):
            return replies.ENDED
        scanner = Scanner()
        scanner.feed(mail[:_SCANNED])
        kind = kind_of(scanner.finish()) or AutomaticKind.NULL_SENDER
        ending = Ending(kind, self.way.relay, tuple(sorted(self.cases)), len(self.recipients))
        await self.way.door.database.run(end, BY_RELAY, ending)
        maillog.ended(kind, self.way.relay, len(self.recipients))
        return replies.ENDED

    def abandon(self) -> None:
        """Forget it."""
        self.octets = BytesIO()
