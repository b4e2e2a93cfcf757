"""The writer's promises, the same over SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, event, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import NotAllowed, StoreUnavailable
from gateway.store.database import Database
from gateway.store.tables import leaf, person, role, site
from gateway.store.transaction import Transaction


def keep(tx: Transaction, name: str, value: str = "") -> str:
    tx.insert(site, name=name, value=value)
    return tx.record("kept", "test", name=name)


def names(connection: Connection) -> set[str]:
    return set(connection.execute(select(site.c.name)).scalars())


@contextmanager
def held_writer(database: Database) -> Iterator[None]:
    """Keep the writer busy, so that what is submitted meanwhile becomes one group."""
    busy, free = threading.Event(), threading.Event()

    def wait(_tx: Transaction) -> None:
        busy.set()
        free.wait(30)

    holding = database.submit(wait)
    assert busy.wait(30)
    try:
        yield
    finally:
        free.set()
    holding.result(30)


@contextmanager
def counted_commits(database: Database) -> Iterator[list[int]]:
    commits: list[int] = []
    note: Callable[[Connection], None] = lambda _connection: commits.append(1)
    event.listen(database._engine, "commit", note)
    yield commits
    event.remove(database._engine, "commit", note)


async def test_a_verb_returns_what_it_returns_and_its_rows_are_there(database: Database) -> None:
    entry = await database.run(keep, "one", value="1")
    rows = await database.read(lambda connection: connection.execute(select(site)).all())
    assert [tuple(row) for row in rows] == [("one", "1")]
    assert await database.read(lambda connection: connection.execute(select(leaf.c.id)).scalar_one()) == entry


async def test_verbs_that_wait_together_share_one_commit(database: Database) -> None:
    with counted_commits(database) as commits:
        with held_writer(database):
            waiting = [database.submit(keep, f"n{number}") for number in range(100)]
        for future in waiting:
            future.result(30)
    assert len(commits) == 2  # the holder's and the group's
    assert len(await database.read(names)) == 100


async def test_a_verb_that_raises_rolls_back_alone(database: Database) -> None:
    def broken(tx: Transaction, problem: Exception) -> None:
        keep(tx, f"broken {type(problem).__name__}")
        tx.flush()
        raise problem

    problems = [NotAllowed("no"), ValueError("no"), OSError(5, "no"), StoreUnavailable("no")]
    with held_writer(database):
        good = [database.submit(keep, f"good {number}") for number in range(3)]
        bad = [database.submit(broken, problem) for problem in problems]
        late = database.submit(keep, "late")
    for future, problem in zip(bad, problems, strict=True):
        assert future.exception(30) is problem
    for future in (*good, late):
        future.result(30)
    assert await database.read(names) == {"good 0", "good 1", "good 2", "late"}


async def test_a_broken_constraint_rolls_back_its_verb_alone(database: Database) -> None:
    with held_writer(database):
        first = database.submit(keep, "same")
        second = database.submit(keep, "same")
        third = database.submit(keep, "other")
    first.result(30)
    assert isinstance(second.exception(30), IntegrityError)
    third.result(30)
    assert await database.read(names) == {"same", "other"}
    assert (
        await database.read(lambda connection: connection.execute(select(func.count()).select_from(leaf)).scalar()) == 2
    )


async def test_a_row_that_refers_to_nothing_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await database.run(
            lambda tx: tx.execute(
                insert(role).values(id="r", person_id="nobody", role="employee", from_us=0, version=1, signature=b"")
            )
        )


async def test_a_wrong_statement_fails_its_verb_alone(database: Database) -> None:
    def wrong(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("SELECT * FROM no_such_table")

    with held_writer(database):
        bad = database.submit(wrong)
        good = database.submit(keep, "good")
    assert bad.exception(30) is not None
    assert not isinstance(bad.exception(30), StoreUnavailable)
    good.result(30)


async def test_a_value_the_driver_does_not_take_fails_its_verb_alone(database: Database) -> None:
    with held_writer(database):
        bad = database.submit(keep, "bad", object())  # type: ignore[arg-type]
        good = database.submit(keep, "good")
    assert bad.exception(30) is not None
    good.result(30)
    assert await database.read(names) == {"good"}


async def test_a_cancelled_caller_does_not_undo_its_verb(database: Database) -> None:
    with held_writer(database):
        caller = asyncio.create_task(database.run(keep, "kept"))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    await database.run(keep, "after")
    assert await database.read(names) == {"kept", "after"}


async def test_a_caller_that_has_gone_leaves_no_noise_when_its_verb_fails(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_tx: Transaction) -> None:
        raise ValueError("no")

    with held_writer(database):
        caller = asyncio.create_task(database.run(broken))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    await database.run(keep, "after")
    gc.collect()
    assert caplog.records == []


async def test_a_dead_writer_fails_waiting_and_later_calls_at_once(database: Database) -> None:
    def die(_tx: Transaction) -> None:
        raise SystemExit

    with held_writer(database):
        before = database.submit(keep, "before")
        killer = database.submit(die)
        waiting = [database.submit(keep, f"n{number}") for number in range(600)]  # more than one group
    for future in (before, killer, *waiting):
        assert isinstance(future.exception(30), StoreUnavailable)
    assert not database.is_writing
    with pytest.raises(StoreUnavailable):
        await database.run(keep, "later")
    assert await database.read(names) == set()


async def test_the_program_is_told_when_its_writer_dies(store_url: str) -> None:
    told = threading.Event()
    database = Database(store_url, on_death=told.set)

    def die(_tx: Transaction) -> None:
        raise SystemExit

    with pytest.raises(StoreUnavailable):
        await database.run(die)
    assert told.wait(30)
    database.close()


async def test_closing_is_no_death(store_url: str) -> None:
    told = threading.Event()
    database = Database(store_url, on_death=told.set)
    await database.run(keep, "one")
    database.close()
    assert not told.is_set()
    with pytest.raises(StoreUnavailable):
        await database.run(keep, "late")


async def test_closing_finishes_what_waits(store_url: str) -> None:
    database = Database(store_url)
    with held_writer(database):
        waiting = [database.submit(keep, f"n{number}") for number in range(600)]
        closing = asyncio.get_running_loop().run_in_executor(None, database.close)
    await closing
    for future in waiting:
        future.result(30)


async def test_closing_in_the_turn_of_a_call_does_what_was_asked_for(store_url: str) -> None:
    database = Database(store_url)
    asked = asyncio.ensure_future(database.run(keep, "one"))
    await asyncio.sleep(0)
    database.close()
    await asked
    database = Database(store_url)
    assert await database.read(names) == {"one"}
    database.close()


async def test_what_is_asked_for_in_one_turn_is_one_group(database: Database) -> None:
    with counted_commits(database) as commits:
        await asyncio.gather(*(database.run(keep, f"{number}") for number in range(20)))
    assert len(commits) == 1


async def test_a_group_of_prepared_verbs_waits_for_those_who_came_with_them_before(store_url: str) -> None:
    database = Database(store_url, return_seconds=30)
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def prepare(number: int) -> str:
        loop.call_soon_threadsafe(begun.set)
        return f"{number}"

    async def prepared(number: int) -> None:
        await database.run_prepared(lambda: prepare(number), keep)

    with counted_commits(database) as commits:
        await asyncio.gather(*(prepared(number) for number in range(3)))
        begun.clear()
        first = asyncio.create_task(prepared(3))
        await begun.wait()
        await asyncio.gather(first, *(prepared(number) for number in (4, 5)))
    assert len(commits) == 2
    database.close()


async def test_a_group_does_not_wait_long_for_who_does_not_come_again(store_url: str) -> None:
    database = Database(store_url, return_seconds=0.01)
    await asyncio.gather(*(database.run_prepared(lambda: "a", lambda *_: None) for _ in range(3)))
    await database.run_prepared(lambda: "b", keep)
    assert "b" in await database.read(names)
    database.close()


async def test_readers_see_only_what_is_committed(database: Database) -> None:
    await database.run(keep, "committed")
    written, free = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        keep(tx, "uncommitted")
        tx.flush()
        written.set()
        free.wait(30)

    running = database.submit(slow)
    assert written.wait(30)
    assert await database.read(names) == {"committed"}
    free.set()
    running.result(30)
    assert await database.read(names) == {"committed", "uncommitted"}


async def test_a_reader_sees_one_state_of_the_store_throughout(database: Database) -> None:
    started, written = threading.Event(), threading.Event()

    def twice(connection: Connection) -> tuple[set[str], set[str]]:
        first = names(connection)
        started.set()
        written.wait(30)
        return first, names(connection)

    reading = asyncio.create_task(database.read(twice))
    await asyncio.to_thread(started.wait, 30)
    await database.run(keep, "new")
    written.set()
    assert await reading == (set(), set())
    assert await database.read(names) == {"new"}


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await database.read(lambda connection: connection.execute(insert(site).values(name="x", value="")))
    assert "read" in str(refused.value.__cause__)
    assert await database.read(names) == set()


async def test_an_entry_and_its_rows_are_one(database: Database) -> None:
    def refuse(tx: Transaction) -> None:
        keep(tx, "refused")
        tx.flush()
        raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        await database.run(refuse)
    await database.run(keep, "kept")
    bodies = await database.read(lambda connection: connection.execute(select(leaf.c.body)).scalars().all())
    assert len(bodies) == 1
    assert '"name":"kept"' in bodies[0]


async def test_a_leaf_is_written_in_the_transaction_of_its_verb(database: Database) -> None:
    def look(tx: Transaction) -> int:
        keep(tx, "one")
        return len(tx.all(select(leaf)))

    assert await database.run(look) == 1


async def test_a_new_leaf_has_no_position(database: Database) -> None:
    await database.run(keep, "one")
    assert await database.read(lambda c: c.execute(select(leaf.c.position)).scalar_one()) is None


async def test_a_verb_is_given_the_instant_of_its_clock(store_url: str) -> None:
    database = Database(store_url, clock=lambda: datetime(2030, 1, 2, tzinfo=UTC))
    assert await database.run(lambda tx: tx.now_us) == 1_893_542_400_000_000
    database.close()


async def test_collected_rows_are_written_before_a_statement_that_needs_them(database: Database) -> None:
    def verb(tx: Transaction) -> tuple[int, int]:
        tx.insert(site, name="a", value="1")
        tx.insert(site, name="b", value="1")
        changed = tx.execute(site.update().values(value="2"))
        row = tx.one(select(site).where(site.c.name == "b"))
        assert row is not None
        return changed, int(row.value)

    assert await database.run(verb) == (2, 2)


async def test_collected_rows_are_written_in_the_order_of_their_references(database: Database) -> None:
    def verb(tx: Transaction) -> None:
        tx.insert(role, id="r", person_id="p", role="employee", from_us=0, until_us=None, version=1, signature=b"\x00")
        tx.insert(person, id="p", programme="cwa", side="office", name="A", created_us=0)

    await database.run(verb)


async def test_rows_of_one_table_may_leave_out_columns_that_have_defaults(database: Database) -> None:
    def verb(tx: Transaction) -> None:
        tx.insert(person, id="1", programme="cwa", side="office", name="A", created_us=0)
        tx.insert(person, id="2", programme="cwa", side="office", name="B", created_us=0, language="es", ended_us=7)
        tx.insert(person, id="3", programme="cwa", side="office", name="C", created_us=0)

    await database.run(verb)
    statement = select(person.c.id, person.c.language, person.c.ended_us).order_by(person.c.id)
    rows = await database.read(lambda connection: connection.execute(statement).all())
    assert [tuple(row) for row in rows] == [("1", "en", None), ("2", "es", 7), ("3", "en", None)]


async def test_any_octets_and_any_letters_come_back_as_they_were(database: Database) -> None:
    octets, text = bytes(range(256)) * 3, "Ünï \U0001f600 '\"%s:%(x)s ?\\ \r\n"

    def verb(tx: Transaction) -> None:
        tx.insert(person, id="p", programme="cwa", side="office", name=text, created_us=2**62)
        tx.insert(role, id="r", person_id="p", role="x", from_us=0, until_us=None, version=1, signature=octets)

    await database.run(verb)
    row = await database.read(lambda connection: connection.execute(select(person)).one())
    assert (row.name, row.created_us) == (text, 2**62)
    assert bytes(await database.read(lambda c: c.execute(select(role.c.signature)).scalar_one())) == octets


async def test_what_the_store_cannot_do_fails_the_whole_group(database: Database) -> None:
    """A verb that loses its connection takes the group with it: nobody is told that anything was kept."""

    def lose(tx: Transaction) -> None:
        driver = tx.connection.connection.driver_connection
        assert driver is not None
        driver.close()
        tx.connection.exec_driver_sql("SELECT 1")

    with held_writer(database):
        first = database.submit(keep, "first")
        bad = database.submit(lose)
        last = database.submit(keep, "last")
    for future in (first, bad, last):
        assert isinstance(future.exception(30), StoreUnavailable), future.exception()
    await database.run(keep, "after")
    assert await database.read(names) == {"after"}


def test_a_store_that_cannot_be_opened_is_unavailable(tmp_path: object) -> None:
    for url in (f"sqlite:///{tmp_path}/absent/gateway.db", f"postgresql+psycopg://a@/b?host={tmp_path}"):
        database = Database(url)
        with pytest.raises(StoreUnavailable):
            database.call(keep, "one")
        with pytest.raises(StoreUnavailable):
            database.read_now(names)
        assert database.is_writing
        database.close()
