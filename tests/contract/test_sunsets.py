"""Who signs in by a password still is told in time that it ends, once for each stage."""

from __future__ import annotations

import json
from datetime import date, timedelta

from gateway.casework.sunsets import tell_sunsets
from gateway.domain.sunset import Sunset, Sunsets
from gateway.store import tables
from tests.timed import PROGRAMMES, Time, Timed

LAST_DAY = date(2026, 4, 15)
SUNSETS = Sunsets((Sunset("agents", frozenset({"correspondent"}), frozenset(), LAST_DAY, (30, 7)),))


def give(timed: Timed, name: str, kind: str, expires_us: int | None = None) -> None:
    columns = {
        "id": f"{kind}-{name}", "person_id": timed.people[name], "kind": kind, "label": kind, "data": "",
        "created_us": 0, "expires_us": expires_us, "revoked_us": None,
    }  # fmt: skip
    row = {**columns, "lookup": None, "networks": "", "version": 1, "signature": b""}
    timed.database.call(lambda tx: tx.insert(tables.credential, **row))


def told_until(timed: Timed, days: int) -> list[tuple[int, str]]:
    """Look each day, by what the notifier may do; return on which one who was told."""
    found: list[tuple[int, str]] = []
    for day in range(days):
        timed.notifier.call(tell_sunsets, PROGRAMMES, SUNSETS)
        rows = timed.database.read_now(lambda c: c.execute(tables.outbox.select().order_by(tables.outbox.c.id)).all())
        fresh = [row for row in rows if row.kind == "access_ending"][len(found) :]
        assert all(json.loads(row.fields)["state"] == "password_ending" for row in fresh)
        found += [(day, row.person_id) for row in fresh]
        timed.time.pass_by(days=1)
    return found


def test_who_has_not_moved_is_told_thirty_days_before_and_seven_and_nobody_else(timed: Timed, time: Time) -> None:
    for name in ("ines", "raul", "dana"):
        give(timed, name, "password")
    give(timed, "raul", "identity")
    ines = timed.people["ines"]
    assert told_until(timed, 60) == [(15, ines), (38, ines)]


def test_who_was_given_longer_is_not_told_of_the_others_day(timed: Timed, time: Time) -> None:
    give(timed, "ines", "password")
    give(timed, "ines", "extension", int((time.now + timedelta(days=200)).timestamp() * 1_000_000))
    assert told_until(timed, 60) == []


def test_who_moves_between_two_stages_is_not_told_again(timed: Timed, time: Time) -> None:
    give(timed, "ines", "password")
    assert [day for day, _ in told_until(timed, 20)] == [15]
    give(timed, "ines", "identity")
    assert sum(timed.notifier.call(tell_sunsets, PROGRAMMES, SUNSETS) for _ in range(3)) == 0
    time.pass_by(days=20)
    assert timed.notifier.call(tell_sunsets, PROGRAMMES, SUNSETS) == 0


def test_after_the_last_day_nobody_is_told(timed: Timed, time: Time) -> None:
    time.set("2026-04-16T09:00")
    give(timed, "ines", "password")
    assert told_until(timed, 3) == []
