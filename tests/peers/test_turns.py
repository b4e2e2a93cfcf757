"""Fairness: a place that is slow, dead or hangs holds up nobody else, however much waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from gateway.domain.notice import NoticeKind
from gateway.outbound.courier import Courier
from gateway.outbound.notifier import Notifier
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import OutboxState, put
from gateway.store.transaction import Transaction
from tests.abroad import Abroad
from tests.authority import Authority
from tests.nameserver import nameserver
from tests.notifying import notifier, settle_in
from tests.ports import free_port
from tests.relay import Sink, relay
from tests.tables import make_tables


class Hanging:
    """A host that takes connections and says nothing."""

    def __init__(self) -> None:
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    opened = Database(url, program=None)
    opened.call(settle_in)
    yield opened
    opened.close()


@pytest.fixture
async def abroad(database: Database, tmp_path: Path) -> AsyncIterator[Abroad]:
    async with nameserver({}) as server:
        yield Abroad(server, Authority(tmp_path), database)


def tell_many(tx: Transaction, domain: str, people: int) -> None:
    """A notice to each of so many people of a domain."""
    for number in range(people):
        name = f"{number}.{domain}"
        new = {"programme": "cwa", "side": "correspondent", "name": name, "username": name, "created_us": 0}
        tx.insert(tables.person, id=name, **new)
        address = f"p{number}@{domain}"
        row = {"person_id": name, "address": address, "key": address, "from_us": 0, "until_us": None}
        tx.insert(tables.person_address, id=name, **row)
        put(
            tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id=name, case_id="cwa",
            message_id="cwa-message", fields={"reference": "SM-7K2Q-9F4T"},
        )  # fmt: skip


def started(abroad: Abroad, courier: Courier, folder: Path) -> Notifier:
    return notifier(abroad.database, 1, folder, folder, lambda: datetime.now(UTC), courier=courier)


def count(database: Database, state: OutboxState) -> int:
    statement = select(func.count()).select_from(tables.outbox).where(tables.outbox.c.state == state.value)
    return database.read_now(lambda connection: connection.execute(statement).scalar_one())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_domain_that_hangs_or_is_dead_holds_up_no_other(abroad: Abroad, tmp_path: Path) -> None:
    sink, hanging = Sink(), Hanging()
    abroad.zone.update({
        ("hangs.example", "MX"): ["10 mx.hangs.example."], ("mx.hangs.example", "A"): ["127.0.0.2"],
        ("dead.example", "MX"): ["10 mx.dead.example."], ("mx.dead.example", "A"): ["127.0.0.3"],
        ("well.example", "MX"): ["10 mx.well.example."], ("mx.well.example", "A"): ["127.0.0.1"],
    })  # fmt: skip
    for domain, people in (("hangs.example", 700), ("dead.example", 700), ("well.example", 20)):
        abroad.database.call(tell_many, domain, people)
    async with relay(sink, None, port=free_port()) as port:
        server = await asyncio.start_server(hanging.serve, "127.0.0.2", port)
        courier = abroad.courier(port)
        one = started(abroad, courier, tmp_path)
        stop = asyncio.Event()
        running = asyncio.create_task(one.run(stop))
        await until(lambda: count(abroad.database, OutboxState.DELIVERED) == 20)
        assert len(sink.mail) == 20
        assert hanging.connections <= 4
        server.close()
        stop.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert count(abroad.database, OutboxState.FAILED) == 0


async def test_what_is_put_back_was_no_attempt(abroad: Abroad, tmp_path: Path) -> None:
    abroad.zone["dead.example", "MX"] = ["10 mx.dead.example."]
    abroad.zone["mx.dead.example", "A"] = ["127.0.0.3"]
    abroad.database.call(tell_many, "dead.example", 400)
    one = started(abroad, abroad.courier(9), tmp_path)
    await one.send_due()
    await one.send_due()
    rows = abroad.database.read_now(lambda connection: connection.execute(select(tables.outbox.c.attempts)).all())
    assert {row.attempts for row in rows} == {1}
    leaves = select(func.count()).select_from(tables.leaf).where(tables.leaf.c.kind == "notice-delayed")
    tried = abroad.database.read_now(lambda connection: connection.execute(leaves).scalar_one())
    assert 0 < tried <= 32


async def test_what_is_too_old_is_given_up_though_its_place_is_left_alone(abroad: Abroad, tmp_path: Path) -> None:
    abroad.zone["dead.example", "MX"] = ["10 mx.dead.example."]
    abroad.zone["mx.dead.example", "A"] = ["127.0.0.3"]
    abroad.database.call(tell_many, "dead.example", 300)
    courier = abroad.courier(9)
    one = started(abroad, courier, tmp_path)
    await one.send_due()
    long_ago = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1_000_000)
    abroad.database.call(lambda tx: tx.execute(update(tables.outbox).values(created_us=long_ago, due_us=long_ago)))
    await one.send_due()
    assert count(abroad.database, OutboxState.FAILED) >= 300
