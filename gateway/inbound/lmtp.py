"""The way in for a mail system of this machine: LMTP (RFC 2033) on a UNIX socket, for the users of a list alone.

Does: takes mail whose author is the employee with the envelope sender's address.
Trusts: the listed users' word on that sender; the system tells who is at the other end of the socket.
Holds: what the submission door holds. Fails: as the submission door does; nobody else's mail is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.address import parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed, NotAuthenticated
from gateway.domain.rights import Side
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer
from gateway.inbound.submission import SubmissionDoor, SubmissionTransaction
from gateway.store.people import people_by_address


@dataclass(frozen=True, slots=True)
class LmtpDoor:
    """What the LMTP listener asks; see `gateway.inbound.listener.seam.Door`."""

    door: SubmissionDoor

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Nobody signs in here. Raises NotAuthenticated."""
        del peer, credentials
        raise NotAuthenticated("Nobody signs in here.")

    async def begin(self, peer: Peer, principal: object | None, mail: MailParameters) -> SubmissionTransaction:
        """Take MAIL FROM: the author is the employee with this address. Raises NotAllowed where there is none."""
        del principal
        if not mail.sender:
            raise NotAllowed("The null sender is not accepted here: only what employees write is.")
        address, now_us = parse_address(mail.sender), to_microseconds(self.door.database.clock())
        people = await self.door.database.recall(people_by_address, address.key, now_us)
        authors = [person.id for person in people if person.side is Side.OFFICE]
        if len(authors) != 1:
            raise NotAllowed("The envelope sender is no employee's own address.")
        return await self.door.begin(peer, Principal(authors[0], ""), mail)
