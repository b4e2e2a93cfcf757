"""The way in for the site's own mail system, which vouches for its senders: a trusted relay, or the LMTP socket.

Does: takes mail whose author is the employee that the header's Sender names, else the envelope sender; where a host
    serves others, too, only what its organisation has proven. Ends automatic mail with an entry.
Trusts: the word of hosts that their listener has proven, or of users that the system names, on the envelope sender.
Holds: what the submission door holds, and of automatic mail its beginning. Fails: as the submission door does; nobody
    else's mail is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.casework.addressing import Mailroom
from gateway.casework.authorship import Writer, may_stand_for, name_of, require_team, writer_at
from gateway.casework.automatic import BY_RELAY
from gateway.casework.deposit import ReceivedDeposit
from gateway.casework.probing import Arrival, enter_arrival
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import Principal
from gateway.domain.errors import GatewayError, NotAllowed, NotAuthenticated
from gateway.domain.probe import ProbeAddresses
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Mailbox
from gateway.inbound import replies
from gateway.inbound.ending import EndedTransaction
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters
from gateway.inbound.lots import Lots
from gateway.inbound.organisation import OrganisationCheck, OrganisationWatch
from gateway.inbound.submission import SubmissionDoor, SubmissionTransaction, upstream_of
from gateway.mime.addresses import addresses
from gateway.mime.forwarded import is_rewritten
from gateway.mime.structure import Structure
from gateway.mime.summary import Facts, read_facts
from gateway.mime.trace import hops_of
from gateway.store.blobs import BlobFolder
from gateway.store.memory import Source


@dataclass(frozen=True, slots=True)
class RelayDoor:
    """What the listener of a relay asks; see `gateway.inbound.listener.seam.Door`. `relay` is its name.

    `organisation` is what each message has to prove where the host serves others, too.
    """

    door: SubmissionDoor
    relay: str
    domain: str
    organisation: OrganisationCheck | None = None
    probes: ProbeAddresses | None = None
    """Knows the addresses of `gateway doctor mail`; without it there are none."""

    async def authenticate(self, peer: Peer, credentials: Credentials) -> object:
        """Nobody signs in here. Raises NotAuthenticated."""
        del peer, credentials
        raise NotAuthenticated("Nobody signs in here.")

    async def begin(
        self, peer: Peer, principal: object | None, mail: MailParameters
    ) -> RelayedTransaction | EndedTransaction | WatchedEnding:
        """Take MAIL FROM: an employee's address, or a team's. Raises NotAllowed for another, BadMessage for SRS."""
        del principal
        if not mail.sender:
            ending = self.door.end_mail(BY_RELAY, self.relay, self.domain)
            return ending if self.organisation is None else WatchedEnding(ending, OrganisationWatch(self.organisation))
        sender = parse_address(mail.sender)
        if is_rewritten(sender.local):
            raise replies.BadMessage(replies.FORWARDED)
        writer = await self.door.database.recall(writer_at, sender, to_microseconds(self.door.database.clock()))
        if writer is None or writer.programme not in self.door.mailrooms:
            raise NotAllowed("The envelope sender is no employee's own address, and no team's.")
        self.door.blobs.check_space(mail.size or 0)
        return RelayedTransaction(
            self.door,
            self.door.mailrooms[writer.programme],
            Principal(writer.person_id or "", ""),
            sender,
            self.relay,
            upstream=upstream_of(peer),
            envelope_id=mail.envid,
            writer=writer,
            watch=None if self.organisation is None else OrganisationWatch(self.organisation),
            probes=self.probes,
        )


@dataclass(slots=True)
class RelayedTransaction(SubmissionTransaction):
    """One message that a mail system brings. Until its header is in, its author is `writer`, by the envelope sender."""

    writer: Writer = field(kw_only=True)
    watch: OrganisationWatch | None = None
    recipients: list[RecipientParameters] = field(default_factory=list)
    probes: ProbeAddresses | None = None
    probe: str | None = None

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO. What its sender may not is looked at again where the header may name another author."""
        if self.probes is not None and not self.recipients and self.probe is None:
            now = int(self.door.database.clock().timestamp())
            self.probe = self.probes.read(parse_address(recipient.address), now)
        if self.probe is not None:
            return
        try:
            await SubmissionTransaction.add_recipient(self, recipient)
        except NotAllowed:
            now_us = to_microseconds(self.door.database.clock())
            if not await self.door.database.recall(may_stand_for, self.mailroom, self.writer, now_us):
                raise
        self.recipients.append(recipient)

    @property
    def keep_us(self) -> int:
        """For how long a message that fits several cases waits, where the author's programme says so by notices."""
        return self.door.draft_us.get(self.writer.programme, 0)

    def start(self) -> None:
        """Begin the segment. Raises StoreFull."""
        if self.watch is None:
            SubmissionTransaction.start(self)
            return
        self.deposit = WatchedDeposit(self.door.blobs, self.watch)
        self.lots = Lots(self.deposit, self.door.threads)

    async def drain(self) -> None:
        """Wait while more than one lot is not sealed. Raises BadMessage as soon as the header says whose it is not."""
        if self.watch is not None and self.probe is None:
            self.watch.look()
        await SubmissionTransaction.drain(self)

    async def commit(self) -> SmtpReply:
        """Make the message durable and return its reference; of a probe enter how it came. Raises GatewayError."""
        if self.probe is None:
            return await SubmissionTransaction.commit(self)
        assert self.lots is not None
        structure = await self.lots.finish(ReceivedDeposit.structure)
        try:
            await self.admit(structure, read_facts(structure))
            reply = replies.PROBED
        except GatewayError as refusal:
            reply = replies.reply_for(refusal)
        finally:
            self.abandon()
        arrival = Arrival(self.probe, self.relay or "", hops_of(structure), str(reply))
        await self.door.database.run(enter_arrival, arrival)
        return reply

    def abandon(self) -> None:
        """Forget the message."""
        if self.watch is not None:
            self.watch.close()
        SubmissionTransaction.abandon(self)

    async def admit(self, structure: Structure, facts: Facts) -> None:
        """Return if it is proven whose it is, and who wrote it. Raises BadMessage and NotAllowed."""
        senders = [box for one in structure.fields("sender") for box in addresses(one.value)]
        if self.watch is not None:
            await self.watch.require([str(self.sender), *(box.address for box in senders)])
        await SubmissionTransaction.admit(self, structure, facts)
        now_us = to_microseconds(self.door.database.clock())
        boxes = facts.from_ or (Mailbox("", str(self.sender)),)
        author, team_id = await self.door.database.recall(
            _author, self.mailroom, self.writer, self.sender, tuple(senders), boxes, now_us
        )
        if team_id is not None and self.door.names_required:
            raise replies.BadMessage(replies.NAME_REQUIRED)
        self.nameless = team_id
        if author == self.principal.person_id and len(self.targets) == len(self.recipients):
            return
        self.principal = Principal(author, "")
        self.targets.clear()
        for recipient in self.recipients:
            await SubmissionTransaction.add_recipient(self, recipient)


