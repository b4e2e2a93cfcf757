"""What keeps the vault tidy, once an hour: files of blobs that no row names, and answers to repeats that are over.

A file is deleted only when it is older than 48 hours and unknown to the rows: a row is written soon after its blob, or
never. A pack is a file, too: it goes when no row names any blob in it. A repeat of a submission gets the first answer
for 7 days.
"""

from __future__ import annotations

import asyncio
from itertools import islice

from sqlalchemy import Connection, delete, select

from gateway import maillog
from gateway.domain.errors import Unavailable
from gateway.failpoints import failpoint
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.packs import OFFSET_DIGITS
from gateway.store.tables import repeat, segment
from gateway.store.transaction import Transaction

EVERY_SECONDS = 3600.0
REPEAT_US = 7 * 24 * 3600 * 1_000_000
_BATCH = 500


async def keep_tidy(database: Database, blobs: BlobFolder, *, every: float = EVERY_SECONDS) -> None:
    """Sweep and purge now and then every so many seconds, until cancelled. A store that is away is tried next time."""
    while True:
        try:
            await database.run(purge_repeats)
            await asyncio.to_thread(sweep, database, blobs)
        except (Unavailable, OSError) as problem:
            maillog.incident("maintenance", problem)
        await asyncio.sleep(every)


def sweep(database: Database, blobs: BlobFolder) -> int:
    """Delete files that are 48 hours old and that no row names, and unfinished ones; return how many."""
    failpoint("sweep")
    names = blobs.names()
    swept = 0
    now = database.clock().timestamp()
    while batch := list(islice(names, _BATCH)):
        known = database.read_now(_known, batch)
        swept += blobs.sweep([name for name in batch if name not in known], now)
    swept += blobs.sweep((), now)
    maillog.swept(swept)
    return swept


def purge_repeats(tx: Transaction) -> int:
    """Forget the answers to repeats that are older than 7 days; return how many."""
    return tx.execute(delete(repeat).where(repeat.c.at_us < tx.now_us - REPEAT_US))


def _known(connection: Connection, names: list[str]) -> set[str]:
    """Return the files that rows name: by a blob that has one to itself, or by any that stands in it."""
    blob = segment.c.blob
    known = {name for name in connection.execute(select(blob).where(blob.in_(names))).scalars() if name is not None}
    return known | {name for name in names if name not in known and _is_named_pack(connection, name)}


def _is_named_pack(connection: Connection, name: str) -> bool:
    inside = segment.c.blob.between(f"{name}{'0' * OFFSET_DIGITS}", f"{name}{'f' * OFFSET_DIGITS}")
    return connection.execute(select(segment.c.id).where(inside).limit(1)).first() is not None
