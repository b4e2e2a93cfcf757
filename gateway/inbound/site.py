"""What a site says of its mail doors: what authors are told, the tray, reports, who is asked for a domain, what is
allowed and discarded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from gateway.clock import system_clock
from gateway.config import Clean, MxSettings, Position, Settings, Tainted
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.domain.return_path import ReturnPaths
from gateway.inbound.allowance import Allowance
from gateway.inbound.asking import Asking
from gateway.inbound.discarding import Discards
from gateway.inbound.hops import Hops
from gateway.inbound.mx import OutsideDoor, SenderHashes
from gateway.inbound.reports import BOUNCES, Reports
from gateway.inbound.senders import SenderCheck, resolver_of
from gateway.inbound.tray import IntakeTray
from gateway.screening.pool import Pool
from gateway.store import keyfiles
from gateway.store.blobs import BlobFolder
from gateway.store.confirmations import asked_key
from gateway.store.database import Database
from gateway.wake import notify


@asynccontextmanager
async def outside_door(
    settings: Settings, own: MxSettings, database: Database, blobs: BlobFolder, pool: Pool
) -> AsyncIterator[OutsideDoor]:
    """Build the door of the program mx, and close at the end what it opened. Raises ConfigError for a key's file."""
    site, screening = settings.site, settings.screening
    is_first = own.position is Position.FIRST_HOP
    async with AsyncExitStack() as stack:
        senders = SenderCheck(
            host=own.hostname,
            clock=system_clock,
            resolver=resolver_of(own.nameservers),
            authserv_ids=frozenset(own.authserv_ids),
            knows_origins=own.position is not Position.BEHIND_RELAY,
        )
        stack.callback(senders.close)
        allowance = None
        if screening.allowed_senders:
            allowance = Allowance(frozenset(screening.allowed_senders), screening.allowed_kinds)
        discards = None
        if own.tainted is Tainted.DISCARD:
            discards = Discards(database, own.operators, partial(notify, site.run, "notifier"))
            stack.push_async_callback(discards.close)
        yield OutsideDoor(
            database=database,
            pool=pool,
            domain=site.domain,
            employee_domains=frozenset(site.employee_domains),
            portal_url=site.portal_url,
            hashes=SenderHashes(system_clock),
            tray=tray_of(settings, database, blobs),
            takes_clean=own.clean is Clean.TRAY,
            senders=senders,
            discards=discards,
            allowance=allowance,
            reports=reports_of(settings, database),
            hops=Hops((site.domain, *site.employee_domains), own.hostname) if is_first else None,
        )


def reports_of(settings: Settings, database: Database) -> Reports:
    """Return where the mail doors bring what is reported of notifications. Raises ConfigError for a key's file."""
    paths = ReturnPaths(settings.site.domain, keyfiles.return_path_key(settings.keys.folder))
    return Reports(database, paths, partial(notify, settings.site.run, BOUNCES))


def asking_of(settings: Settings, programmes: Iterable[Programme]) -> Asking:
    """Return what the submission door knows of telling authors. Raises ConfigError for a key's file."""
    key = asked_key(keyfiles.return_path_key(settings.keys.folder))
    confirming = frozenset(one.key for one in programmes if NoticeKind.CONFIRMATION in one.notices)
    guarded = frozenset(one.key for one in programmes if settings.guard and NoticeKind.GUARD_WAITS in one.notices)
    return Asking(key, confirming, settings.submission.release_delay_minutes, guarded)


def drafts_of(settings: Settings, programmes: Iterable[Programme]) -> dict[str, int]:
    """Return for how long drafts wait, in microseconds, of each programme that tells authors of them."""
    keep_us = timedelta(days=settings.submission.draft_days) // timedelta(microseconds=1)
    return {one.key: keep_us for one in programmes if NoticeKind.CASE_TO_CHOOSE in one.notices}


def tray_of(settings: Settings, database: Database, blobs: BlobFolder) -> IntakeTray:
    """Return where clean mail from outside is put. Raises ConfigError for a key's file."""
    keys = settings.keys.folder
    return IntakeTray(
        database=database,
        blobs=blobs,
        authority=keyfiles.authority_public(keys),
        domain=settings.site.domain,
        deposit_key=keyfiles.deposit_key(keys),
    )
