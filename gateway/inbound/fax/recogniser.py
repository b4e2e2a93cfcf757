"""Recognition of what is filed: a child reads the pages, what it says is sealed to the fax's own key and entered.

What it trusts: nothing that a child says, which is a value of ours or no answer. How it fails: no child to be had →
later; what a child cannot read → that is entered, for a person to see. Each try is entered before a child has the fax,
so that one which ends this whole program does not come round for ever.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar

from gateway import maillog
from gateway.casework.faxes import BY_FAX, fax_key, mail_key
from gateway.casework.recognising import (
    LEASE_US,
    NOTHING_READ,
    Reads,
    Try,
    begin_try,
    enter_recognition,
    found_of,
    renew_try,
    take_back_try,
)
from gateway.domain.errors import GatewayError, ScreeningUnavailable, Unavailable
from gateway.domain.layout import Layouts
from gateway.domain.recognition import Recognition
from gateway.failpoints import failpoint
from gateway.inbound.fax.intake import FaxIntake
from gateway.mime.fax.reading import FaxMail, read_fax
from gateway.store.recognition import fax_of_mail, proven_key, proving_key, recognition_row, seal_recognition

T = TypeVar("T")

HELD_OCTETS: Final = 64 * 1024 * 1024
"""Of faxes that wait in memory to be recognised. What is more is fetched again from its mailbox."""

FIRST_VERSION: Final = 1
_RENEW_SECONDS: Final = LEASE_US / 4_000_000
_AGAIN_SECONDS: Final = 5.0


class End(StrEnum):
    """What it came to to have a fax recognised."""

    NOW = "now"
    BEFORE = "before"  # by somebody else, or there is nothing to be done
    LATER = "later"  # it is to be asked again


class Held:
    """Octets of faxes that are filed and wait to be recognised, by message: as many as `most`, and no more."""

    def __init__(self, most: int = HELD_OCTETS) -> None:
        self._most = most
        self._octets: dict[str, bytes] = {}
        self.total = 0

    def put(self, message_id: str, octets: bytes) -> bool:
        """Keep a fax; False where there is no room."""
        if message_id in self._octets or self.total + len(octets) > self._most:
            return message_id in self._octets
        self._octets[message_id] = octets
        self.total += len(octets)
        return True

    def take(self, message_id: str) -> bytes | None:
        """Return a fax, which is kept no longer; None where it is not held."""
        octets = self._octets.pop(message_id, None)
        self.total -= len(octets or b"")
        return octets

    def get(self, message_id: str) -> bytes | None:
        """Return a fax, which is kept on; None where it is not held."""
        return self._octets.get(message_id)


@dataclass(slots=True)
class Recogniser:
    """Has faxes recognised, at most `lanes` at once, whoever asks. `layouts` are the programmes' forms."""

    intake: FaxIntake
    reader: Reads
    layouts: Layouts
    lanes: int = 1
    held: Held = field(default_factory=Held)
    backlog: Backlog = field(init=False)
    _busy: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._busy = asyncio.Semaphore(self.lanes)
        self.backlog = Backlog(self)

    async def fax_of(self, octets: bytes) -> str | None:
        """Return the message that a mail was filed as; see `fax_of_mail`. Raises StoreUnavailable."""
        mail: FaxMail = await self.intake.in_a_thread(partial(read_fax, octets))
        key = fax_key(self.intake.deposit_key)
        known_by = await self.intake.in_a_thread(lambda: mail_key(key, mail.view.outer, octets))
        return await self.intake.database.read(fax_of_mail, known_by)

    async def settle(self, message_id: str, octets: bytes) -> End:
        """Have a fax recognised, if nobody has. Raises StoreUnavailable, Tampered."""
        database = self.intake.database
        async with self._busy:
            chosen = await database.run(begin_try, message_id)
            if chosen is Try.LAST:
                await self._enter(message_id, NOTHING_READ)
                return End.NOW
            if chosen is not Try.BEGUN:
                return End.LATER if chosen is Try.LATER else End.BEFORE
            failpoint("fax.tried")
            renewing = asyncio.create_task(self._renew(message_id))
            try:
                found = await self._read(octets)
            except ScreeningUnavailable:
                await database.run(take_back_try, message_id)
                return End.LATER
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
            await self._enter(message_id, found)
            return End.NOW

    async def _read(self, octets: bytes) -> Recognition:
        documents = await self.intake.documents(octets)
        return await self.reader.recognise(documents, self.layouts) if documents else Recognition((), ())

    async def _enter(self, message_id: str, found: Recognition) -> None:
        database = self.intake.database
        row = await database.read(recognition_row, message_id)
        if row is None:
            return
        key = proven_key(proving_key(self.intake.deposit_key), row)
        sealed = await self.intake.in_a_thread(partial(seal_recognition, key, FIRST_VERSION, found))
        if await database.run(enter_recognition, found_of(message_id, FIRST_VERSION, sealed, found), BY_FAX):
            maillog.fax_recognised(len(found.pages), len(found.sections), complete=found.complete)
        failpoint("fax.recognised")

    async def _renew(self, message_id: str) -> None:
        """Say again and again that a child is at it, until cancelled."""
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            with suppress(GatewayError):
                await self.intake.database.run(renew_try, message_id)


class Backlog:
    """Faxes that servers brought, which lie nowhere but in the vault and in memory: recognised in their order."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    def add(self, message_id: str, octets: bytes) -> None:
        """Have a fax recognised once those before it are; without room that is left to whoever opens it."""
        if not message_id:
            return
        if self._recogniser.held.put(message_id, octets):
            self._waiting.put_nowait(message_id)
        else:
            maillog.fax_unrecognised()

    async def run(self) -> None:
        """Have them recognised until cancelled."""
        await asyncio.gather(*(self._work() for _ in range(self._recogniser.lanes)))

    async def _work(self) -> None:
        held = self._recogniser.held
        while True:
            message_id = await self._waiting.get()
            octets = held.get(message_id)
            if octets is None:
                continue
            try:
                is_over = await self._recogniser.settle(message_id, octets) is not End.LATER
            except Unavailable:
                is_over = False
            except Exception as problem:  # noqa: BLE001 - one fax holds up no other
                maillog.incident("fax.recognise", problem)
                is_over = True
            if is_over:
                held.take(message_id)
            else:
                asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._waiting.put_nowait, message_id)
