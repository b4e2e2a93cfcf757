"""The submission program: the employees' SMTP door.

Does: takes mail from authenticated employees on the STARTTLS and the TLS listener, seals it as it streams in, and says
    `250` when the vault has it.
Trusts: the authenticator's word on who signed in; the keyholder's signature on rights and sealing keys.
Holds: public keys and the deposit key (a keyed-hash key that opens nothing). It can read no stored message.
Fails: database or authenticator away → `451`; disk full → `452`; broken rows → `451` and an alarm. Nothing half kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.authenticator.client import AuthenticatorClient
from gateway.casework.addressing import Decision, Hints, Mailroom, Target, decide, resolve
from gateway.casework.authorship import Name, name_in_header, name_of, require_case_of_team, require_team
from gateway.casework.automatic import BY_RELAY, Ending, end
from gateway.casework.correspondence import Posted, Posting, post
from gateway.casework.deposit import Received, ReceivedDeposit, repeat_key, seal_received
from gateway.casework.guard_answers import say_yes_by_answer
from gateway.casework.holding import hold
from gateway.casework.sealed import SealedMessage
from gateway.casework.withdrawing import withdraw_by_answer
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import to_microseconds
from gateway.domain.confirmation import Asked, Wish
from gateway.domain.credential import Principal
from gateway.domain.errors import Malformed, NotAllowed, NotAuthenticated
from gateway.domain.notice import NoticeState
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Mailbox, Summary
from gateway.failpoints import failpoint
from gateway.inbound import replies
from gateway.inbound.asking import KEPT_OCTETS, Asking, Envelope, answered_notice, says_release, says_withdraw
from gateway.inbound.content import check_content
from gateway.inbound.ending import OWN, EndedTransaction, EndingDoor, Pace
from gateway.inbound.listener.seam import Credentials, MailParameters, Peer, RecipientParameters
from gateway.inbound.lots import Lots
from gateway.inbound.proving import prove
from gateway.inbound.reports import Reports
from gateway.mime.automatic import AutomaticKind, kind_of
from gateway.mime.forwarded import is_forwarded
from gateway.mime.structure import Mark, Structure
from gateway.mime.summary import Facts, read_facts
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.memory import Source
from gateway.store.messages import message_id_hash, notice_kind
from gateway.store.people import person_by_id
from gateway.store.transaction import Transaction

FILED = "sealed and filed"
HELD = "sealed and held: several cases fit, choose one at the desk"
MAX_ANSWERED = 50
Word = Callable[[Transaction, Ed25519PublicKey, str, str], NoticeState]
"""What a word in an answer does, for a person and the notice that they answer."""

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
    asking: Asking | None = None
    """Knows what authors are told of their messages; without it they are told nothing, and withdraw by no answer."""

    pace: Pace = field(default_factory=Pace, repr=False)
    names_required: bool = False
    """Whether a team's message is refused where nobody says who of the team wrote it."""
    draft_us: Mapping[str, int] = field(default_factory=dict)
    """By programme: for how long a relay's message that fits several cases waits for its author to choose."""

    async def authenticate(self, peer: Peer, credentials: Credentials) -> Principal:
        """Return the employee these credentials prove. Raises NotAuthenticated or AuthenticatorUnavailable."""
        return await prove(self.authenticator, peer, credentials)

    async def begin(
        self, peer: Peer, principal: object | None, mail: MailParameters
    ) -> SubmissionTransaction | EndedTransaction:
        """Take MAIL FROM: an address that the employee who signed in may write from. Raises NotAllowed.

        What has none, as the receipts that mail tools send, ends here.
        """
        if not isinstance(principal, Principal):
            raise NotAuthenticated("Sign in first: this door takes mail from employees only.")
        now_us = to_microseconds(self.database.clock())
        author = await self.database.recall(person_by_id, principal.person_id)
        if author is None or author.programme not in self.mailrooms:
            raise NotAllowed("You are not an employee of a programme that runs here.")
        mailroom = self.mailrooms[author.programme]
        if not mail.sender:
            return self.end_mail(author.id, "", mailroom.domain, author.id)
        sender = parse_address(mail.sender)
        await self.database.recall(name_of, mailroom, principal.person_id, sender, now_us)
        self.blobs.check_space(mail.size or 0)
        upstream = upstream_of(peer)
        return SubmissionTransaction(self, mailroom, principal, sender, upstream=upstream, envelope_id=mail.envid)

    def end_mail(self, by: str, relay: str, domain: str, employee_id: str | None = None) -> EndedTransaction:
        """Take mail with the null sender, which ends here. Raises RateExceeded."""
        threads = next((mailroom.threads for mailroom in self.mailrooms.values()), None)
        return EndingDoor(self.database, domain, threads, self.reports, self.pace).begin(by, relay, employee_id)


