"""What two programs do at the same moment over one PostgreSQL, kept apart by nothing but the server's locks."""

from __future__ import annotations

import asyncio
import threading
import time as clock
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from gateway.casework.act import Act, Actor
from gateway.casework.guard_answers import plan_waits, say_yes
from gateway.casework.handling import claim_item
from gateway.domain.errors import Moved, StoreUnavailable
from gateway.domain.intake import month_of
from gateway.domain.notice import NoticeState
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.database import TRIES, Database
from gateway.store.places import employee_or_user
from gateway.store.recipient_keys import enter_look
from gateway.store.transaction import Transaction
from tests.contract.test_database import held_writer
from tests.contract.test_full_copies import Copies
from tests.contract.test_guard import OVERDUE_US, held
from tests.keyed_site import KeyedSite
from tests.postgres import Postgres
from tests.settled import TestAuthority
from tests.timed import Time, Timed


@pytest.fixture
def two(postgres: Postgres, postgres_with_tables: str) -> Iterator[tuple[Database, Database]]:
    """Two programs over one store."""
    url = postgres.url(postgres.new_database(template=postgres_with_tables))
    one, other = Database(url, clock=Time()), Database(url, clock=Time())
    yield one, other
    one.close()
    other.close()


def when_it_waits_or_is_done(database: Database, waiting: Future[Any]) -> None:
    """Return when a call is over, or its program waits for a lock."""
    locked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not waiting.done():
        if database.read_now(lambda connection: connection.exec_driver_sql(locked).scalar_one()):
            return
        clock.sleep(0.01)


def keep(tx: Transaction, name: str, value: str = "") -> None:
    tx.insert(tables.site, name=name, value=value)


def change(tx: Transaction, name: str, by: str) -> None:
    mine = tables.site.c.name == name
    tx.execute(tables.site.update().where(mine).values(value=tables.site.c.value + by))


def values(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(tables.site).where(tables.site.c.name.in_(("a", "b"))))
    return {row.name: row.value for row in rows}


def test_two_groups_that_lock_rows_crosswise_are_both_done(two: tuple[Database, Database]) -> None:
    """The server ends one of them; its verbs are run anew, and who was told of an error is not run again."""
    one, other = two
    one.call(keep, "a")
    one.call(keep, "b")
    both = threading.Barrier(2)
    refused: list[int] = []

    def crosswise(tx: Transaction, first: str, second: str, by: str, *, meets: list[Callable[[], object]]) -> None:
        change(tx, first, by)
        if meets:
            meets.pop()()
        change(tx, second, by)

    def refuse(_tx: Transaction) -> None:
        refused.append(1)
        raise ValueError

    futures = []
    for database, names, by in ((one, ("a", "b"), "1"), (other, ("b", "a"), "2")):
        with held_writer(database):
            wrong = database.submit(refuse)
            futures.append(database.submit(crosswise, *names, by, meets=[lambda: both.wait(30)]))
        assert isinstance(wrong.exception(30), ValueError)
    for future in futures:
        future.result(60)
    assert {name: sorted(value) for name, value in one.read_now(values).items()} == {"a": ["1", "2"], "b": ["1", "2"]}
    assert refused == [1, 1]


def test_a_group_that_is_rolled_back_each_time_is_told_of_it_in_the_end(two: tuple[Database, Database]) -> None:
    times: list[int] = []

    def conflicts(tx: Transaction) -> None:
        times.append(1)
        tx.connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")

    assert isinstance(two[0].submit(conflicts).exception(30), StoreUnavailable)
    assert len(times) == TRIES
    two[0].call(keep, "after")


@pytest.mark.parametrize("revoked", [False, True])
def test_two_portals_enter_the_first_look_at_one_certificate(two: tuple[Database, Database], *, revoked: bool) -> None:
    one, other = two
    site = Copies(one)
    site.give_key("dana", "smime")
    entered, go_on = threading.Event(), threading.Event()

    def slowly(tx: Transaction) -> bool:
        news = enter_look(tx, site.keys["dana"], is_revoked=revoked)
        tx.flush()
        entered.set()
        go_on.wait(30)
        return news

    first = one.submit(slowly)
    assert entered.wait(30)
    second = other.submit(enter_look, site.keys["dana"], is_revoked=revoked)
    when_it_waits_or_is_done(one, second)
    go_on.set()
    assert [first.result(30), second.result(30)] == [revoked, False]


async def test_of_two_who_claim_an_item_at_two_keyholders_one_is_told_that_it_moved(
    tmp_path: Path, postgres: Postgres, postgres_with_tables: str
) -> None:
    url = postgres.url(postgres.new_database(template=postgres_with_tables))
    async with KeyedSite(tmp_path, url).running() as site:
        await site.operator.enact("add_intake_key", month=month_of(site.clock()))
        edda, emil = await site.employee("edda", role="enroller"), await site.employee("emil", role="enroller")
        message = await site.take_in()
        other = Database(url, clock=site.clock)
        claimed, go_on = threading.Event(), threading.Event()

        def claim(tx: Transaction, person: str, wait: Callable[[], object]) -> None:
            holder = employee_or_user(tx.connection, site.authority, person, tx.now_us)
            actor = Actor(person, "cwa", Side.OFFICE, holder)
            claim_item(Act(tx, TestAuthority(), actor), item=message.id)
            tx.flush()
            claimed.set()
            wait()

        first = site.database.submit(claim, edda, lambda: go_on.wait(30))
        assert await asyncio.to_thread(claimed.wait, 30)
        second = other.submit(claim, emil, lambda: None)
        await asyncio.to_thread(when_it_waits_or_is_done, other, second)
        go_on.set()
        assert first.result(30) is None
        assert isinstance(second.exception(30), Moved)
        other.close()


def test_a_yes_and_the_reminder_of_it_do_not_wait_for_each_other(two: tuple[Database, Database]) -> None:
    one, notifier = two
    timed = Timed(one, notifier, Time())
    one.clock = notifier.clock = timed.time
    message = held(timed)
    timed.time.pass_by(days=1)
    locked, go_on = threading.Event(), threading.Event()

    def slowly(tx: Transaction) -> NoticeState:
        tx.one(select(tables.message.c.id).where(tables.message.c.id == message).with_for_update())
        locked.set()
        go_on.wait(30)
        return say_yes(tx, timed.authority, timed.people["dana"], message)

    yes = one.submit(slowly)
    assert locked.wait(30)
    planned = notifier.submit(plan_waits, timed.authority, OVERDUE_US)
    when_it_waits_or_is_done(one, planned)
    assert planned.done(), "the reminder holds what the yes wants, and waits for what that holds"
    go_on.set()
    assert (yes.result(30), planned.result(30)) == (NoticeState.GUARD_RELEASED, 0)
    assert timed.notifier.call(plan_waits, timed.authority, OVERDUE_US) == 0
