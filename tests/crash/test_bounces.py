"""A door or the notifier killed while it takes, applies or looks: each report counts once, each employee hears once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.store import tables
from gateway.store.database import Database
from gateway.store.outbox import OutboxState
from tests.notifying import Time, settle_in, tell
from tests.tables import make_tables

SIGKILL = -9


async def step(url: str, what: str, row_id: str, failpoint: str = "") -> int:
    environment = {**os.environ, "GATEWAY_FAILPOINTS": f"{failpoint}=kill" if failpoint else ""}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.bouncer", url, what, row_id, env=environment
    )
    return await child.wait()


def settled(tmp_path: Path, state: OutboxState) -> tuple[Database, str, str]:
    """A notice whose notification has this state, sent to the agent."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url, clock=Time())
    database.call(settle_in)
    row_id = database.call(tell)
    fields = json.dumps({"address": "agent@mail.example"})
    values = {"state": state.value, "fields": fields, "attempts": 1}
    database.call(lambda tx: tx.execute(update(tables.outbox).values(values)))
    return database, url, row_id


def found(database: Database, wanted: Any) -> list[Any]:
    return database.read_now(lambda connection: list(connection.execute(wanted)))


@pytest.mark.parametrize("failpoint", ["reports.read", "bounces.enter", "store.commit.before", "store.commit.after"])
async def test_a_report_is_entered_once(tmp_path: Path, failpoint: str) -> None:
    database, url, row_id = settled(tmp_path, OutboxState.DELIVERED)
    assert await step(url, "enter", row_id, failpoint) == SIGKILL
    assert await step(url, "enter", row_id) == 0  # no 250 was said: it comes again
    assert [row.outbox_id for row in found(database, select(tables.notice_report))] == [row_id]
    reported = select(tables.leaf).where(tables.leaf.c.kind == "notice-reported")
    assert len(found(database, reported)) == 1
    database.close()


@pytest.mark.parametrize("what", ["apply", "look"])
@pytest.mark.parametrize("failpoint", ["own", "store.commit.before", "store.commit.after"])
async def test_what_follows_happens_once(tmp_path: Path, what: str, failpoint: str) -> None:
    state = OutboxState.DELIVERED if what == "apply" else OutboxState.WAITING
    database, url, row_id = settled(tmp_path, state)
    if what == "apply":
        assert await step(url, "enter", row_id) == 0
    own = {"apply": "bounces.apply", "look": "bounces.late"}[what]
    assert await step(url, what, row_id, own if failpoint == "own" else failpoint) == SIGKILL
    for _ in range(2):
        assert await step(url, what, row_id) == 0
    kinds = [row.kind for row in found(database, select(tables.outbox.c.kind).where(tables.outbox.c.id != row_id))]
    assert kinds == [{"apply": "delivery_failed", "look": "delivery_delayed"}[what]]
    assert len(found(database, select(tables.address_state))) == (1 if what == "apply" else 0)
    database.close()
