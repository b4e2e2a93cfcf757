"""The notifier killed while it tells authors or releases a message: each confirmation and each notice goes once."""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.casework.correspondence import Posting, Served, post
from gateway.casework.deposit import SealedMessage
from gateway.domain.confirmation import Asked, Wish
from gateway.store import tables
from gateway.store.cases import case_sealing_key
from gateway.store.confirmations import asked_key, seal_asked
from gateway.store.database import Database
from gateway.store.ids import new_id
from tests.notifying import AUTHORITY, Time
from tests.relay import Certificate, Sink, relay
from tests.settled import Settled, TestAuthority
from tests.tables import make_tables

SIGKILL = -9


def posted(database: Database, delay_minutes: int) -> None:
    """A message of dana's to ines, as the submission door enters it."""
    site = Settled(database, TestAuthority(AUTHORITY))
    case_id = site.tour["case"]
    key = database.read_now(lambda c: case_sealing_key(c, site.authority.key, case_id))
    sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
    asked = Asked("<one@agency.example>", "dana@agency.example")
    posting = Posting(
        sealed, case_id, site.people["dana"], (Served(site.people["ines"], "to"),),
        asked=seal_asked(asked_key(b"r" * 32), sealed.id, Wish.EACH, asked), delay_us=delay_minutes * 60_000_000,
    )  # fmt: skip
    database.call(post, site.authority.key, posting)


async def send_once(url: str, port: int, certificate: Certificate, minutes: int, failpoints: str = "") -> int:
    environment = {**os.environ, "GATEWAY_FAILPOINTS": failpoints}
    arguments = (url, str(port), str(certificate.path), str(minutes))
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notifying", *arguments, env=environment)
    return await child.wait()


@pytest.mark.parametrize("failpoint", ["confirmations.plan", "releases.due", "outbox.claim", "store.commit.before@2"])
async def test_a_kill_repeats_no_confirmation_and_loses_none(tmp_path: Path, failpoint: str) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url, clock=Time())
    posted(database, delay_minutes=1)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 2, f"{name}=kill{'@' + nth if nth else ''}") == SIGKILL
        assert await send_once(url, port, certificate, 8) == 0
        assert await send_once(url, port, certificate, 16) == 0
    sent = sorted(
        (envelope.rcpt_tos[0], str(message_from_bytes(envelope.content)["In-Reply-To"]))  # type: ignore[arg-type]
        for envelope in sink.mail
    )
    assert sent == [("dana@agency.example", "<one@agency.example>"), ("ines@tours.example", "None")]
    held = database.read_now(lambda c: c.execute(select(tables.message.c.held_until_us)).scalar_one())
    assert held is None
    database.close()
