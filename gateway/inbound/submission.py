"""The submission program: the employees' SMTP door.

Does: takes mail from authenticated employees on the STARTTLS and the TLS listener, seals it as it streams in, and says
    `250` when the vault has it.
Trusts: the authenticator's word on who signed in; the keyholder's signature on rights and sealing keys.
Holds: public keys and the deposit key (a keyed-hash key that opens nothing). It can read no stored message.
Fails: database or authenticator away → `451`; disk full → `452`; broken rows → `451` and an alarm. Nothing half kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from gateway import maillog
from gateway.authenticator.client import AuthenticatorClient
from gateway.casework.addressing import Decision, Hints, Mailroom, Target, decide, resolve, sender_team
from gateway.casework.automatic import Ending, end
from gateway.casework.correspondence import Posted, Posting, post
from gateway.casework.deposit import Received, ReceivedDeposit, SealedMessage, repeat_key, seal_received
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.credential import Principal
from gateway.domain.errors import GatewayError, Malformed, NotAllowed, NotAuthenticated
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Mailbox, Summary
from gateway.failpoints import failpoint
from gateway.inbound import replies
from gateway.inbound.content import check_content
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters
from gateway.inbound.lots import Lots
from gateway.inbound.reports import Reports
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.summary import Facts, read_facts
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.memory import Source
from gateway.store.messages import message_id_hash
from gateway.store.people import person_by_id
from gateway.store.transaction import Transaction

MAX_ANSWERED = 50
THREADS = 16
"""They seal long messages and, most of their time, wait for the disk."""


@dataclass(frozen=True, slots=True)
class SubmissionDoor:
    """What the submission listeners ask; see `gateway.inbound.listener.seam.Door`."""

    database: Database
    blobs: BlobFolder
    authenticator: AuthenticatorClient
    mailrooms: Mapping[str, Mailroom]
    """By programme: a refusal names whom to ask in the author's own."""
    deposit_key: bytes = field(repr=False)
    wake_notifier: Callable[[], None]
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "deposit"), repr=False)
    reports: Reports | None = None
    """Takes what a relay brings of returned notifications; without it such mail only ends."""

    async def authenticate(self, peer: Peer, credentials: Credentials) -> Principal:
        """Return the employee these credentials prove. Raises NotAuthenticated or AuthenticatorUnavailable."""
        return await self.authenticator.check_app_password(credentials.username, credentials.password, peer.address)

    async def begin(
        self, peer: Peer, principal: object | None, mail: MailParameters, *, relay: str | None = None
    ) -> SubmissionTransaction:
        """Take MAIL FROM: the envelope sender is the employee's own or a team's of theirs. Raises NotAllowed.

        `relay` names the trusted relay that vouches for the principal, who then has not signed in here.
        """
        if not isinstance(principal, Principal):
            raise NotAuthenticated("Sign in first: this door takes mail from employees only.")
        if not mail.sender:
            raise NotAllowed("The null sender is not accepted here. Write from your own address.")
        sender = parse_address(mail.sender)
        now_us = to_microseconds(self.database.clock())
        author = await self.database.recall(person_by_id, principal.person_id)
        if author is None or author.programme not in self.mailrooms:
            raise NotAllowed("You are not an employee of a programme that runs here.")
        mailroom = self.mailrooms[author.programme]
        await self.database.recall(sender_team, mailroom, principal.person_id, sender, now_us)
        self.blobs.check_space(mail.size or 0)
        upstream = peer.forwarded.ident if peer.forwarded is not None else ""
        return SubmissionTransaction(self, mailroom, principal, sender, relay, upstream)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a message goes: who the header says wrote it, the team it was written for, the decision on its case."""

    author: Mailbox
    team_id: str | None
    decision: Decision


@dataclass(slots=True)
class SubmissionTransaction:
    """One message on its way in. Its plaintext is in no more places than the frame being sealed."""

    door: SubmissionDoor
    mailroom: Mailroom
    principal: Principal
    sender: Address
    relay: str | None = None
    upstream: str = ""
    targets: list[Target] = field(default_factory=list)
    deposit: ReceivedDeposit | None = None
    lots: Lots | None = None

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO. Raises NotAllowed, the same for unknown and forbidden."""
        address = parse_address(recipient.address)
        now_us = to_microseconds(self.door.database.clock())
        target = await self.door.database.recall(resolve, self.mailroom, self.principal.person_id, address, now_us)
        if target.case_id and any(other.case_id not in (None, target.case_id) for other in self.targets):
            raise NotAllowed("This recipient is of another case. Send one message for each case.")
        notify = ",".join(sorted(recipient.notify or ()))
        self.targets.append(Target(target.address, target.case_id, target.person_id, target.shared, notify))

    def start(self) -> None:
        """Begin the segment. Raises StoreFull."""
        self.deposit = ReceivedDeposit(self.door.blobs)
        self.lots = Lots(self.deposit, self.door.threads)

    def write(self, block: bytes) -> None:
        """Seal a block, a long message's in lots. Raises StoreFull or StoreUnavailable."""
        self._lots.write(block)

    async def drain(self) -> None:
        """Wait while more than one lot is not sealed. Raises StoreFull or StoreUnavailable."""
        await self._lots.drain()

    async def commit(self) -> SmtpReply:
        """Make the message durable and return its reference. Raises GatewayError; nothing is kept then."""
        failpoint("submission.commit")
        try:
            structure = await self._lots.finish(ReceivedDeposit.structure)
            automatic = kind_of(structure) if self.relay else None
            if automatic is not None:
                return await self._end(automatic)
            facts = read_facts(structure)
            check_content(structure, facts)
            plan = await self._plan(facts)
            received = None if self._lots.is_short else await self._finish()
        except BaseException:
            self.abandon()
            raise
        posted = await self.door.database.run_prepared(
            lambda: self._posting(received or self._deposit.finish_unsettled(), facts, plan), self._post
        )
        failpoint("submission.committed")
        self.door.wake_notifier()
        maillog.deposited(posted.reference, self._deposit.octets, self.upstream)
        return SmtpReply(250, "2.6.0", f"{posted.reference} sealed and filed")

    def abandon(self) -> None:
        """Forget the message."""
        lots, self.deposit, self.lots = self.lots, None, None
        if lots is not None:
            lots.abandon()

    async def _end(self, kind: AutomaticKind) -> SmtpReply:
        """Enter automatic mail in place of keeping it."""
        assert self.relay is not None
        self.abandon()
        cases = tuple(sorted({target.case_id for target in self.targets if target.case_id}))
        ending = Ending(kind, self.relay, cases, len(self.targets))
        await self.door.database.run(end, self.principal.person_id, ending)
        maillog.ended(kind, self.relay, len(self.targets))
        return replies.ENDED

    async def _finish(self) -> Received:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.door.threads, self._deposit.finish)

    @property
    def _lots(self) -> Lots:
        if self.lots is None:
            raise Malformed("No message has begun.")
        return self.lots

    @property
    def _deposit(self) -> ReceivedDeposit:
        if self.deposit is None:
            raise Malformed("No message has begun.")
        return self.deposit

    async def _plan(self, facts: Facts) -> Plan:
        door = self.door
        hints = Hints(facts.subject, _answered(facts), facts.to, facts.cc)
        hashes = [message_id_hash(door.deposit_key, answered) for answered in hints.answered]
        now_us = to_microseconds(door.database.clock())

        def read(source: Source) -> Plan:
            person_id = self.principal.person_id
            author, team_id = _author_of(source, self.mailroom, person_id, facts, self.sender, now_us)
            decision = decide(source, self.mailroom, hashes, person_id, self.targets, hints, now_us)
            return Plan(author, team_id, decision)

        return await door.database.recall(read)

    def _post(self, tx: Transaction, posting: Posting) -> Posted:
        return post(tx, self.mailroom.authority, posting)

    def _posting(self, received: Received, facts: Facts, plan: Plan) -> Posting:
        """Seal what is sealed to the case: runs in the writer's thread, before its transaction."""
        door, decision = self.door, plan.decision
        recipients = tuple(str(target.address) for target in self.targets)
        return Posting(
            sealed=self._seal(received, facts, plan),
            case_id=decision.case.id,
            author_id=self.principal.person_id,
            recipients=decision.recipients,
            team_id=plan.team_id,
            parent_id=decision.parent_id,
            repeat_key=repeat_key(door.deposit_key, str(self.sender), facts.message_id, recipients, received),
            left_in_clear=decision.left_in_clear,
            relay=self.relay,
        )

    def _seal(self, received: Received, facts: Facts, plan: Plan) -> SealedMessage:
        in_header = {box.address.lower() for box in (*facts.to, *facts.cc)}
        bcc = tuple(Mailbox("", str(target.address)) for target in self.targets if target.address.key not in in_header)
        summary = Summary(
            subject=facts.subject,
            author=plan.author,
            to=facts.to,
            cc=facts.cc,
            bcc=bcc,
            date_us=None if facts.date is None else to_microseconds(facts.date),
            message_id=facts.message_id,
            part_map=received.structure.part_map,
            notes=received.structure.part_map.notes,
            salt="",
            digest="",
        )
        return seal_received(received, summary, plan.decision.key, self.door.deposit_key, new_id())


def _author_of(
    source: Source, mailroom: Mailroom, person_id: str, facts: Facts, sender: Address, now_us: int
) -> tuple[Mailbox, str | None]:
    """Return who the header says wrote it, and the team it was written for. Raises NotAllowed for another's address."""
    boxes = facts.from_ or (Mailbox("", str(sender)),)
    team_id: str | None = None
    for box in boxes:
        try:
            address = parse_address(box.address)
        except GatewayError:
            raise NotAllowed("The From address is not one of yours. Write from your own address.") from None
        team_id = sender_team(source, mailroom, person_id, address, now_us) or team_id
    return boxes[0], team_id


def _answered(facts: Facts) -> tuple[str, ...]:
    """Return the Message-IDs a mail answers: what it replies to first, then its thread from the nearest."""
    thread = [*facts.in_reply_to, *reversed(facts.references)]
    return tuple(dict.fromkeys(thread))[:MAX_ANSWERED]
