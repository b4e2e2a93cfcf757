"""A whole conversation with the door of a relay, from the wire to the record."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.inbound.listener import DoorLimits, open_lmtp_listener
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from tests.dialogs.house import Client
from tests.settled import DEPOSIT_KEY, DOMAIN, Settled
from tests.tables import make_tables


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Settled]:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url)
    yield Settled(database)
    database.close()


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Addresses of sockets may not be long."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


async def test_automatic_mail_is_answered_for_each_recipient_and_ends(
    site: Settled, short_folder: Path, trust: ssl.SSLContext
) -> None:
    nobody: Any = None
    blobs = BlobFolder(short_folder / "blobs", reserve_octets=0)
    door = SubmissionDoor(site.database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None)
    path, users = short_folder / "lmtp.sock", frozenset({os.getuid()})
    listener = await open_lmtp_listener(
        RelayDoor(door, "lmtp", DOMAIN), path=path, users=users, limits=DoorLimits(), hostname="gw.test"
    )
    client = Client(*await asyncio.open_unix_connection(path), trust)
    try:
        assert [line async for line in conversation(client, site)] == [
            "250 2.1.0 sender ok",
            "250 2.1.5 recipient ok",
            "550 5.7.1 Automatic mail is taken for this gateway's own addresses only.",
            "250 2.1.5 recipient ok",
            "354 send the message, end with <CRLF>.<CRLF>",
            "250 2.6.0 automatic mail ends here: entered, and not kept",
            "250 2.6.0 automatic mail ends here: entered, and not kept",
            "550 5.7.1 The envelope sender is no employee's own address, and no team's.",
        ]
    finally:
        await client.close()
        await listener.close(grace=1)
    assert site.database.read_now(lambda open_: open_.execute(select(tables.message)).all()) == []


async def conversation(client: Client, site: Settled) -> AsyncIterator[str]:
    """What is said to one delivery report, and then to a stranger."""
    assert await client.line() == "220 gw.test LMTP"
    assert await client.ask("LHLO mta.test") == "250 HELP"
    yield await client.ask("MAIL FROM:<>")
    yield await client.ask(f"RCPT TO:<{site.address(site.tour)}>")
    yield await client.ask("RCPT TO:<ines@tours.example>")
    yield await client.ask(f"RCPT TO:<nobody@{DOMAIN}>")
    yield await client.ask("DATA")
    yield await client.ask("Subject: Undelivered\r\n\r\nwords\r\n.")
    yield await client.line()
    yield await client.ask("MAIL FROM:<stranger@elsewhere.example>")
