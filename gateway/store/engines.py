"""Engines for SQLite (the embedded default) and PostgreSQL, set so that a commit is on disk when it returns."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from gateway.store import statements
from gateway.store.privileges import authorizer

BUSY_SECONDS = 30

# SQLite takes None and bytes as they are. The driver looks for a way to adapt them all the same, and makes an exception
# each time to find that there is none, which takes longer than to write the value.
sqlite3.register_adapter(type(None), lambda value: value)
sqlite3.register_adapter(bytes, bytes)


def open_engine(url: str, *, read_only: bool = False, program: str | None = None) -> Engine:
    """Return an engine for `url` (`sqlite:////path` or `postgresql+psycopg://…`).

    On SQLite the connections of a `program` do only what `gateway.store.privileges` gives it; on PostgreSQL its role
    does.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(url, read_only=read_only, program=program)
    return _postgresql(url, read_only=read_only)


class GroupLock:
    """A blocking `flock` beside an SQLite file: writers of several processes queue in the kernel. Nothing elsewhere."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        has_file = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
        self._path = f"{address.database}.lock" if has_file else None
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        if self._path is None:
            return
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _postgresql(url: str, *, read_only: bool) -> Engine:
    """A reader sees one snapshot; a commit is flushed whatever the server's default; a dead server is noticed."""
    mode = "default_transaction_read_only=on" if read_only else "synchronous_commit=on"
    return create_engine(
        url,
        pool_size=8,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        connect_args={
            "options": f"-c {mode} -c lock_timeout={BUSY_SECONDS}s",
            "connect_timeout": 5,
            "tcp_user_timeout": BUSY_SECONDS * 1000,
        },
    )


def _sqlite(url: str, *, read_only: bool, program: str | None) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "mmap_size=0"):
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()
        if program is not None:
            connection.set_authorizer(authorizer(program))

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statements.execute(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