class Plan(NamedTuple):
    """Where a message goes: who the header says wrote it, in whose name, the decision on its case; what its author is
    to be told, and how long it waits.
    """

    author: Mailbox
    name: Name
    decision: Decision
    asked: tuple[Wish, Asked] | None = None
    delay_us: int = 0


@dataclass(slots=True)
class SubmissionTransaction:
    """One message on its way in. Its plaintext is in no more places than the frame being sealed, and its beginning."""

    door: SubmissionDoor
    mailroom: Mailroom
    principal: Principal
    sender: Address
    relay: str | None = None
    """The mail system that vouches for the author, who then has not signed in here."""
    nameless: str | None = None
    """The team that wrote it where nobody says who of it; `principal` is then any member, for their rights."""
    upstream: str = ""
    envelope_id: str | None = None
    targets: list[Target] = field(default_factory=list)
    deposit: ReceivedDeposit | None = None
    lots: Lots | None = None
    beginning: list[bytes] = field(default_factory=list, repr=False)

    async def add_recipient(self, recipient: RecipientParameters) -> None:
        """Take RCPT TO. Raises NotAllowed, the same for unknown and forbidden."""
        address = parse_address(recipient.address)
        now_us = to_microseconds(self.door.database.clock())
        target = await self.door.database.recall(resolve, self.mailroom, self.principal.person_id, address, now_us)
        if target.case_id and any(other.case_id not in (None, target.case_id) for other in self.targets):
            raise NotAllowed("This recipient is of another case. Send one message for each case.")
        if recipient.notify or recipient.orcpt:
            target = target._replace(notify=",".join(sorted(recipient.notify or ())), original=recipient.orcpt)
        self.targets.append(target)

    def start(self) -> None:
        """Begin the segment. Raises StoreFull."""
        self.deposit = ReceivedDeposit(self.door.blobs)
        self.lots = Lots(self.deposit, self.door.threads)

    def write(self, block: bytes) -> None:
        """Seal a block, a long message's in lots. Raises StoreFull or StoreUnavailable."""
        if self._lots.octets < KEPT_OCTETS:
            self.beginning.append(block)
        self._lots.write(block)

    async def drain(self) -> None:
        """Wait while more than one lot is not sealed. Raises StoreFull or StoreUnavailable."""
        await self._lots.drain()

    async def commit(self) -> SmtpReply:
        """Make the message durable and return its reference. Raises GatewayError; nothing is kept then."""
        failpoint("submission.commit")
        try:
            structure = await self._lots.finish(ReceivedDeposit.structure)
            facts = read_facts(structure)
            await self.admit(structure, facts)
            automatic = kind_of(structure)
            if automatic is not None and (self.relay or not automatic.is_chosen):
                return await self._end(automatic)
            check_content(structure, facts)
            if (said := await self._said(structure, facts)) is not None:
                return await self._do(*said)
            plan = await self._plan(facts, structure, is_automatic=automatic is not None)
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
        return SmtpReply(250, "2.6.0", f"{posted.reference} {HELD if plan.decision.fitting else FILED}")

    def abandon(self) -> None:
        """Forget the message."""
        lots, self.deposit, self.lots = self.lots, None, None
        self.beginning.clear()
        if lots is not None:
            lots.abandon()

    async def admit(self, structure: Structure, facts: Facts) -> None:
        """Return if it may be taken from here. Raises BadMessage for what was forwarded: nobody wrote it to here."""
        del facts
        if is_forwarded(structure):
            raise replies.BadMessage(replies.FORWARDED)

    async def _end(self, kind: AutomaticKind) -> SmtpReply:
        """Enter automatic mail in place of keeping it."""
        self.abandon()
        cases = {target.case_id for target in self.targets if target.case_id}
        if not cases:  # people: then it is the case's line where only one can be meant
            shared = frozenset.intersection(*(target.shared for target in self.targets))
            cases = set(shared) if len(shared) == 1 else set()
        person_id = None if self.nameless else self.principal.person_id
        ending = Ending(kind, self.relay or "", tuple(sorted(cases)), len(self.targets), person_id)
        await self.door.database.run(end, person_id or BY_RELAY, ending)
        maillog.ended(kind, self.relay or OWN, len(self.targets))
        return replies.ENDED

    async def _said(self, structure: Structure, facts: Facts) -> tuple[str, Word] | None:
        """Return the notice of ours that this answers and what it has done to the message that is told of there; None
        for any other message.
        """
        outbox_id = answered_notice(_answered(facts))
        if outbox_id is None or self.door.asking is None:
            return None
        kind = await self.door.database.recall(notice_kind, outbox_id)
        beginning = b"".join(self.beginning)
        if kind is not None and says_withdraw(kind, structure, beginning):
            return outbox_id, partial(withdraw_by_answer, by_team=self.nameless)
        if kind is not None and says_release(kind, structure, beginning):
            return outbox_id, partial(say_yes_by_answer, by_team=self.nameless)
        return None

    async def _do(self, outbox_id: str, word: Word) -> SmtpReply:
        """Withdraw or release in place of taking a message: nothing of the answer is kept. Raises NotAllowed."""
        self.abandon()
        authority, person_id = self.mailroom.authority, self.principal.person_id
        state = await self.door.database.run(word, authority, person_id, outbox_id)
        failpoint("submission.withdrawn")
        self.door.wake_notifier()
        maillog.withdrawn_by_answer(state.value)
        return replies.WITHDRAWAL_ANSWERED

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

    async def _plan(self, facts: Facts, structure: Structure, *, is_automatic: bool) -> Plan:
        door = self.door
        hints = Hints(facts.subject, _answered(facts), facts.to, facts.cc)
        hashes = [message_id_hash(door.deposit_key, answered) for answered in hints.answered]
        now_us = to_microseconds(door.database.clock())

        def read(source: Source) -> Plan:
            person_id = self.principal.person_id
            boxes = facts.from_ or (Mailbox("", str(self.sender)),)
            name = self._name(source, boxes, now_us)
            decision = decide(
                source, self.mailroom, hashes, person_id, self.targets, hints, now_us,
                may_wait=self.keep_us > 0, team_id=self.nameless,
            )  # fmt: skip
            asked, delay_us = self._asked(source, facts, None if is_automatic else structure, decision)
            if self.nameless is not None:
                require_case_of_team(source, self.mailroom, self.nameless, decision.case.id, now_us)
            return Plan(boxes[0], name, decision, asked, delay_us)

        return await door.database.recall(read)

    def _name(self, source: Source, boxes: Sequence[Mailbox], now_us: int) -> Name:
        """Return in whose name From says this is. Raises NotAllowed where the author may not write so."""
        if self.nameless is not None:
            require_team(source, self.mailroom, self.nameless, boxes, now_us)
            return Name(team_id=self.nameless)
        return name_in_header(source, self.mailroom, self.principal.person_id, boxes, now_us)

    def _asked(
        self, source: Source, facts: Facts, structure: Structure | None, decision: Decision
    ) -> tuple[tuple[Wish, Asked] | None, int]:
        """Return what the author is to be told of it (nothing of automatic mail), and for how long it waits."""
        asking, author = self.door.asking, person_by_id(source, self.principal.person_id)
        if asking is None or author is None:
            return None, 0
        delay_us = asking.delay_us(author)
        if structure is None:
            return None, delay_us
        envelope = Envelope(str(self.sender), self.envelope_id, tuple(self.targets))
        return asking.asked(author, structure, facts, envelope, decision), delay_us

    @property
    def keep_us(self) -> int:
        """For how long a message that fits several cases waits for its author to choose; 0: it is refused.

        Their own mail tool shows them a refusal with its text; a relay's report hides it.
        """
        return 0

    def _post(self, tx: Transaction, posting: Posting) -> Posted:
        if posting.fitting:
            return hold(tx, self.mailroom.authority, posting, str(self.sender), self.keep_us)
        return post(tx, self.mailroom.authority, posting)

    def _posting(self, received: Received, facts: Facts, plan: Plan) -> Posting:
        """Seal what is sealed to the case: runs in the writer's thread, before its transaction."""
        door, decision = self.door, plan.decision
        recipients = tuple(str(target.address) for target in self.targets)
        sealed = self._seal(received, facts, plan)
        return Posting(
            sealed=sealed,
            case_id="" if decision.fitting else decision.case.id,
            author_id=self.principal.person_id,
            recipients=decision.recipients,
            team_id=plan.name.team_id,
            nameless=self.nameless is not None,
            on_behalf_of=plan.name.owner_id,
            parent_id=decision.parent_id,
            repeat_key=repeat_key(door.deposit_key, str(self.sender), facts.message_id, recipients, received),
            left_in_clear=decision.left_in_clear,
            has_cloud_link=Mark.CLOUD_LINK in received.structure.marks,
            relay=self.relay,
            asked=None if door.asking is None else door.asking.sealed(sealed.id, plan.asked),
            delay_us=plan.delay_us,
            is_guarded=door.asking is not None and decision.case.programme in door.asking.guarded,
            fitting=tuple(case_id for case_id, _ in decision.fitting),
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
        others = [key for _, key in plan.decision.fitting[1:]]
        return seal_received(received, summary, plan.decision.key, self.door.deposit_key, new_id(), others)


def upstream_of(peer: Peer) -> str:
    """Return the id that the mail system before us has given a message, "" where it does not say."""
    return peer.forwarded.ident if peer.forwarded is not None else ""


def _answered(facts: Facts) -> tuple[str, ...]:
    """Return the Message-IDs a mail answers: what it replies to first, then its thread from the nearest."""
    thread = [*facts.in_reply_to, *reversed(facts.references)]
    return tuple(dict.fromkeys(thread))[:MAX_ANSWERED]
