"""Full copies on their way out: a parcel is taken unread from its row and put into the notice that it was made for.

Whether it may still be sent is asked anew at each attempt. What may not, or what the next host does not take, is
destroyed, and the notice goes with its link only. The notifier has no key that opens one.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.casework.enclosing import Withheld, why_withheld
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.notice import NoticeKind, NoticeState
from gateway.domain.parcel import is_ciphertext
from gateway.store.database import Database
from gateway.store.outbox import Entry
from gateway.store.parcels import Kept, ciphertext_of, destroy_parcel, is_same_address, parcel_of
from gateway.store.recipient_keys import proof_of

AT_ONCE: Final = 2
"""So many are in memory at once."""
MOST_ATTEMPTS: Final = 5
"""After so many that only delayed it, a notice goes without: what is long may be what is in the way."""
SENT: Final = "sent"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A parcel in memory."""

    kept: Kept
    octets: bytes = field(repr=False)


class Enclosing:
    """Finds what goes with a notice. `permitted` are the programmes in which full copies are."""

    def __init__(
        self, database: Database, authority: Ed25519PublicKey, permitted: frozenset[str], clock: Clock
    ) -> None:
        self._database = database
        self._authority = authority
        self._permitted = permitted
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE)
        self._carried: dict[str, Kept] = {}

    @asynccontextmanager
    async def taken(self, entry: Entry) -> AsyncIterator[Enclosed | None]:
        """Give the parcel that goes with a notice to this address, or None. Raises Unavailable."""
        if entry.kind is not NoticeKind.REPLY_RECEIVED or entry.lead_id is None:
            yield None
            return
        kept = await self._database.read(parcel_of, entry.id, entry.lead_id)
        if kept is None or entry.address is None or not is_same_address(kept.address, entry.address):
            yield None
            return
        async with self._room:
            octets = await self._octets(entry, kept)
            yield None if octets is None else Enclosed(kept, octets)

    async def proof(self, entry: Entry) -> bytes:
        """Return what goes in the place of the words that a key waits for its code: the code, encrypted to that key."""
        if entry.state is not NoticeState.COPY_KEY_PROOF or entry.sample:
            return b""
        now_us = to_microseconds(self._clock())
        return await self._database.read(proof_of, self._authority, entry.person_id, now_us) or b""

    async def has_gone(self, entry: Entry, kept: Kept, delivery: Delivery) -> bool:
        """Tell whether an attempt with a parcel is all there is to do now; if not, the notice is to go without it."""
        if delivery.state is DeliveryState.DELIVERED:
            self._carried[entry.id] = kept
            return True
        if delivery.state is DeliveryState.DELAYED and entry.attempts < MOST_ATTEMPTS:
            return True
        await self.withhold(entry, kept, Withheld.NOT_TAKEN)
        return False

    async def withhold(self, entry: Entry, kept: Kept, reason: Withheld) -> None:
        """Destroy a parcel that is not to be sent."""
        if await self._database.run(destroy_parcel, kept, reason.value):
            maillog.parcel_withheld(entry.id, reason.value)

    async def settled(self, entry: Entry) -> None:
        """Destroy the parcel that went with a notice, now that this is written down."""
        kept = self._carried.pop(entry.id, None)
        if kept is not None:
            await self._database.run(destroy_parcel, kept, SENT)

    async def _octets(self, entry: Entry, kept: Kept) -> bytes | None:
        place, now_us = (entry.programme, entry.case_id), to_microseconds(self._clock())
        reason = await self._database.read(why_withheld, self._authority, self._permitted, kept, place, now_us)
        if reason is None:
            octets = await self._database.read(ciphertext_of, kept.id)
            if octets is None:
                return None
            if await asyncio.to_thread(_is_as_kept, octets, kept):
                return octets
            reason = Withheld.DAMAGED
        await self.withhold(entry, kept, reason)
        return None


def _is_as_kept(octets: bytes, kept: Kept) -> bool:
    return hashlib.sha256(octets).hexdigest() == kept.sha256 and is_ciphertext(octets)
