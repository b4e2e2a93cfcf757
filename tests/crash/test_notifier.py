"""The notifier killed at each of its failpoints: every notice is sent, and none twice but after the final dot."""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.outbox import waiting
from tests.notifying import Time, settle_in, tell
from tests.relay import Certificate, Sink, relay

SIGKILL = -9


async def send_once(url: str, port: int, certificate: Certificate, minutes: int, failpoints: str = "") -> int:
    environment = {**os.environ, "GATEWAY_FAILPOINTS": failpoints}
    arguments = (url, str(port), str(certificate.path), str(minutes))
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notifying", *arguments, env=environment)
    return await child.wait()


@pytest.mark.parametrize(
    ("failpoint", "may_repeat"),
    [
        ("outbox.claim", False),
        ("store.commit.before@1", False),
        ("store.commit.after@1", False),
        ("courier.final_dot", True),
        ("outbox.settle", True),
        ("store.commit.before@2", True),
        ("store.commit.after@2", False),
    ],
)
async def test_a_kill_loses_no_notice_and_repeats_only_the_same_mail(
    tmp_path: Path, failpoint: str, may_repeat: bool
) -> None:
    url = f"sqlite:///{tmp_path}/gateway.db"
    upgrade(url)
    database = Database(url, clock=Time())
    database.call(settle_in)
    row_id = database.call(tell)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    armed = f"{name}=kill{'@' + nth if nth else ''}"
    async with relay(sink, certificate) as port:
        assert await send_once(url, port, certificate, 0, armed) == SIGKILL
        assert await send_once(url, port, certificate, 6) == 0
        assert await send_once(url, port, certificate, 12) == 0
    sent = [message_from_bytes(envelope.content)["Message-ID"] for envelope in sink.mail]  # type: ignore[arg-type]
    assert set(sent) == {f"<notice.{row_id}@gateway.example>"}
    assert len(sent) <= (2 if may_repeat else 1)
    assert database.read_now(waiting) == []
    database.close()
