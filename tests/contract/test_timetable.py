"""What the notifier does by the clock: a step that fails holds up no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from gateway.outbound import timetable
from gateway.outbound.timetable import Timetable
from gateway.store import tables
from gateway.store.transaction import Transaction
from tests.timed import Timed


@pytest.fixture
def kept(timed: Timed) -> Timetable:
    return Timetable(timed.notifier, timed.programmes, timed.authority, timedelta(hours=1), elapsed=lambda: 0.0)


async def test_a_row_that_cannot_be_planned_stops_no_reminder(timed: Timed, kept: Timetable) -> None:
    message = timed.post("ines")
    bad = {"message_id": message, "person_id": timed.people["dana"], "wish": "each", "reports": 0, "sealed": b""}
    timed.database.call(lambda tx: tx.execute(insert(tables.confirmation).values(**bad, told="{", look_us=1)))
    timed.time.pass_by(days=7)
    await kept.keep()
    kinds = timed.database.read_now(lambda c: set(c.execute(select(tables.outbox.c.kind)).scalars()))
    assert "reminder" in kinds


STEPS = (
    "plan_reminders",
    "tell_unopened",
    "look_after_drafts",
    "tell_endings",
    "tell_sunsets",
    "tell_waiting",
    "hasten",
)


@pytest.mark.parametrize("broken", STEPS)
async def test_the_other_steps_are_taken(
    timed: Timed, kept: Timetable, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    done: list[str] = []

    def step(name: str) -> Any:
        def verb(_tx: Transaction, *_: object) -> int:
            if name == broken:
                raise ValueError
            done.append(name)
            return 0

        return verb

    for name in STEPS:
        monkeypatch.setattr(timetable, name, step(name))
    await kept.keep()
    assert sorted(done) == sorted(set(STEPS) - {broken})
