"""The public door killed: what it refuses leaves nothing, and what it takes is there once, whenever it was killed."""

from __future__ import annotations

import asyncio
import os
import random
import smtplib
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.demo import office
from gateway.demo import search as engine
from gateway.demo.site import DOMAIN, Plan
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.segments import SegmentReader
from tests.ports import free_port
from tests.worlds import FAST, Traps, log_lines, running_world

KILLED = {"GATEWAY_FAILPOINTS": "mx.verdict=kill"}
NUMBER = "536-41-2879"
MAIL = f"From: ines@tours.example\r\nSubject: Concert\r\n\r\nMy social security number (SSN) is {NUMBER}.\r\n"


@pytest.mark.timeout(300)
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
        entries = await office.rows(
            world.settings, select(tables.leaf.c.id).where(tables.leaf.c.kind == "mail_turned_away")
        )
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


TAKING = ("mx.take", "blob.write.before", "blob.fsync", "blob.rename", "blob.folder_fsync", "mx.taken")
SOME = random.Random(os.environ.get("CRASH_SEED", "1")).sample(TAKING, 2)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("places", [SOME, pytest.param(TAKING, marks=pytest.mark.sweep)], ids=["some", "all"])
async def test_killed_anywhere_while_it_takes_clean_mail_the_repeat_finds_it_kept_once(
    tmp_path: Path, places: Sequence[str]
) -> None:
    port, traps = free_port(), Traps(tmp_path, dict.fromkeys(places, "kill"))
    door = f'\n[mx]\nlisten = ["127.0.0.1:{port}"]\nposition = "first-hop"\nclean = "tray"\n'
    taken_in = select(tables.leaf.c.id).where(tables.leaf.c.kind == "taken_in")
    async with running_world(Plan(more=FAST + door), traps.environment) as world:
        papers = len(await office.rows(world.settings, select(tables.intake)))
        entered = len(await office.rows(world.settings, taken_in))
        for number, name in enumerate(places):
            mail = clean(number)
            traps.set(name)
            with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
                await asyncio.to_thread(taken, port, mail, patient=False)
            assert traps.has_acted(name)
            items = await office.rows(world.settings, select(tables.intake))
            assert len(items) == papers + number + (name == "mx.taken"), name
            async with asyncio.timeout(60):
                while (said := await asyncio.to_thread(taken, port, mail)) is None:
                    await asyncio.sleep(0.1)
            items = await office.rows(world.settings, select(tables.intake).order_by(tables.intake.c.message_id))
            assert len(items) == papers + number + 1, name
            assert items[-1].reference in said
            async with office.operators(world.settings) as (keyholder, _):
                grant = await keyholder.intake_open(items[-1].reference)
            segments = await office.rows(
                world.settings, select(tables.segment).where(tables.segment.c.message_id == grant.message_id)
            )
            blobs = BlobFolder(world.settings.store.blobs)
            octets = b"".join(b"".join(SegmentReader(blobs, row, grant.key).read()) for row in segments)
            assert octets == mail.encode()
        assert len(await office.rows(world.settings, taken_in)) == entered + len(places)
        assert list(engine.search(engine.words("rehearsal7311"), [world.folder]).hits) == []


def clean(number: int) -> str:
    head = f"From: ines@tours.example\r\nSubject: Concert\r\nMessage-ID: <{number}@tours.example>\r\n\r\n"
    return (
        head + "The rehearsal7311 begins at seven, and is over at nine.\r\n" * 22_000
    )  # longer than what stands in a pack


def taken(port: int, mail: str, *, patient: bool = True) -> str | None:
    """Send a mail, and return the reply to it; None where, for the `patient`, nobody listens."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.ehlo()
            client.mail("ines@tours.example")
            client.rcpt(f"office@{DOMAIN}")
            code, words = client.data(mail)
    except ConnectionRefusedError:
        if not patient:
            raise
        return None
    assert code == 250, words
    return words.decode()
