"""A door, the verb of choosing or the notifier killed while a draft is held, chosen or looked after, or withdrawn by an
answer: what was acknowledged is there once, and everybody is told once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.store import tables
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.crash.drafter import do
from tests.notifying import AUTHORITY
from tests.settled import Settled, TestAuthority

SIGKILL = -9
STEPS = ("hold", "choose", "look")
COMMIT = ("store.commit.before", "store.commit.after")
KILLS = [
    ("hold", "submission.commit"),
    ("hold", "submission.committed"),
    ("choose", "drafts.choose"),
    ("look", "drafts.look"),
    ("withdraw", "submission.withdrawn"),
    *((step, point) for step in (*STEPS, "withdraw") for point in COMMIT),
]

IN_SHORT = [("hold", "submission.committed"), ("choose", "drafts.choose")]
"""Where it is killed outside of the sweep."""


async def killed_at(failpoint: str, url: str, folder: Path, step: str) -> int:
    """Do a step in a process that is killed on the way, and return how that ended."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.drafter", url, str(folder), step,
        env={**os.environ, "GATEWAY_FAILPOINTS": f"{failpoint}=kill"},
    )  # fmt: skip
    return await child.wait()


def rows(database: Database, table: Any) -> list[Any]:
    return database.read_now(lambda connection: list(connection.execute(select(table))))


def kinds(database: Database) -> list[str]:
    return sorted(row.kind for row in rows(database, tables.outbox))


@pytest.mark.parametrize(
    ("killed", "failpoint"),
    [one if one in IN_SHORT else pytest.param(*one, marks=pytest.mark.sweep) for one in KILLS],
)
async def test_a_kill_loses_no_draft_and_doubles_none(tmp_path: Path, killed: str, failpoint: str) -> None:
    url, blobs = f"sqlite:///{tmp_path}/gateway.db", tmp_path / "blobs"
    upgrade(url)
    database = Database(url)
    Settled(database, TestAuthority(AUTHORITY))
    for step in ("hold", "look", "choose", "withdraw"):
        if step == "look":
            database.call(lambda tx: tx.execute(update(tables.draft).values(look_us=1)))
        if step == killed:
            assert await killed_at(failpoint, url, blobs, step) == SIGKILL
            if step == "look" and failpoint == "store.commit.after":
                continue
        await do(url, blobs, step)
    (kept,) = rows(database, tables.message)
    (held,) = rows(database, tables.draft)
    assert kept.case_id is not None
    assert kept.withdrawn_us is not None
    assert (held.chosen_us is not None, held.discarded_us, held.reminded) == (True, None, 1)
    assert len(rows(database, tables.message_wrap)) == len(rows(database, tables.recipient)) == 1
    found = [row.kind for row in rows(database, tables.leaf)]
    for entry in ("draft_held", "deposited", "draft_chosen", "withdrawn"):
        assert found.count(entry) == 1, entry
    told = kinds(database)
    assert told.count("case_to_choose") == 2
    assert told.count("message_waiting") == 1
    assert told.count("withdrawal") == 1 + (killed == "withdraw" and failpoint != "store.commit.before")
    database.close()
