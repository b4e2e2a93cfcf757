"""Program *notifier*: tells people that something waits for them, and employees when that failed.

What it does: leases due rows of the outbox, renders each as a notification, checks it once more, signs it, hands it to
the relay, and settles the row with an entry in the record. What it trusts: the outbox's kinds, counts and references;
nothing a remote host says. What it holds: the DKIM keys, the keys of the record's address hashes and of return paths;
it can read no stored message. How it fails: a row whose lease runs out comes due again with the same Message-ID, so a
kill at any point sends every notice, and none twice except between the final dot and the settlement; a relay that is
away delays; a store that is away stops nothing that is under way and is asked again each second.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.domain import guard
from gateway.domain.address import Address, parse_address
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import Malformed, StoreUnavailable, Tampered, Unavailable
from gateway.domain.intake import OVERDUE_US
from gateway.domain.notice import Notice, is_zone
from gateway.domain.programme import Programme
from gateway.domain.return_path import ReturnPaths
from gateway.domain.sunset import Sunsets
from gateway.domain.thread_address import ThreadAddresses
from gateway.outbound.backoff import Schedule
from gateway.outbound.courier import Courier
from gateway.outbound.enclosing import Enclosing
from gateway.outbound.in_thread import InThread
from gateway.outbound.making import Making, NotMade
from gateway.outbound.notification import Draft
from gateway.outbound.samples import sample_notice
from gateway.outbound.settling import Settling
from gateway.outbound.timetable import Timetable
from gateway.outbound.turns import Turns
from gateway.store.claims import claim
from gateway.store.confirmations import asked_key
from gateway.store.database import Database
from gateway.store.outbox import Entry, withhold
from gateway.store.settlements import Outcome
from gateway.wake import Waker

NAME = "notifier"
LEASE = timedelta(minutes=5)
RETRY_SECONDS = 1.0
END_SECONDS = 30.0
"""How long what is under way may take when the program is to end; whoever stops it kills it soon after."""
IN_FLIGHT = 512
BATCH = 128
"""So many rows are claimed at once, or more: a claim costs a commit."""


@dataclass(frozen=True, slots=True)
class NotifierSite:
    """What notifications say of the site: the portal's fixed address, the cases' mail domain, the environment.

    `run` is the folder of the sockets for wake-ups; `sunsets` are the last days of passwords,
    `overdue_us` is for how long something may wait in the intake tray; `hostname` is what reports name, or the domain;
    in the programmes of `full_copies` a notice may carry the reply itself, encrypted.
    """

    portal: str
    domain: str
    environment: str
    run: Path
    sunsets: Sunsets = field(default_factory=Sunsets)
    overdue_us: int = OVERDUE_US
    hostname: str = ""
    full_copies: frozenset[str] = frozenset()
    guard_overdue_us: int = guard.OVERDUE_US
    """For how long a message may wait for the wrong client guard's look until its author is asked."""


@dataclass(frozen=True, slots=True)
class NotifierKeys:
    """Public key that rows of power are checked by, the keys of the record's address hashes and of return paths."""

    authority: Ed25519PublicKey
    address_hash: bytes
    return_path: bytes


