"""The notifier killed while it tells of a reply that nobody has opened: each of the team is told once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.deposit import SealedMessage
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.migrations import upgrade
from tests.crash.test_confirmations import SIGKILL, send_once
from tests.notifying import AUTHORITY, Time
from tests.relay import Certificate, Sink, relay
from tests.settled import Settled, TestAuthority


def replied(database: Database) -> None:
    """A reply of ines', a day and more ago, of which nobody has to be told but that it waits."""
    site = Settled(database, TestAuthority(AUTHORITY))
    case_id = site.tour["case"]
    key = database.read_now(lambda c: case_sealing_key(c, site.authority.key, case_id))
    sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
    database.call(
        post, site.authority.key, Posting(sealed, case_id, site.people["ines"], (Served(site.people["dana"], "to"),))
    )
    day_us = timedelta(hours=25) // timedelta(microseconds=1)
    message, unopened = tables.message, tables.unopened
    database.call(lambda tx: tx.execute(tables.outbox.delete()))
    database.call(lambda tx: tx.execute(update(message).values(received_us=message.c.received_us - day_us)))
    database.call(lambda tx: tx.execute(update(unopened).values(look_us=unopened.c.look_us - day_us)))


@pytest.mark.parametrize("failpoint", ["unopened.tell", "outbox.claim", "store.commit.before@2"])
async def test_a_kill_repeats_no_notice_of_an_unopened_reply_and_loses_none(tmp_path: Path, failpoint: str) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    upgrade(url)
    database = Database(url, clock=Time())
    replied(database)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 2, f"{name}=kill{'@' + nth if nth else ''}") == SIGKILL
        assert await send_once(url, port, certificate, 8) == 0
        assert await send_once(url, port, certificate, 16) == 0
    assert sorted(envelope.rcpt_tos[0] for envelope in sink.mail) == ["dana@agency.example", "omar@agency.example"]
    database.close()
