"""Certificates that full copies are encrypted to are looked up as copies are made: over SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.enclosing import Wanting, wanting
from gateway.casework.endings import tell_endings
from gateway.domain.errors import Unavailable
from gateway.domain.recipient_key import RecipientKey
from gateway.parcels.site import KeyChecker
from gateway.portal.parcelling import Parcelling, Written
from gateway.portal.revocation import Revocation
from gateway.store import tables
from gateway.store.database import Database
from tests.contract.test_full_copies import CWA, Copies
from tests.contract.test_privileges import OpenAs, open_as
from tests.timed import PROGRAMMES, Time

__all__ = ["open_as"]


@dataclass
class Checker(KeyChecker):
    """Answers as it is told to, and counts how often it was asked."""

    answer: bool | None = False
    asked: list[str] = field(default_factory=list)

    async def is_revoked(self, key: RecipientKey, now: datetime) -> bool:
        assert now.tzinfo is not None
        self.asked.append(key.address)
        if self.answer is None:
            raise Unavailable("away")
        return self.answer


class Office(Copies):
    """Dana has a certificate, omar an OpenPGP key."""

    def __init__(self, database: Database, portal: Database, time: Time) -> None:
        super().__init__(database)
        self.time, self.checker, self.woken = time, Checker(), 0
        self.give_key("dana", "smime")
        self.revocation = Revocation(portal, self.checker, frozenset({"cwa"}), self.wake)

    def wake(self) -> None:
        self.woken += 1

    def wanted(self) -> list[Wanting]:
        return self.database.read_now(wanting, self.authority.key, CWA, self.tour["case"], self.now_us)

    async def refused(self) -> dict[str, str]:
        names = {person: name for name, person in self.people.items()}
        return {names[one]: why for one, why in (await self.revocation.refused(self.wanted())).items()}

    def told(self, kind: str = "account_changed") -> list[str]:
        statement = select(tables.outbox).where(tables.outbox.c.kind == kind)
        rows = self.database.read_now(lambda c: c.execute(statement).all())
        return [json.loads(row.fields)["state"] for row in rows if row.person_id == self.people["dana"]]


@pytest.fixture
def office(database: Database, open_as: OpenAs) -> Office:
    portal, time = open_as("portal"), Time()
    database.clock = portal.clock = time
    return Office(database, portal, time)


async def test_it_is_looked_up_at_the_first_copy_and_again_after_some_hours(office: Office) -> None:
    for hours, asked in ((0, 1), (5, 1), (2, 2), (1, 2)):
        office.time.pass_by(hours=hours)
        assert await office.refused() == {}
        assert office.checker.asked == ["dana@agency.example"] * asked


async def test_what_is_revoked_gets_no_copy_and_its_owner_is_told_once(office: Office) -> None:
    before = office.wanted()
    office.checker.answer = True
    assert await office.refused() == {"dana": "revoked"}
    assert [one.key.address for one in office.wanted()] == ["omar@agency.example"]
    assert await office.revocation.refused(before) == {office.people["dana"]: "revoked"}  # another was on its way
    assert len(office.checker.asked) == 1
    assert (office.told(), office.woken) == (["copy_key_revoked"], 1)
    kinds = select(tables.leaf.c.body).where(tables.leaf.c.kind == "recipient_key_revoked")
    (entry,) = office.database.read_now(lambda c: c.execute(kinds).scalars().all())
    assert json.loads(entry)["facts"]["key"] == office.keys["dana"]


async def test_where_nothing_answers_what_is_known_counts_for_a_day(office: Office) -> None:
    office.checker.answer = None
    assert await office.refused() == {"dana": "not-looked-up"}
    office.checker.answer = False
    assert await office.refused() == {}
    office.checker.answer = None
    for hours, refused in ((23, {}), (1, {"dana": "not-looked-up"})):
        office.time.pass_by(hours=hours)
        assert await office.refused() == refused
    assert office.told() == []


async def test_what_was_looked_up_while_the_clock_was_ahead_counts_no_longer_than_it_may(office: Office) -> None:
    office.time.pass_by(hours=48)
    assert await office.refused() == {}
    office.time.pass_by(hours=-48)
    office.checker.answer = None
    assert await office.refused() == {"dana": "not-looked-up"}
    office.checker.answer = True
    assert await office.refused() == {"dana": "revoked"}


async def test_the_reply_is_written_down_without_the_copy_and_with_the_reason(office: Office) -> None:
    async def refused(wanted: Any) -> dict[str, str]:
        return {one.person_id: "revoked" for one in wanted}

    parcelling = Parcelling(CWA, 10_000, None, refused)
    written = Written("Ines", "case@secure.agency.example", "SM-2222-2222", office.time(), "Budget", "words")
    copies = await parcelling.copies(parcelling.gathering(office.wanted()), written)
    assert (copies.parcels, sorted(why for _, why in copies.uncopied)) == ((), ["revoked", "revoked"])


@pytest.mark.parametrize("is_revoked", [True, False])
async def test_that_a_revoked_certificate_ends_is_not_announced(office: Office, is_revoked: bool) -> None:
    office.checker.answer = is_revoked
    await office.refused()
    soon = update(tables.recipient_key).values(expires_us=office.now_us + 5 * 24 * 3600 * 1_000_000)
    mine = tables.recipient_key.c.person_id == office.people["dana"]
    office.database.call(lambda tx: tx.execute(soon.where(mine)))
    office.database.call(tell_endings, office.authority.key, PROGRAMMES)
    assert office.told("access_ending") == ([] if is_revoked else ["copy_key_ending"])
