"""Clean mail from outside on its way into the intake tray: sealed, with a case proposed, durable before the reply.

What it holds: one mail in memory, already there for its screening; public intake keys, and the deposit key, which opens
nothing. How it fails: no key for this month, or the store away → `451`; disk full → `452`; nothing half kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.casework.deposit import Received, ReceivedDeposit, repeat_key, seal_received
from gateway.casework.outside import Clues, Proposal, Taking, outside_key, propose, take_in
from gateway.domain.address import Address
from gateway.domain.clock import to_microseconds
from gateway.domain.intake import ROLES, SenderResult, Tray, month_of
from gateway.domain.notice import outbox_id_of
from gateway.domain.reply import SmtpReply
from gateway.domain.summary import Arrival, Mailbox, Summary
from gateway.failpoints import failpoint
from gateway.inbound.content import check_content
from gateway.mime.automatic import AutomaticKind
from gateway.mime.structure import Structure
from gateway.mime.summary import Facts, read_facts
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.intake import NoIntakeKey, intake_sealing_key
from gateway.store.messages import message_id_hash
from gateway.store.sealing import SealingKey

T = TypeVar("T")

MAX_ANSWERED: Final = 50
THREADS: Final = 4
_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OutsideMail:
    """One clean mail: its octets, how it came, for whom, its kind where no person wrote it, what its sender proved."""

    octets: bytes = field(repr=False)
    arrival: Arrival
    recipients: tuple[Address, ...]
    kind: AutomaticKind | None = None
    sender_result: SenderResult = SenderResult.NONE
    upstream: str = ""

    @property
    def tray(self) -> Tray:
        """OPERATORS where a role of the domain was addressed, or another site reports of this one."""
        is_report = self.kind is not None and self.kind.is_for_operators
        return Tray.OPERATORS if is_report or any(is_role(one) for one in self.recipients) else Tray.CASES


@dataclass(frozen=True, slots=True)
class IntakeTray:
    """Where clean mail goes. `domain` is that of the cases' addresses, `authority` what keys are checked with."""

    database: Database
    blobs: BlobFolder
    authority: Ed25519PublicKey
    domain: str
    deposit_key: bytes = field(repr=False)
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "tray"), repr=False)

    async def take(self, mail: OutsideMail) -> SmtpReply:
        """Make a mail durable in its tray, and say under which reference.

        Raises NoIntakeKey, StoreFull, StoreUnavailable, and what `check_content` raises; nothing is kept then.
        """
        key = await self._key()
        self.blobs.check_space(len(mail.octets))
        deposit = ReceivedDeposit(self.blobs)
        try:
            structure = await self._in_a_thread(lambda: _scanned(deposit, mail.octets))
            facts = read_facts(structure)
            check_content(structure, facts)
            proposal = await self._proposal(mail, facts)
            failpoint("mx.take")
            received = await self._in_a_thread(deposit.finish)
        except BaseException:
            deposit.abandon()
            raise
        taken = await self.database.run_prepared(lambda: self._taking(mail, facts, received, key, proposal), take_in)
        failpoint("mx.taken")
        maillog.taken_in(taken.reference, len(mail.octets), mail.tray.value, mail.upstream)
        return SmtpReply(250, "2.6.0", f"{taken.reference} taken for the people here to read; unverified")

    async def _key(self) -> SealingKey:
        month = month_of(self.database.clock())
        try:
            return await self.database.recall(intake_sealing_key, self.authority, month)
        except NoIntakeKey:
            maillog.intake_key_missing(month)
            raise

    async def _proposal(self, mail: OutsideMail, facts: Facts) -> Proposal | None:
        answered = tuple(dict.fromkeys([*facts.in_reply_to, *reversed(facts.references)]))[:MAX_ANSWERED]
        clues = Clues(
            recipients=mail.recipients,
            subject=facts.subject,
            answered=tuple(message_id_hash(self.deposit_key, one) for one in answered),
            notices=tuple(found for one in answered if (found := outbox_id_of(one))),
        )
        return await self.database.recall(propose, self.domain, clues)

    def _taking(
        self, mail: OutsideMail, facts: Facts, received: Received, key: SealingKey, proposal: Proposal | None
    ) -> Taking:
        """Seal the summary and the keys: runs in the writer's thread, before its transaction."""
        arrival, outside = mail.arrival, outside_key(self.deposit_key)
        return Taking(
            sealed=seal_received(received, _summary(mail, facts, received.structure), key, self.deposit_key),
            tray=mail.tray,
            kind=mail.kind,
            sender_result=mail.sender_result,
            proposal=proposal,
            message_id_hash=message_id_hash(self.deposit_key, facts.message_id) if facts.message_id else None,
            recipients=len(mail.recipients),
            repeat_key=repeat_key(outside, arrival.sender, facts.message_id, arrival.recipients, received),
        )

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def is_role(address: Address) -> bool:
    """Tell whether mail to this address of the domain is for whoever runs it (RFC 5321 section 4.5.1, RFC 2142)."""
    return address.local.lower() in ROLES


def _scanned(deposit: ReceivedDeposit, octets: bytes) -> Structure:
    with memoryview(octets) as view:
        for start in range(0, len(view), _BLOCK):
            deposit.write(bytes(view[start : start + _BLOCK]))
    return deposit.structure()


def _summary(mail: OutsideMail, facts: Facts, structure: Structure) -> Summary:
    """Return what a list shows of it. Who the header names as its author is believed by nobody."""
    return Summary(
        subject=facts.subject,
        author=facts.from_[0] if facts.from_ else Mailbox("", mail.arrival.sender),
        to=facts.to,
        cc=facts.cc,
        bcc=(),
        date_us=None if facts.date is None else to_microseconds(facts.date),
        message_id=facts.message_id,
        part_map=structure.part_map,
        notes=structure.part_map.notes,
        salt="",
        digest="",
        arrival=mail.arrival,
    )
