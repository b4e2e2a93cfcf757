"""One step of returned mail in a process of its own, to be killed: a door enters, or the notifier applies or looks."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from gateway.domain.address import Address
from gateway.domain.notice import message_id
from gateway.domain.return_path import ReturnPaths
from gateway.inbound.reports import Reports
from gateway.outbound.bounces import Bounces
from gateway.store.database import Database
from tests.corpus.returned_mail import ADDRESS, OWN_ID, failure
from tests.notifying import AUTHORITY, NOON, Time

PATHS = ReturnPaths("gateway.example", b"r" * 32)


async def step(url: str, what: str, row_id: str) -> None:
    clock = Time(NOON + timedelta(hours=5))
    database = Database(url, clock=clock)
    with tempfile.TemporaryDirectory() as folder:
        late = timedelta(hours=4)
        key = AUTHORITY.public_key()
        bounces = Bounces(database, key, b"h" * 32, PATHS, Path(folder), late_after=late, clock=clock)
        if what == "enter":
            mail = (
                failure().replace(OWN_ID, message_id(row_id, "gateway.example")).replace(ADDRESS, "agent@mail.example")
            )
            to: list[Address] = [PATHS.of(row_id)]
            await Reports(database, PATHS).bring(mail.encode(), to, "", "outside", "outside")
        elif what == "apply":
            await bounces.apply()
        else:
            await bounces.look()
    database.close()


if __name__ == "__main__":
    asyncio.run(step(*sys.argv[1:]))
