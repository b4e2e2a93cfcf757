"""Mail that is thrown away behind a relay: its entry, and who is told how often."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.turning_away import Discarded, find_refusal
from gateway.domain.errors import StoreUnavailable
from gateway.domain.refusal import new_reference
from gateway.domain.verdict import Finding, Kind, Strength, Unread, Unreadable, Verdict
from gateway.inbound.discarding import Discards
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.tables import leaf, outbox
from tests.settled import Settled

TAINTED = Verdict((Finding(Kind.SSN, "text", Strength.PROOF, 2),))
LOCKED = Verdict((), (Unreadable("attachment 1", Unread.ENCRYPTED),))
OPERATORS = ("Dana@Agency.example", "nobody@agency.example", "ines@firm.example")


@pytest.fixture
def house(database: Database) -> Settled:
    return Settled(database)


def notices(house: Settled) -> list[Any]:
    return list(house.database.read_now(lambda source: source.execute(select(outbox).order_by(outbox.c.id)).all()))


def fields(row: Any) -> dict[str, Any]:
    return dict(json.loads(row.fields))


async def told(house: Settled, count: int) -> list[Any]:
    """What has been entered, as soon as there are so many."""
    async with asyncio.timeout(60):
        while len(found := notices(house)) < count:
            await asyncio.sleep(0.01)
    return found


async def test_the_entry_says_what_one_of_a_refusal_says_and_that_it_was_thrown_away(house: Settled) -> None:
    reference, woken = new_reference(), list[int]()
    discards = Discards(house.database, OPERATORS, lambda: woken.append(1))
    await discards.discard(reference, TAINTED, "0123")
    rows = house.database.read_now(lambda source: source.execute(select(leaf.c.kind, leaf.c.body)).all())
    (entry,) = [json.loads(row.body)["facts"] for row in rows if row.kind == "mail_turned_away"]
    assert entry == {
        "reference": reference, "sender": "0123", "discarded": True, "verdict": "tainted", "kinds": {"ssn": 2},
        "reasons": {},
    }  # fmt: skip
    shown = house.database.read_now(find_refusal, reference)
    assert shown is not None
    assert shown.kinds == (Kind.SSN,)
    (notice,) = await told(house, 1)
    assert (notice.kind, notice.person_id) == ("outside_mail_discarded", house.people["dana"])
    assert fields(notice) == {"count": 1, "refusal": reference, "kinds": "ssn"}
    async with asyncio.timeout(60):
        while not woken:
            await asyncio.sleep(0.01)
    await discards.close()
    assert woken == [1]


async def test_a_flood_makes_one_notice_and_a_second_one_with_the_rest(house: Settled) -> None:
    discards = Discards(house.database, OPERATORS, lambda: None)
    await discards.discard(new_reference(), TAINTED, "")
    await told(house, 1)
    for _ in range(30):
        await discards.discard(last := new_reference(), LOCKED, "")
    await discards.discard(last := new_reference(), TAINTED, "")
    assert len(notices(house)) == 1
    await discards.close()
    _, second = notices(house)
    assert fields(second) == {"count": 31, "refusal": last, "kinds": "encrypted,ssn"}


async def test_what_comes_in_the_pause_is_told_after_it(house: Settled) -> None:
    discards = Discards(house.database, OPERATORS, lambda: None, pause_seconds=0.2)
    await discards.discard(new_reference(), TAINTED, "")
    await told(house, 1)
    await discards.discard(new_reference(), TAINTED, "")
    assert [fields(row)["count"] for row in await told(house, 2)] == [1, 1]
    await discards.close()
    assert len(notices(house)) == 2


@pytest.mark.parametrize("operators", [(), ("nobody@agency.example",), ("ines@firm.example",)])
async def test_where_nobody_could_be_told_nothing_is_thrown_away(house: Settled, operators: tuple[str, ...]) -> None:
    discards = Discards(house.database, operators, lambda: None)
    before = house.database.read_now(lambda source: source.execute(select(leaf.c.id)).all())
    with pytest.raises(StoreUnavailable):
        await discards.discard(new_reference(), TAINTED, "")
    await discards.close()
    assert notices(house) == []
    assert house.database.read_now(lambda source: source.execute(select(leaf.c.id)).all()) == before


async def test_the_notifier_reads_what_there_is_to_tell(house: Settled) -> None:
    discards = Discards(house.database, OPERATORS, lambda: None)
    await discards.discard(reference := new_reference(), LOCKED, "")
    await told(house, 1)
    await discards.close()
    (entry,) = await house.database.run(claim, 60_000_000, 5)
    assert (entry.refusal, entry.kinds, entry.count) == (reference, ("encrypted",), 1)
    assert entry.kind.is_of_the_site


def test_counts_have_an_end() -> None:
    many = Discarded("R-4F7K-3M9P", 10**9, ())
    assert many.after(many).count < 10**7
