"""What happens to callers when the store fails, and that it recovers by itself."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, func, select

from gateway.domain.errors import StoreFull, StoreUnavailable
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.segments import PACKED_OCTETS, SegmentWriter
from gateway.store.tables import site
from gateway.store.transaction import Transaction
from tests.postgres import Postgres
from tests.small_disk import fill, small_disk

LARGE = "x" * 300_000


def keep(tx: Transaction, name: str, value: str = "") -> None:
    tx.insert(site, name=name, value=value)


def names(connection: Connection) -> set[str]:
    return set(connection.execute(select(site.c.name)).scalars())


def limit_pages(tx: Transaction, more: int) -> None:
    """Let the file grow by so many pages only, as far as this connection goes."""
    pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")


async def test_a_full_database_fails_the_group_and_still_reads_and_recovers(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    database = Database(sqlite_url)
    await database.run(keep, "before")
    await database.run(limit_pages, 10)
    held, free = threading.Event(), threading.Event()
    database.submit(lambda _tx: (held.set(), free.wait(30)))
    assert held.wait(30)
    group = [database.submit(keep, "small"), database.submit(keep, "large", LARGE), database.submit(keep, "after")]
    free.set()
    for future in group:
        assert isinstance(future.exception(30), StoreFull)
    assert await database.read(names) == {"before"}
    assert database.is_writing
    await database.run(limit_pages, 1_000_000)
    await database.run(keep, "large", LARGE)
    assert await database.read(names) == {"before", "large"}
    database.close()


async def test_a_full_disk_under_the_database_fails_the_group_and_still_reads_and_recovers(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        url = f"sqlite:///{disk}/gateway.db"
        upgrade(url)
        database = Database(url)
        await database.run(keep, "before")
        filler = fill(disk, leave=64 * 1024)
        with pytest.raises(StoreFull):
            await database.run(keep, "large", LARGE)
        assert await database.read(names) == {"before"}
        another = Database(url)  # a program that starts on the full disk reads, too
        assert await another.read(names) == {"before"}
        another.close()
        filler.unlink()
        await database.run(keep, "large", LARGE)
        assert await database.read(names) == {"before", "large"}
        database.close()


async def test_a_full_disk_under_the_blobs_is_told_as_such_and_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        blobs = BlobFolder(disk / "blobs", reserve_octets=0)
        kept = SegmentWriter(blobs)
        kept.write(b"k" * 1_100_000)
        sealed = kept.finish()
        filler = fill(disk, leave=300_000)
        writer = SegmentWriter(blobs)
        with pytest.raises(StoreFull):
            for _ in range(100):
                writer.write(b"x" * 65_536)
        with pytest.raises(StoreUnavailable):
            writer.write(b"x")
        with pytest.raises(StoreUnavailable):
            writer.finish()
        assert list(blobs.names()) == [sealed.blob]
        assert list((disk / "blobs" / "tmp").iterdir()) == []
        assert len(blobs.read(str(sealed.blob), 0, 1000)) == 1000
        filler.unlink()
        again = SegmentWriter(blobs)
        again.write(b"x" * 1_100_000)
        assert again.finish().blob in set(blobs.names())


async def test_a_full_disk_under_a_pack_is_told_as_such_and_the_pack_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        blobs = BlobFolder(disk / "blobs", reserve_octets=0)
        first = packed(blobs, b"k")
        filler = fill(disk, leave=300_000)
        for _ in range(2):
            with pytest.raises(StoreFull):
                packed(blobs, b"x")
        filler.unlink()
        second = packed(blobs, b"s")
        assert first[:32] == second[:32]
        assert len(blobs.read(first, 0, 500_000)) == len(blobs.read(second, 0, 500_000)) == 500_000


def packed(blobs: BlobFolder, octet: bytes) -> str:
    writer = SegmentWriter(blobs)
    writer.write(octet * 500_000)
    return str(writer.finish().blob)


async def test_blobs_leave_a_reserve_for_the_database(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        blobs = BlobFolder(disk / "blobs", reserve_octets=4 * 1024 * 1024)
        blobs.create("0" * 32).abandon()
        fill(disk, leave=3 * 1024 * 1024)
        with pytest.raises(StoreFull):
            blobs.create("1" * 32)
        writer = SegmentWriter(blobs)
        writer.write(b"x" * PACKED_OCTETS)  # still held
        with pytest.raises(StoreFull):
            writer.write(b"x")
        writer = SegmentWriter(blobs)
        writer.write(b"x" * 131_072)
        with pytest.raises(StoreFull):
            writer.finish()


async def test_a_blob_that_grows_stops_at_the_reserve_and_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        blobs = BlobFolder(disk / "blobs", reserve_octets=8 * 1024 * 1024)
        writer = blobs.create("0" * 32)
        with pytest.raises(StoreFull):
            for _ in range(24):
                writer.write(b"x" * 1024 * 1024)
        assert shutil.disk_usage(disk).free > 8 * 1024 * 1024
        assert list((disk / "blobs" / "tmp").iterdir()) == []


async def test_a_lost_connection_before_a_group_is_made_again(postgres: Postgres, postgres_url: str) -> None:
    upgrade(postgres_url)
    database = Database(postgres_url)
    await database.run(keep, "before")
    postgres.break_connections(_name(postgres_url))
    await database.run(keep, "after")
    assert await database.read(names) == {"before", "after"}
    database.close()


async def test_a_connection_lost_within_a_group_fails_all_of_it(postgres: Postgres, postgres_url: str) -> None:
    upgrade(postgres_url)
    database = Database(postgres_url)

    def lose(_tx: Transaction) -> None:
        postgres.break_connections(_name(postgres_url))

    held, free = threading.Event(), threading.Event()
    database.submit(lambda _tx: (held.set(), free.wait(30)))
    assert held.wait(30)
    group = [database.submit(keep, "first"), database.submit(lose), database.submit(keep, "last")]
    free.set()
    for future in group:
        assert isinstance(future.exception(30), StoreUnavailable)
    await database.run(keep, "after")
    assert await database.read(names) == {"after"}
    database.close()


async def test_a_server_that_is_down_is_unavailable_until_it_is_back(postgres: Postgres, postgres_url: str) -> None:
    upgrade(postgres_url)
    database = Database(postgres_url)
    await database.run(keep, "before")
    postgres.stop()
    try:
        outcomes = await asyncio.gather(*(database.run(keep, f"n{n}") for n in range(5)), return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        with pytest.raises(StoreUnavailable):
            await database.read(names)
        assert database.is_writing
    finally:
        postgres.start()
    await database.run(keep, "after")
    assert await database.read(names) == {"before", "after"}
    database.close()


async def test_a_lock_that_another_holds_too_long_is_unavailable(postgres: Postgres, postgres_url: str) -> None:
    upgrade(postgres_url)
    database = Database(postgres_url)
    await database.run(keep, "row")

    def wait_briefly(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
        tx.execute(site.update().values(value="mine"))

    with psycopg.connect(dbname=_name(postgres_url), user="postgres", host=str(postgres.folder)) as other:
        other.execute("UPDATE site SET value = 'theirs'")
        with pytest.raises(StoreUnavailable):
            await database.run(wait_briefly)
    await database.run(keep, "after")
    database.close()


WRITER = """
import sys
from gateway.store.database import Database
from gateway.store.tables import site
url, prefix = sys.argv[1:]
database = Database(url)
waiting = [database.submit(lambda tx, n=n: tx.insert(site, name=f"{prefix}{n}", value="")) for n in range(300)]
for future in waiting:
    future.result()
