"""Killed while a full copy is stored or sent: no parcel for a reply that is not kept, and each goes once, as it was."""

from __future__ import annotations

import asyncio
import email
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.outbox import waiting
from gateway.store.transaction import Transaction
from tests.crash.copier import ADDRESS, FINGERPRINT, KEY, enter
from tests.notifying import AUTHORITY, Time
from tests.relay import Certificate, Sink, relay
from tests.settled import Settled, TestAuthority
from tests.unit.domain.test_parcel import PARCEL

SIGKILL = -9
WHOLE = os.environ.get("SWEEP") == "all"
ENTERING = ["parcel.entered", *(["store.commit.before", "store.commit.after"] if WHOLE else [])]
SENDING = [
    ("courier.final_dot", {1, 2}),  # whether the relay still took it is not known to who was killed, nor to us
    ("parcel.destroyed", {1}),
    *([("outbox.claim", {1}), ("outbox.settle", {1, 2})] if WHOLE else []),
]
"""What kills, and how often the relay then has the one mail."""


@dataclass
class Reply:
    """A site in which dana has chosen full copies, and what enters a reply there."""

    url: str
    database: Database
    arguments: tuple[str, str, str]

    def count(self, table: str) -> int:
        statement = select(func.count()).select_from(tables.METADATA.tables[table])
        return int(self.database.read_now(lambda rows: rows.execute(statement).scalar()))


def settled(folder: Path) -> Reply:
    url = f"sqlite:///{folder}/gateway.db"
    upgrade(url)
    database = Database(url, clock=Time())
    site = Settled(database, TestAuthority(AUTHORITY))
    dana = site.people["dana"]
    row = {
        "id": KEY, "person_id": dana, "kind": "openpgp", "octets": b"k", "fingerprint": FINGERPRINT,
        "address": ADDRESS, "created_us": 0, "expires_us": None, "code_hash": "-", "proof": b"", "confirmed_us": 0,
        "until_us": None, "version": 1,
    }  # fmt: skip

    def choose(tx: Transaction) -> None:
        tx.insert(tables.recipient_key, **row, signature=sign(tables.recipient_key, row, AUTHORITY))
        tx.execute(update(tables.person).where(tables.person.c.id == dana).values(full_copies=1))

    database.call(choose)
    return Reply(url, database, (site.tour["case"], site.people["ines"], dana))


def copies(sink: Sink) -> list[bytes]:
    return [bytes(one.content) for one in sink.mail if one.rcpt_tos == [ADDRESS]]  # type: ignore[arg-type]


async def child(failpoints: str, module: str, *arguments: str) -> int:
    environment = {**os.environ, "GATEWAY_FAILPOINTS": failpoints}
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, env=environment)
    return await running.wait()


@pytest.mark.parametrize("failpoint", ENTERING)
async def test_no_parcel_rests_for_a_reply_that_is_not_kept(tmp_path: Path, failpoint: str) -> None:
    site = settled(tmp_path)
    assert await child(f"{failpoint}=kill", "tests.crash.copier", site.url, *site.arguments) == SIGKILL
    kept = int(failpoint == "store.commit.after")
    assert (site.count("message"), site.count("parcel")) == (kept, kept)
    assert await child("", "tests.crash.copier", site.url, *site.arguments) == 0  # the form is sent again
    assert (site.count("message"), site.count("parcel")) == (1, 1)
    site.database.close()


@pytest.mark.parametrize(("failpoint", "times"), SENDING)
async def test_a_kill_sends_a_full_copy_once_and_as_it_was(tmp_path: Path, failpoint: str, times: set[int]) -> None:
    site = settled(tmp_path)
    enter(site.url, *site.arguments)
    certificate, sink = Certificate(tmp_path), Sink()
    name, _, nth = failpoint.partition("@")
    async with relay(sink, certificate) as port:
        sending = ("tests.notifying", site.url, str(port), str(certificate.path))
        assert await child(f"{name}=kill{'@' + nth if nth else ''}", *sending, "2") == SIGKILL
        taken = len(copies(sink))
        assert await child("", *sending, "8") == 0
        assert await child("", *sending, "14") == 0
    mails = copies(sink)
    assert len(mails) in times
    if name == "outbox.settle":  # what the relay had is given once more, be it this mail or another
        assert len(mails) == taken + 1
    assert len({email.message_from_bytes(mail)["Message-ID"] for mail in mails}) == 1
    assert all(
        PARCEL.partition(b"\r\n\r\n")[2].strip() in mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for mail in mails
    )
    assert site.count("parcel") == 0
    assert site.database.read_now(waiting) == []
    site.database.close()
