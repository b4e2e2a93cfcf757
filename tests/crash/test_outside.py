"""The public door killed between a verdict and its entry: its peer is told nothing, and nothing is kept."""

from __future__ import annotations

import asyncio
import smtplib
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.demo import search as engine
from gateway.demo.site import DOMAIN, Plan
from gateway.store import tables
from tests.postfix import free_port
from tests.worlds import FAST, log_lines, running_world

KILLED = {"GATEWAY_FAILPOINTS": "mx.verdict=kill"}
NUMBER = "536-41-2879"
MAIL = f"From: ines@tours.example\r\nSubject: Concert\r\n\r\nMy social security number (SSN) is {NUMBER}.\r\n"


async def test_killed_before_the_entry_it_keeps_nothing_and_the_repeat_is_refused(tmp_path: Path) -> None:
    port = free_port()
    door = f'\n[mx]\nlisten = ["127.0.0.1:{port}"]\nposition = "first-hop"\n'
    async with running_world(Plan(more=FAST + door), KILLED | {"GATEWAY_FAILPOINT_ONCE": str(tmp_path)}) as world:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await asyncio.to_thread(refusal, port, patient=False)
        async with asyncio.timeout(60):
            while (said := await asyncio.to_thread(refusal, port)) is None:
                await asyncio.sleep(0.1)
        assert "taxpayer data" in said
        assert [line["name"] for line in log_lines(world) if line["event"] == "program died"] == ["mx"]
        entries = await world._read(select(tables.leaf.c.id).where(tables.leaf.c.kind == "mail_turned_away"))
        assert len(entries) == 1
        assert list(engine.search(engine.words(NUMBER), [world.folder]).hits) == []


def refusal(port: int, *, patient: bool = True) -> str | None:
    """Send the mail, and return why it was refused; None where, for the `patient`, nobody listens."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.sendmail("ines@tours.example", [f"office@{DOMAIN}"], MAIL)
    except smtplib.SMTPDataError as problem:
        return str(problem.smtp_error)
    except ConnectionRefusedError:
        if not patient:
            raise
        return None
    raise AssertionError("mail from outside was taken")
