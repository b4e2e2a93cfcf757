"""The mx program: the public door, for mail from anybody outside.

Does: takes each mail into memory, has it screened while its sender waits, and refuses what holds taxpayer data or
    cannot be looked into, with an entry that names kinds and a reference. Automatic mail ends with an entry. What else
    is clean goes into the intake tray, or is refused with the portal's address, as the site wants; what is for
    postmaster or abuse is taken either way. What comes to the return path of a notification is read for what it reports
    of that one, and ends.
Trusts: nobody. The verdict of a screening child, which has no key, no file and no network.
Holds: mails in memory, as long as their senders wait; a key for the hashes of senders, a new one each day; the public
    intake keys, the deposit key and the key of return paths, which open nothing.
Fails: screening or the store away → `451`; over its memory → `452`. It sends nothing, so that it cannot be made to;
    where the site has it discard what a relay would bounce, it enters a notice to the operators, at most one an hour.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Final

from gateway import maillog
from gateway.casework.automatic import Ending, end
from gateway.casework.turning_away import BY_OUTSIDE, turn_away
from gateway.domain.address import Address, parse_address
from gateway.domain.authentication import Authentication
from gateway.domain.errors import NotAllowed, NotAuthenticated, TaxpayerData, Unscreenable
from gateway.domain.intake import SenderResult
from gateway.domain.refusal import new_reference
from gateway.domain.reply import SmtpReply
from gateway.domain.return_path import is_return_path
from gateway.domain.summary import Arrival
from gateway.domain.thread_address import is_thread_address
from gateway.domain.verdict import Outcome, Verdict
from gateway.failpoints import failpoint
from gateway.inbound import replies
from gateway.inbound.allowance import Allowance
from gateway.inbound.content import MAX_HOPS, is_own_notification
from gateway.inbound.discarding import Discards
from gateway.inbound.hops import LOOKED_AT, Hops
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters
from gateway.inbound.refusals import explain
from gateway.inbound.reports import Reports
from gateway.inbound.senders import SenderCheck
from gateway.inbound.spf import sending_of
from gateway.inbound.tray import IntakeTray, OutsideMail, is_role
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.scanner import Scanner
from gateway.mime.structure import Limits
from gateway.screening.pool import Pool
from gateway.store.database import Database

_HEADER: Final = Limits().header_block
_HASH_OCTETS: Final = 8

NO_PLAIN_MAIL: Final = "Not accepted, nothing stored: no plain mail is taken here. Please write at {portal_url}"


class SenderHashes:
    """Keyed hashes of envelope senders. The key lives in memory, for one day, and is nowhere else."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._day = date.min
        self._key = b""

    def of(self, sender: str) -> str:
        """Return the hash of one sender: equal for equal ones of the same day and process."""
        if (today := self._clock().date()) != self._day:
            self._day, self._key = today, secrets.token_bytes(32)
        return hmac.new(self._key, sender.lower().encode("utf-8"), hashlib.sha256).hexdigest()[: 2 * _HASH_OCTETS]


