"""Gives each leaf of the record its position, consecutive and never twice, within a second of its writing."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import Connection, bindparam, func, select, text

from gateway import maillog
from gateway.domain.errors import GatewayError
from gateway.failpoints import failpoint
from gateway.store.database import Database
from gateway.store.tables import leaf
from gateway.store.transaction import Transaction

INTERVAL_SECONDS = 1.0
MAX_LEAVES = 1_000
_LOCK = 0x676174657761  # any number, the same in every keyholder: the advisory lock of this step
_UNPOSITIONED = select(leaf.c.id).where(leaf.c.position.is_(None)).order_by(leaf.c.id)
_GIVE = leaf.update().where(leaf.c.id == bindparam("leaf_id")).values(position=bindparam("place"))


async def keep_positions(database: Database, woken: asyncio.Event, stop: asyncio.Event) -> None:
    """Position leaves each second, and at once when `woken`, until `stop`."""
    while not stop.is_set():
        woken.clear()
        try:
            while await database.read(_has_unpositioned) and await database.run(position_leaves) == MAX_LEAVES:
                pass
        except GatewayError as problem:
            maillog.incident("positions", problem)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), INTERVAL_SECONDS)


def position_leaves(tx: Transaction) -> int:
    """Give positions to up to MAX_LEAVES leaves in the order of their ids; return to how many."""
    if tx.connection.dialect.name == "postgresql":
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    last = tx.one(select(func.coalesce(func.max(leaf.c.position), -1)))
    first = 0 if last is None else last[0] + 1
    rows = tx.all(_UNPOSITIONED.limit(MAX_LEAVES))
    failpoint("keyholder.position")
    if rows:
        tx.connection.execute(_GIVE, [{"leaf_id": row.id, "place": first + n} for n, row in enumerate(rows)])
    return len(rows)


def _has_unpositioned(connection: Connection) -> bool:
    return connection.execute(_UNPOSITIONED.limit(1)).first() is not None