for n in range(50):
    database.call(lambda tx: tx.insert(site, name=f"{prefix} alone {n}", value=""))
database.close()
"""


def test_several_processes_write_one_database(store_url: str) -> None:
    children = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", WRITER, store_url, prefix]) for prefix in ("a", "b", "c")
    ]
    assert [child.wait(110) for child in children] == [0, 0, 0]
    database = Database(store_url)
    assert database.read_now(lambda c: c.execute(select(func.count()).select_from(site)).scalar_one()) == 3 * 350
    database.close()


def test_several_processes_may_open_a_new_sqlite_file_at_once(sqlite_url: str) -> None:
    script = "import sys; from gateway.store.migrations import upgrade; upgrade(sys.argv[1])\n" + WRITER
    children = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", script, sqlite_url, prefix]) for prefix in ("a", "b")
    ]
    assert [child.wait(110) for child in children] == [0, 0]


def test_a_killed_process_leaves_no_lock_behind(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    script = WRITER.replace(
        "waiting = [", "import time; database.call(lambda tx: (print(1, flush=True), time.sleep(60)))\n["
    )
    child = subprocess.Popen([sys.executable, "-c", script, sqlite_url, "a"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"1\n"
        child.kill()
        child.wait(30)
    database = Database(sqlite_url)
    database.call(keep, "after")
    assert database.read_now(names) == {"after"}
    database.close()


def test_a_disk_that_gives_errors_is_unavailable(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    name = "a" * 32
    (tmp_path / "blobs" / "aa").mkdir()
    (tmp_path / "blobs" / "aa" / name).mkdir()  # reading a folder gives EISDIR
    with pytest.raises(StoreUnavailable):
        blobs.read(name, 0, 1)
    (tmp_path / "blobs" / "tmp").rmdir()
    with pytest.raises(StoreUnavailable):
        blobs.create(name)


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]