@dataclass(slots=True)
class WatchedEnding:
    """Mail with the null sender by a host that serves others, too: it ends as `ending` says, once it is proven."""

    ending: EndedTransaction
    watch: OrganisationWatch

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO, as `ending` does."""
        await self.ending.add_recipient(recipient)

    def start(self) -> None:
        """Nothing to begin."""

    def write(self, block: bytes) -> None:
        """Look at it, and keep its beginning."""
        self.watch.feed(block)
        self.ending.write(block)

    async def drain(self) -> None:
        """Raise BadMessage as soon as the header says whose it is not."""
        self.watch.look()

    async def commit(self) -> SmtpReply:
        """Enter it. Raises BadMessage where it is not proven."""
        await self.watch.require(())
        return await self.ending.commit()

    def abandon(self) -> None:
        """Forget it."""
        self.watch.close()
        self.ending.abandon()


class WatchedDeposit(ReceivedDeposit):
    """A message streaming in, with an eye on what it proves."""

    def __init__(self, blobs: BlobFolder, watch: OrganisationWatch) -> None:
        super().__init__(blobs)
        self._watch = watch

    def write(self, block: bytes) -> None:
        """Take octets. Raises StoreFull or StoreUnavailable."""
        self._watch.feed(block)
        super().write(block)


def _author(
    source: Source,
    mailroom: Mailroom,
    writer: Writer,
    envelope: Address,
    senders: tuple[Mailbox, ...],
    boxes: Iterable[Mailbox],
    now_us: int,
) -> tuple[str, str | None]:
    """Return the author, and the team where nobody says who of it that is: then any member. Raises NotAllowed."""
    if len(senders) > 1:
        raise NotAllowed("The header names more than one Sender. Send the message again, as one person.")
    if senders:
        writer = _named(source, mailroom, senders[0], now_us)
    if writer.person_id is None:
        assert writer.team_id is not None
        named = (*boxes, Mailbox("", str(envelope)))
        return require_team(source, mailroom, writer.team_id, named, now_us), writer.team_id
    name_of(source, mailroom, writer.person_id, envelope, now_us)
    return writer.person_id, None


def _named(source: Source, mailroom: Mailroom, sender: Mailbox, now_us: int) -> Writer:
    """Return whom Sender stands for. Raises NotAllowed for nobody of the office, or of another programme."""
    try:
        writer = writer_at(source, parse_address(sender.address), now_us)
    except GatewayError:
        writer = None
    if writer is None:
        raise NotAllowed(f"The Sender in the header is no employee and no team here. {mailroom.ask}")
    return writer
