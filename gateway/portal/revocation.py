"""Whether certificates that full copies are encrypted to are revoked, looked up as copies are made.

What was looked up stands in the database: it is looked up anew after some hours, and what is known of a certificate
counts for a day. One that is revoked counts no more, here and for the notifier, which looks nothing up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gateway.casework.enclosing import Wanting, enter_look_at
from gateway.config import Settings
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Unavailable
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.recipient_key import LOOK_AGAIN_US, LOOK_COUNTS_US, KeyKind
from gateway.parcels.site import KeyChecker
from gateway.portal.full_copy import KeyDesk
from gateway.portal.parcelling import NotCopied, Parcelling, parcelling_of
from gateway.store.database import Database
from gateway.store.recipient_keys import Look, looks_of


class Revocation:
    """Says for whom no copy is made. `tells` are the programmes whose employees are told of their keys by mail."""

    def __init__(
        self, database: Database, checker: KeyChecker, tells: frozenset[str], wake_notifier: Callable[[], None]
    ) -> None:
        self._database, self._checker, self._tells = database, checker, tells
        self._wake_notifier = wake_notifier

    async def refused(self, wanted: Sequence[Wanting]) -> Mapping[str, str]:
        """Return by their id the people whose certificate is revoked, or of which nothing is known, and which it is."""
        certificates = [one for one in wanted if one.key.kind is KeyKind.SMIME]
        if not certificates:
            return {}
        looks = await self._database.read(looks_of, [one.key_id for one in certificates])
        reasons = await asyncio.gather(*(self._look(one, looks.get(one.key_id, Look())) for one in certificates))
        return {one.person_id: why.value for one, why in zip(certificates, reasons, strict=True) if why is not None}

    async def _look(self, one: Wanting, last: Look) -> NotCopied | None:
        now = self._database.clock()
        now_us = to_microseconds(now)
        if last.is_revoked or last.is_from(now_us, LOOK_AGAIN_US):
            return NotCopied.REVOKED if last.is_revoked else None
        try:
            is_revoked = await self._checker.is_revoked(one.key, now)
        except Unavailable:
            return None if last.is_from(now_us, LOOK_COUNTS_US) else NotCopied.NOT_LOOKED_UP
        if await self._database.run(enter_look_at, one, self._tells, is_revoked=is_revoked):
            self._wake_notifier()
        return NotCopied.REVOKED if is_revoked else None


def parcelling_at(
    settings: Settings,
    desk: KeyDesk | None,
    database: Database,
    programmes: Mapping[str, Programme],
    wake_notifier: Callable[[], None],
) -> Parcelling | None:
    """Return what makes full copies at a site by keys that its `desk` judges. Raises ConfigError."""
    if desk is None:
        return None
    tells = frozenset(key for key, one in programmes.items() if NoticeKind.ACCOUNT_CHANGED in one.notices)
    return parcelling_of(settings, Revocation(database, desk.checker, tells, wake_notifier).refused)
