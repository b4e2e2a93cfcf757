"""One step in the life of a draft, done or killed on the way: `python -m tests.crash.drafter URL FOLDER STEP`.

STEP is `hold` (a relay brings it), `choose` (its author decides), `look` (the notifier's look) or `withdraw` (its
author answers a notice of it).
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.casework.act import Actor
from gateway.casework.addressing import Mailroom
from gateway.casework.administration import enact
from gateway.casework.drafts import DAY_US, look_after_drafts
from gateway.inbound.asking import Asking
from gateway.inbound.relay import RelayDoor
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.confirmations import asked_key
from gateway.store.database import Database
from tests.contract.test_relay import mail, relay
from tests.notifying import AUTHORITY
from tests.settled import DEPOSIT_KEY, DOMAIN, THREADS, TestAuthority

RAUL, DANA = "raul@tours.example", "dana@agency.example"


def way(database: Database, folder: Path) -> RelayDoor:
    """The relay's way in to this database."""
    mailroom = Mailroom(DOMAIN, frozenset({"agency.example"}), "Ask.", AUTHORITY.public_key(), THREADS)
    nobody: Any = None
    door = SubmissionDoor(
        database, BlobFolder(folder, reserve_octets=0), nobody, {"cwa": mailroom}, DEPOSIT_KEY, lambda: None,
        asking=Asking(asked_key(b"r" * 32), frozenset({"cwa"})), draft_us={"cwa": 14 * DAY_US},
    )  # fmt: skip
    return RelayDoor(door, "mta", DOMAIN)


async def take(database: Database, folder: Path, step: str) -> None:
    """Do one step."""
    if step == "hold":
        await relay(way(database, folder), DANA, mail(b"Message-ID: <one@agency.example>\r\n"), RAUL)
    elif step == "choose":
        draft = one(database, select(tables.draft.c.reference))
        case = one(database, select(tables.case.c.reference).order_by(tables.case.c.id).limit(1))
        chosen = {"draft": draft, "case": case}
        await database.run(lambda tx: enact(tx, TestAuthority(AUTHORITY), Actor(), "choose_draft", chosen))
    elif step == "look":
        await database.run(look_after_drafts, AUTHORITY.public_key())
    else:
        waiting = tables.outbox.c.kind == "message_waiting"
        notice = one(database, select(tables.outbox.c.id).where(waiting))
        case = one(database, select(tables.case.c.reference).order_by(tables.case.c.id).limit(1))
        answer = mail(f"In-Reply-To: <notice.{notice}@{DOMAIN}>\r\n".encode(), words=b"WITHDRAW\r\n")
        await relay(way(database, folder), DANA, answer, f"{case.lower()}@{DOMAIN}")


def one(database: Database, wanted: Any) -> str:
    """The one value that is asked for."""
    return str(database.read_now(lambda connection: connection.execute(wanted).scalar_one()))


async def do(url: str, folder: Path, step: str) -> None:
    """Do one step as a program of its own: with a database of its own, which it closes."""
    database = Database(url)
    try:
        await take(database, folder, step)
    finally:
        database.close()


if __name__ == "__main__":
    asyncio.run(do(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
