"""What the public door says, on the wire, to mail for return paths: the same to genuine and forged ones."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import system_clock
from gateway.domain.notice import NoticeKind
from gateway.domain.return_path import ReturnPaths
from gateway.inbound.listener import DoorLimits, Listener, open_listener
from gateway.inbound.mx import OutsideDoor, SenderHashes
from gateway.inbound.reports import Reports
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import put
from gateway.store.transaction import Transaction
from tests.corpus.returned_mail import failure
from tests.dialogs.house import Client
from tests.tables import make_tables

PATHS = ReturnPaths("gw.test", b"r" * 32)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[tuple[Listener, Database, str]]:
    """The door with nobody who screens, and a notice that went out."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url)
    absent: Any = None
    door = OutsideDoor(
        database, absent, "gw.test", frozenset(), "https://gw.test/", SenderHashes(system_clock), absent,
        reports=Reports(database, PATHS),
    )  # fmt: skip
    listener = await open_listener(
        door, name="mx", host="127.0.0.1", port=0, tls=None, implicit_tls=False, limits=DoorLimits(),
        hostname="gw.test", require_auth=False, tls_required=False,
    )  # fmt: skip
    try:
        yield listener, database, database.call(told)
    finally:
        await listener.close(grace=1)
        database.close()


def told(tx: Transaction) -> str:
    new = {"programme": "cwa", "side": "correspondent", "name": "Agent", "username": "agent", "created_us": 0}
    tx.insert(tables.person, id="agent", **new)
    return put(tx, programme="cwa", kind=NoticeKind.MESSAGE_WAITING, person_id="agent")


async def conversation(listener: Listener, trust: ssl.SSLContext, path: str) -> list[str]:
    client = Client(*await asyncio.open_connection("127.0.0.1", listener.port), trust)
    try:
        said = [await client.line()]
        await client.ask("EHLO mx.firm.example")
        said.append(await client.ask("MAIL FROM:<>"))
        said.append(await client.ask(f"RCPT TO:<{path}>"))
        said.append(await client.ask("RCPT TO:<sm-7k2q@gw.test>"))
        said.append(await client.ask("DATA"))
        client.send(failure().encode() + b".\r\n")
        said.append(await client.line())
        return said
    finally:
        await client.close()


async def test_genuine_and_forged_return_paths_hear_the_same(
    opened: tuple[Listener, Database, str], trust: ssl.SSLContext
) -> None:
    listener, database, row_id = opened
    genuine, forged = str(PATHS.of(row_id)), str(ReturnPaths("gw.test", b"f" * 32).of(row_id))
    for path, reports in ((forged, 0), (genuine, 1), (genuine.upper().replace("GW.TEST", "gw.test"), 1)):
        assert await conversation(listener, trust, path) == [
            "220 gw.test ESMTP",
            "250 2.1.0 sender ok",
            "250 2.1.5 recipient ok",
            "452 4.5.3 this recipient takes reports only; send the message again to the others",
            "354 send the message, end with <CRLF>.<CRLF>",
            "250 2.6.0 automatic mail ends here: entered, and not kept",
        ]
        entered = database.read_now(lambda open_: open_.execute(select(tables.notice_report)).all())
        assert len(entered) == reports