@dataclass(frozen=True, slots=True)
class OutsideDoor:
    """What the public listener asks; see `gateway.inbound.listener.seam.Door`.

    `domain` is the one it takes mail for; `employee_domains` are of people who have a mail route of their own.
    `takes_clean` is the site's wish: clean mail goes into the tray, or is refused. `senders` looks who vouches for it;
    without one nobody does. With `discards` tainted mail is not refused but taken and thrown away.
    `allowance` has senders whose mail may hold some kinds. `hops` watches for a host in front where there is none.
    `reports` takes what is reported of notifications; without it such mail only ends.
    """

    database: Database
    pool: Pool
    domain: str
    employee_domains: frozenset[str]
    portal_url: str
    hashes: SenderHashes
    tray: IntakeTray
    takes_clean: bool = False
    senders: SenderCheck | None = None
    discards: Discards | None = None
    allowance: Allowance | None = None
    hops: Hops | None = None
    reports: Reports | None = None

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Nobody signs in here. Raises NotAuthenticated."""
        del peer, credentials
        raise NotAuthenticated("Nobody signs in here.")

    async def begin(self, peer: Peer, principal: object | None, mail: MailParameters) -> OutsideTransaction:
        """Take MAIL FROM of anybody. Who has a route of their own hears so for each recipient, all alike."""
        del principal
        is_outside = not mail.sender or _domain_of(mail.sender) not in self.employee_domains
        return OutsideTransaction(self, peer, mail.sender, is_outside)


@dataclass(slots=True)
class OutsideTransaction:
    """One mail from outside, in memory until its verdict."""

    door: OutsideDoor
    peer: Peer
    sender: str
    is_outside: bool
    recipients: list[Address] = field(default_factory=list)
    octets: BytesIO = field(default_factory=BytesIO, repr=False)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO, alike for every address of the domain, whether or not there is anybody.

        Raises NotAllowed, also for what has the shape of a thread address, genuine or not: those are for employees;
        and BadCommand for a return path beside other recipients: these are two kinds of mail.
        """
        if not self.is_outside and not is_return_path(recipient.address.rpartition("@")[0]):
            raise NotAllowed("This is the door for mail from outside: please use your agency's mail route.")
        is_postmaster = recipient.address.lower() == "postmaster"  # RFC 5321 section 4.5.1: with no domain
        if not is_postmaster and _domain_of(recipient.address) != self.door.domain:
            raise NotAllowed("This server takes mail for its own addresses only, and passes none on.")
        local = recipient.address if is_postmaster else recipient.address.rpartition("@")[0]
        address = Address(local.strip('"'), self.door.domain)
        if is_thread_address(address.local):
            raise NotAllowed("This address is for employees: please use your agency's mail route.")
        if self.recipients and is_return_path(address.local) is not self._is_report:
            raise replies.BadCommand(replies.ONE_AT_A_TIME)
        self.recipients.append(address)

    def start(self) -> None:
        """Nothing to begin."""

    def write(self, block: bytes) -> None:
        """Keep a block."""
        self.octets.write(block)

    async def drain(self) -> None:
        """Nothing to wait for."""

    async def commit(self) -> SmtpReply:
        """Have the mail screened, and say what became of it. Raises GatewayError; of the mail nothing is kept then."""
        mail = self.octets.getvalue()  # without a copy, which would hold up the event loop
        self.abandon()
        if self._is_report:
            return await self._end_report(mail)
        verdict = await self.door.pool.judge(mail, first=True)
        failpoint("mx.verdict")
        found: Authentication | None = None
        if verdict.outcome is not Outcome.CLEAN:
            verdict, found = await self._second_look(mail, verdict)
            if found is None:
                return await self._turn_away(verdict)
        return await self._receive(mail, found)

    def abandon(self) -> None:
        """Forget the mail."""
        self.octets = BytesIO()

    async def _turn_away(self, verdict: Verdict) -> SmtpReply:
        """Enter that a mail is not taken, and raise the refusal; where it would bounce in clear, discard it."""
        reference, sender_hash = new_reference(), self.door.hashes.of(self.sender)
        if self.door.discards is not None:
            await self.door.discards.discard(reference, verdict, sender_hash)
            maillog.discarded(reference, verdict.outcome.value, len(verdict.findings), self._upstream)
            return SmtpReply(250, "2.6.0", f"taken off the wire and discarded, nothing stored: Ref {reference}")
        await self.door.database.run(turn_away, reference, verdict, sender_hash)
        maillog.turned_away(reference, verdict.outcome.value, len(verdict.findings), self._upstream)
        kind = TaxpayerData if verdict.outcome is Outcome.TAINTED else Unscreenable
        raise kind(explain(verdict, reference, self.door.portal_url))

    async def _second_look(self, mail: bytes, verdict: Verdict) -> tuple[Verdict, Authentication | None]:
        """Look at all of a mail that an allowed sender may have sent: its whole verdict, and who vouches where it may
        pass, None where it may not.
        """
        allowance = self.door.allowance
        if allowance is None or not allowance.covers(verdict):
            return verdict, None
        found = await self._authenticate(mail)
        if not allowance.names(found):
            return verdict, None
        whole = await self.door.pool.judge(mail)
        if not allowance.covers(whole):
            return whole, None
        maillog.let_through(len(whole.findings), self._upstream)
        return whole, found

    async def _receive(self, mail: bytes, found: Authentication | None) -> SmtpReply:
        """Take what is clean: loops and automatic mail end, and what the site does not want is told where to go."""
        scanner = Scanner()
        scanner.feed(mail[:_HEADER])
        structure = scanner.finish()
        trace = structure.fields("received")
        if self.door.hops is not None and self.door.hops.note(self.peer.address, trace[0].value if trace else None):
            maillog.earlier_hop(LOOKED_AT)
        if len(structure.fields("received")) > MAX_HOPS:
            raise replies.BadMessage(replies.TOO_MANY_HOPS)
        kind = kind_of(structure) or (None if self.sender else AutomaticKind.NULL_SENDER)
        is_for_operators = all(is_role(one) for one in self.recipients) or (kind is not None and kind.is_for_operators)
        if is_own_notification(structure):
            return await self._end(kind or AutomaticKind.AUTO_SUBMITTED)
        is_told = kind is not None and kind.may_report and await self._bring(mail)
        if kind is not None and not is_for_operators:
            return replies.ENDED if is_told else await self._end(kind)
        if not self.door.takes_clean and not is_for_operators:
            raise NotAllowed(NO_PLAIN_MAIL.format(portal_url=self.door.portal_url))
        found = found or await self._authenticate(mail)
        arrival = Arrival(self.sender, tuple(map(str, self.recipients)), self.peer.helo, self._origin, str(found))
        result = SenderResult(found.outcome)
        return await self.door.tray.take(
            OutsideMail(mail, arrival, tuple(self.recipients), kind, result, upstream=self._upstream)
        )

    @property
    def _is_report(self) -> bool:
        """True for mail to the return path of a notification, genuine or not."""
        return bool(self.recipients) and is_return_path(self.recipients[0].local)

    async def _end_report(self, mail: bytes) -> SmtpReply:
        """Read what was sent to a return path for what it reports, unscreened, as nothing of it is kept or shown."""
        if await self._bring(mail):
            return replies.ENDED
        scanner = Scanner()
        scanner.feed(mail[:_HEADER])
        return await self._end(kind_of(scanner.finish()) or AutomaticKind.NULL_SENDER)

    async def _bring(self, mail: bytes) -> bool:
        """Enter what a mail reports of one of our notifications; False where it reports nothing."""
        if self.door.reports is None:
            return False
        return await self.door.reports.bring(mail, self.recipients, self.sender, BY_OUTSIDE, BY_OUTSIDE)

    async def _authenticate(self, mail: bytes) -> Authentication:
        if self.door.senders is None:
            return Authentication()
        return await self.door.senders.look(mail, sending_of(self._origin, self.peer.helo, self.sender))

    @property
    def _origin(self) -> str:
        """The address of who sends: what the site's own host in front says, else the peer's."""
        forwarded = self.peer.forwarded
        return (forwarded.address if forwarded is not None else "") or self.peer.address

    @property
    def _upstream(self) -> str:
        return self.peer.forwarded.ident if self.peer.forwarded is not None else ""

    async def _end(self, kind: AutomaticKind) -> SmtpReply:
        """Enter automatic mail in place of keeping it."""
        count = len(self.recipients)
        await self.door.database.run(end, BY_OUTSIDE, Ending(kind, BY_OUTSIDE, (), count))
        maillog.ended(kind, BY_OUTSIDE, count)
        return replies.ENDED


def _domain_of(address: str) -> str:
    """Return the domain of an envelope's address. Raises Malformed."""
    return parse_address(f"any@{address.rpartition('@')[2]}").domain