class Notifier:
    """The program's body: objects are handed in, `run` works until it is told to stop."""

    def __init__(
        self,
        database: Database,
        programmes: Mapping[str, Programme],
        making: Making,
        courier: Courier,
        site: NotifierSite,
        keys: NotifierKeys,
        *,
        clock: Clock,
        schedule: Schedule | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._programmes = programmes
        self._making = making
        self._courier = courier
        self._site = site
        self._keys = keys
        self._return_paths = ReturnPaths(site.domain, keys.return_path)
        self._in_thread = InThread(asked_key(keys.return_path), site.domain, site.hostname or site.domain)
        self._threads = ThreadAddresses(site.domain, keys.return_path)
        self._clock = clock
        self._schedule = schedule or Schedule()
        self._jitter = jitter
        self._timings = {key: programme.timing for key, programme in programmes.items()}
        longest = 2 * self._schedule.ceiling + LEASE
        self._timetable = Timetable(
            database,
            programmes,
            keys.authority,
            longest,
            site.sunsets,
            overdue_us=site.overdue_us,
            guard_overdue_us=site.guard_overdue_us,
            confirmation_key=asked_key(keys.return_path),
        )
        self._enclosing = Enclosing(database, keys.authority, site.full_copies, clock)
        self._under_way: set[asyncio.Task[None]] = set()
        self._leases: dict[str, Entry] = {}
        self._turns = Turns(database, courier, self._schedule, clock)
        self._room = asyncio.Event()
        self._settling = Settling(database, keys.authority, keys.address_hash)

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is due until `stop` is set, then finish what is under way.

        Raises Unavailable when the store's writer has died, or what makes the mails: the program ends and is started
        anew.
        """
        stopping = asyncio.create_task(stop.wait())
        try:
            with Waker(self._site.run, NAME) as waker:
                while not stop.is_set():
                    await self._timetable.keep()
                    if not await self._start_due():
                        await _first_of(stopping, waker)
                    if not self._database.is_writing:
                        raise StoreUnavailable("The store is not writing.")
                    self._making.require_life()
        finally:
            stopping.cancel()
            if self._under_way:
                _, late = await asyncio.wait(self._under_way, timeout=END_SECONDS)
                for task in late:  # their leases run out
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            await self._courier.close()
            await self._making.close()

    async def send_due(self) -> int:
        """Plan and send everything that is due now, wait for it, and return how many attempts that took."""
        attempts = 0
        await self._timetable.plan()
        while started := await self._start_due():
            attempts += started
            await asyncio.gather(*self._under_way)
        return attempts

    async def _start_due(self) -> int:
        """Claim as many rows as there is room for and begin to send them; return how many. Waits when there is none."""
        while len(self._under_way) > IN_FLIGHT - BATCH:
            self._room.clear()
            await self._room.wait()
        lease_us = LEASE // timedelta(microseconds=1)
        try:
            room = IN_FLIGHT - len(self._under_way)
            entries = await self._database.run(claim, lease_us, room, self._timings, self._keys.authority)
        except Unavailable as problem:
            maillog.incident("outbox.claim", problem)
            return 0
        if entries:
            maillog.outbox_claimed(len(entries))
        # Where the clock was set forward under one, it is being sent, and settles under the new lease.
        self._leases.update((entry.id, entry) for entry in entries if entry.id in self._leases)
        fresh = [entry for entry in entries if entry.id not in self._leases]
        for entry, end in await self._turns.admitted(fresh):
            self._leases[entry.id] = entry
            task = asyncio.create_task(self._send(entry, end))
            self._under_way.add(task)
            task.add_done_callback(self._went)
        return len(entries)

    def _went(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if len(self._under_way) <= IN_FLIGHT - BATCH:
            self._room.set()

    async def _send(self, entry: Entry, end: Delivery | None) -> None:
        try:
            programme = self._programmes.get(entry.programme)
            used = programme is None or entry.kind in programme.notices or entry.kind.is_of_the_site
            wanted = used or bool(entry.sample)
            if not wanted:
                await self._database.run(withhold, entry)
            else:
                await self._settle(entry, end or await self._attempt(entry))
                await self._enclosing.settled(entry)
        except Exception as problem:  # noqa: BLE001 - the lease runs out, and it is tried again
            maillog.incident("notifier.send", problem)
        finally:
            del self._leases[entry.id]
            self._turns.over(entry)

    async def _attempt(self, entry: Entry) -> Delivery:
        try:
            return await self._deliver(entry)
        except NotMade as problem:
            return Delivery(DeliveryState.DELAYED, text=f"incident {problem.incident}")
        except Exception as problem:  # noqa: BLE001 - one notice that cannot be made must not stop the others
            return Delivery(DeliveryState.DELAYED, text=f"incident {maillog.incident('notifier.deliver', problem)}")

    async def _deliver(self, entry: Entry) -> Delivery:
        if entry.address is None:
            return Delivery(DeliveryState.FAILED, text="the person has no address")
        try:
            to = parse_address(entry.address)
            draft = self._draft(entry, to)
        except Malformed:
            return Delivery(DeliveryState.FAILED, enhanced="5.1.3", text="not an address that plain mail can go to")
        except Tampered:
            return Delivery(DeliveryState.FAILED, text="what was asked of the message is not as it was sealed")
        draft = replace(draft, parcel=await self._enclosing.proof(entry))
        async with self._enclosing.taken(entry) as enclosed:
            if enclosed is not None:
                try:
                    delivery = await self._carry(entry, replace(draft, parcel=enclosed.octets))
                except NotMade as problem:
                    delivery = Delivery(DeliveryState.FAILED, text=f"incident {problem.incident}")
                if await self._enclosing.has_gone(entry, enclosed.kept, delivery):
                    return delivery
        return await self._carry(entry, draft)

    async def _carry(self, entry: Entry, draft: Draft) -> Delivery:
        mail = await self._making.made(draft, entry.programme)
        return_path = None if entry.kind.is_confirmation else self._return_paths.of(entry.id)
        return await self._courier.deliver(mail, draft.to, return_path)

    def _draft(self, entry: Entry, to: Address) -> Draft:
        programme = self._programmes[entry.programme]
        portal = self._site.portal if entry.wants_link else None
        if entry.sample:
            notice = sample_notice(
                entry.kind, entry.sample, programme, portal=portal, environment=self._site.environment, at=entry.created
            )
            return Draft(notice, to, entry.id)
        notice = Notice(
            kind=entry.kind,
            language=programme.language_for(entry.language),
            reference=entry.reference,
            portal=portal,
            at=entry.created,
            environment=self._site.environment,
            count=entry.count,
            state=entry.state,
            until=entry.until,
            refusal=entry.refusal,
            kinds=entry.kinds,
            zone=entry.zone if is_zone(entry.zone) else "",
            reads=entry.reads,
        )
        return Draft(notice, to, entry.id, self._answer_to(entry), *self._in_thread.of(entry))

    def _answer_to(self, entry: Entry) -> Address | None:
        """Return where an answer goes: the thread's address for this employee or team, else the case's."""
        if not entry.kind.is_answered_in_the_case or entry.reference is None:
            return None
        if entry.thread is not None:
            return self._threads.of(entry.thread, entry.team_id or entry.person_id)
        return Address(entry.reference.local_part, self._site.domain)

    async def _settle(self, entry: Entry, delivery: Delivery) -> None:
        """Write the outcome down; with the store away, again each second until the lease has run out."""
        now = self._clock()
        due = None
        if delivery.state is DeliveryState.DELAYED:
            due = self._schedule.next_due(entry.attempts, entry.created, now, self._jitter())
        due_us = None if due is None else to_microseconds(due)
        while True:
            held = self._leases[entry.id]
            try:
                settled = await self._settling.settled(Outcome(held, delivery, due_us))
                if settled or self._leases[entry.id] is held:
                    break
            except Unavailable as problem:
                maillog.incident("outbox.settle", problem)
                if not self._database.is_writing or to_microseconds(self._clock()) >= held.lease_us:
                    return
                await asyncio.sleep(RETRY_SECONDS)
        if delivery.state is DeliveryState.DELIVERED:
            maillog.outbox_settled(entry.id, entry.attempts)
        else:
            maillog.outbox_failed(entry.id, entry.attempts, delivery.code)


async def _first_of(stopping: asyncio.Task[bool], waker: Waker) -> None:
    """Return at a wake-up, after a second, or when the program is to stop."""
    waiting = asyncio.create_task(waker.wait())
    await asyncio.wait((stopping, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
