"""One fax mail on its way into the intake tray: read, its pages counted, sealed, durable before anybody is told.

How it fails: no key for this month, or the store away → the error is raised and nothing is kept; pages that no child
counts stay uncounted, which is a reason to look twice and none to wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.casework.deposit import Received, ReceivedDeposit, seal_received
from gateway.casework.faxes import (
    Arrival,
    Entered,
    enter_failure,
    enter_fax,
    enter_left,
    enter_repeat,
    fax_key,
    identities_of,
    mail_key,
    place_key,
)
from gateway.casework.sealed import SealedMessage
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.fax import DocumentKind, Fax
from gateway.domain.fax_profile import Profile
from gateway.domain.intake import month_of
from gateway.domain.summary import Arrival as Way
from gateway.domain.summary import Mailbox, Summary
from gateway.failpoints import failpoint
from gateway.inbound.fax.reporting import Asking, reports_of, sealed_reports
from gateway.mime.fax.reading import FaxMail, File, conclude, legible, page_digests, read_fax
from gateway.screening.pool import Pool
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.fax import has_arrived
from gateway.store.ids import new_id
from gateway.store.intake import NoIntakeKey, intake_sealing_key
from gateway.store.recognition import RecognitionKey, new_recognition_key, proving_key
from gateway.store.sealing import SealingKey
from gateway.store.transaction import Transaction

T = TypeVar("T")

THREADS: Final = 2
_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """Where faxes come from: its name, the profile it is known to have ("" to find out), the zone of its clock, and
    where it may have the reports that it asks for.
    """

    name: str
    profile: str = ""
    zone: tzinfo | None = None
    reports_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaxIntake:
    """Where fax mail goes. `profiles` are the site's own; without a `pool` no PDF's pages are counted."""

    database: Database
    blobs: BlobFolder
    authority: Ed25519PublicKey
    deposit_key: bytes = field(repr=False)
    report_key: bytes = field(default=b"", repr=False)
    pool: Pool | None = None
    profiles: Sequence[Profile] = ()
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "fax"), repr=False)

    async def take(
        self,
        source: Source,
        octets: bytes,
        way: Way | None = None,
        *,
        arrived_us: int | None = None,
        asking: Asking | None = None,
    ) -> Entered:
        """Make what a source brought durable, and say what became of it. `way` is how it came, where by SMTP, and
        `asking` what the envelope asks for; `arrived_us` when it came to the mailbox or the listener, where known.

        Raises NoIntakeKey, StoreFull, StoreUnavailable; nothing is kept then, and it can be brought again.
        """
        recipients = way.recipients if way else ()
        mail: FaxMail = await self.in_a_thread(
            partial(
                read_fax, octets, self.profiles, profile=source.profile, zone=source.zone, recipients=recipients
            )
        )  # fmt: skip
        key = fax_key(self.deposit_key)
        known_by = await self.in_a_thread(lambda: mail_key(key, mail.view.outer, octets))
        arrival = Arrival(source.name, known_by, arrived_us=arrived_us)
        if await self.database.read(has_arrived, arrival.key):
            return await self._enter(source, enter_repeat, arrival)
        files = [await self._counted(file) for file in mail.files]
        fax = conclude(mail, files, arrived_us)
        wanted = reports_of(asking, mail.view, source.reports_to, arrived_us or 0)
        arrival = replace(
            arrival,
            fax=fax,
            identities=identities_of(key, fax, page_digests(files, fax)),
            reports=sealed_reports(self.report_key, wanted),
        )
        if mail.failure:
            return await self._enter(source, enter_failure, arrival)
        if (repeated := await self.database.run(enter_repeat, arrival)) is not None:
            return self._told(source, repeated)
        return self._told(source, await self._file(arrival, mail, octets, way), len(octets))

    async def leave(self, source: Source, validity: int, uid: int, octets: int) -> Entered:
        """Enter that a mail of a mailbox is over the limit and stays there. Raises StoreUnavailable."""
        key = place_key(fax_key(self.deposit_key), source.name, validity, uid)
        return self._told(source, await self.database.run(enter_left, Arrival(source.name, key), octets), octets)

    async def documents(self, octets: bytes) -> list[tuple[str, bytes]]:
        """Return the documents of a fax mail whose pages can be drawn: the part's path, its octets."""
        mail: FaxMail = await self.in_a_thread(partial(read_fax, octets))
        files = [await self._counted(file) for file in mail.files]
        return legible(files, conclude(mail, files))

    async def _file(self, arrival: Arrival, mail: FaxMail, octets: bytes, way: Way | None) -> Entered:
        key = await self._key()
        self.blobs.check_space(len(octets))
        deposit = ReceivedDeposit(self.blobs)
        try:
            await self.in_a_thread(lambda: _feed(deposit, octets))
            failpoint("fax.commit")
            received = await self.in_a_thread(deposit.finish)
        except BaseException:
            deposit.abandon()
            raise
        summary = _summary(mail, arrival, way)
        return await self.database.run_prepared(
            lambda: _filing(arrival, received, summary, key, self.deposit_key), _enter_filing
        )

    async def _counted(self, file: File) -> File:
        """Have a PDF's pages counted. One that a child has read and found no page in is not readable."""
        if file.document.kind is not DocumentKind.PDF or self.pool is None:
            return file
        try:
            pages = await self.pool.count_pages(file.octets)
        except ScreeningUnavailable:
            return file
        return replace(file, document=replace(file.document, pages=pages), fault="" if pages else "no pages")

    async def _key(self) -> SealingKey:
        month = month_of(self.database.clock())
        try:
            return await self.database.recall(intake_sealing_key, self.authority, month)
        except NoIntakeKey:
            maillog.intake_key_missing(month)
            raise

    async def _enter(
        self, source: Source, verb: Callable[[Transaction, Arrival], Entered | None], arrival: Arrival
    ) -> Entered:
        entered = await self.database.run(verb, arrival)
        if entered is None:
            raise RuntimeError("a mail that has arrived is known")
        return self._told(source, entered)

    def _told(self, source: Source, entered: Entered, octets: int = 0) -> Entered:
        if not entered.known:
            maillog.fax_entered(source.name, entered.outcome.value, entered.reference, octets)
        return entered

    async def in_a_thread(self, work: Callable[[], T]) -> T:
        """Do what takes as long as a mail is long beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


@dataclass(frozen=True, slots=True)
class _Filing:
    arrival: Arrival
    sealed: SealedMessage
    own: RecognitionKey


def _enter_filing(tx: Transaction, filing: _Filing) -> Entered:
    return enter_fax(tx, filing.arrival, filing.sealed, filing.own)


def _filing(arrival: Arrival, received: Received, summary: Summary, key: SealingKey, deposit_key: bytes) -> _Filing:
    """Make the fax's own key pair, and seal: runs in the writer's thread, before its transaction."""
    row_id = new_id()
    private, public = new_recognition_key(proving_key(deposit_key), key.suite, row_id)
    sealed = seal_received(received, replace(summary, own_key=private), key, deposit_key, row_id)
    return _Filing(arrival, sealed, public)


def _feed(deposit: ReceivedDeposit, octets: bytes) -> None:
    with memoryview(octets) as view:
        for start in range(0, len(view), _BLOCK):
            deposit.write(bytes(view[start : start + _BLOCK]))
    deposit.structure()


def _summary(mail: FaxMail, arrival: Arrival, way: Way | None) -> Summary:
    """Return what a list shows of it; its author is the fax server, if the mail says so truly."""
    facts, part_map = mail.view.facts, mail.view.outer.part_map
    fax: Fax | None = arrival.fax
    return Summary(
        subject=facts.subject,
        author=facts.from_[0] if facts.from_ else Mailbox("", way.sender if way else ""),
        to=facts.to,
        cc=facts.cc,
        bcc=(),
        date_us=None if facts.date is None else to_microseconds(facts.date),
        message_id=facts.message_id,
        part_map=part_map,
        notes=part_map.notes,
        salt="",
        digest="",
        arrival=way,
        fax=fax,
    )
