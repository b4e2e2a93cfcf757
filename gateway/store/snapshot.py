"""Consistent copies of a database in use, and back: SQLite by itself, PostgreSQL by `pg_dump` and `pg_restore`."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, make_url, select

from gateway.domain.errors import ConfigError, StoreUnavailable, Tampered
from gateway.store.blobs import NamedBlob
from gateway.store.sealing import sealed_length
from gateway.store.tables import segment


def named_blobs(connection: Connection) -> Iterator[NamedBlob]:
    """Yield each blob that a row names, those of one pack together."""
    columns = (segment.c.blob, segment.c.octets, segment.c.ciphertext_sha256)
    rows = connection.execute(select(*columns).where(segment.c.blob.is_not(None)).order_by(segment.c.blob))
    yield from (NamedBlob(row.blob, sealed_length(row.octets), row.ciphertext_sha256) for row in rows)


def snapshot_sqlite(source: Path, target: Path) -> None:
    """Copy the database at `source` into the empty file `target`. Raises ConfigError or StoreUnavailable."""
    if not source.is_file():
        raise ConfigError(f"There is no database {source}. gateway init makes it.")
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        raise StoreUnavailable("The database could not be copied. Is it whole, and is there room?") from None
    with target.open("rb") as file:
        os.fsync(file.fileno())


def check_sqlite(path: Path) -> None:
    """Raise Tampered when an SQLite database is not whole."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            whole = whole and connection.execute("PRAGMA foreign_key_check").fetchone() is None
    except sqlite3.Error:
        whole = False
    if not whole:
        raise Tampered(f"{path} is not a whole database. Use another backup.")


def dump_postgres(url: str, target: Path) -> None:
    """Copy a PostgreSQL database into the empty file `target`. Raises ConfigError or StoreUnavailable."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", f"--dbname={_plain(url)}")


def load_postgres(source: Path, url: str) -> None:
    """Put what `dump_postgres` made into an empty database. Raises ConfigError or StoreUnavailable."""
    _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={_plain(url)}", str(source))


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise ConfigError(f"{program} is not installed, and PostgreSQL's databases need it. Install postgresql-client.")
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise StoreUnavailable(f"{program} failed. Is the database there, and may this user use it?")


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
