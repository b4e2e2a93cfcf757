"""The keyholder's own store: wrapped private keys, and the lowest version each signed row may have.

Only the keyholder opens it, and its backups are kept apart from the vault's: a key deleted here is gone when the last
backup that holds it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, make_url, select
from sqlalchemy.exc import DBAPIError

from gateway.clock import system_clock
from gateway.domain.clock import Clock
from gateway.store.database import Database
from gateway.store.engines import open_engine
from gateway.store.failures import store_error
from gateway.store.transaction import Transaction

METADATA = MetaData()

private_key = Table(
    "private_key",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

floor = Table(
    "floor",
    METADATA,
    Column("table_name", String(64), primary_key=True),
    Column("row_id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)


def private_context(key_id: str) -> str:
    """Return what a wrapped private key is bound to."""
    return f"private key {key_id}"


class KeyStore:
    """Wrapped private keys by id, and `floors`. The tables are made when they are absent."""

    def __init__(self, url: str, *, clock: Clock = system_clock) -> None:
        """Open the store. Raises StoreUnavailable when it is away."""
        _keep_private(url)
        engine = open_engine(url)
        try:
            METADATA.create_all(engine)
        except DBAPIError as problem:
            raise store_error(problem) from problem
        finally:
            engine.dispose()
        self.database = Database(url, clock=clock, has_rights=False)
        self.floors = KeptFloors(self.database)

    def add(self, key_id: str, wrapped: bytes) -> None:
        """Make a wrapped private key durable."""
        self.database.call(_add, key_id, wrapped)

    def wrapped(self, key_ids: Iterable[str]) -> dict[str, bytes]:
        """Return the wrapped private keys that there are, by id."""
        wanted = select(private_key.c.id, private_key.c.wrapped).where(private_key.c.id.in_(list(key_ids)))
        rows = self.database.read_now(lambda connection: connection.execute(wanted).all())
        return {row.id: bytes(row.wrapped) for row in rows}

    def remove(self, key_ids: Iterable[str]) -> int:
        """Delete wrapped private keys for good: what is sealed to them opens no more. Return how many there were."""
        return self.database.call(_remove, list(key_ids))

    def close(self) -> None:
        """Finish what waits and close."""
        self.database.close()


class KeptFloors:
    """`gateway.store.authority.Floors` in memory and on disk. Rows of version 1 need no floor and have none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        rows = database.read_now(lambda connection: connection.execute(select(floor)).all())
        self._versions = {(row.table_name, row.row_id): int(row.version) for row in rows}

    def accept(self, table: str, row_id: str, version: int) -> bool:
        """Tell whether a genuine row is not older than one seen; a newer one is remembered."""
        if version < self.lowest(table, row_id):
            return False
        self.raise_to(table, row_id, version)
        return True

    def lowest(self, table: str, row_id: str) -> int:
        """Return the lowest version the row may have."""
        return self._versions.get((table, row_id), 1)

    def raise_to(self, table: str, row_id: str, version: int) -> Future[None] | None:
        """Remember a version; older ones count for nothing from here on. The future is done when that is durable."""
        with self._lock:
            if version <= self.lowest(table, row_id):
                return None
            self._versions[table, row_id] = version
        return self._database.submit(_raise, table, row_id, version)


def _add(tx: Transaction, key_id: str, wrapped: bytes) -> None:
    tx.execute(private_key.insert(), {"id": key_id, "wrapped": wrapped, "created_us": tx.now_us})


def _remove(tx: Transaction, key_ids: list[str]) -> int:
    return tx.execute(private_key.delete().where(private_key.c.id.in_(key_ids)))


def _raise(tx: Transaction, table: str, row_id: str, version: int) -> None:
    known = (floor.c.table_name == table) & (floor.c.row_id == row_id)
    if tx.one(select(floor.c.version).where(known)) is None:
        tx.execute(floor.insert(), {"table_name": table, "row_id": row_id, "version": version})
    else:
        tx.execute(floor.update().where(known, floor.c.version < version).values(version=version))


def _keep_private(url: str) -> None:
    """Make an SQLite file readable by its owner alone; its journals take the mode of the file."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and address.database:
        path = Path(address.database)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
