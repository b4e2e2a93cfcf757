"""Whose key full copies are encrypted to: handed in, proven by its code, replaced and removed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.casework.endings import tell_endings
from gateway.casework.recipient_keys import in_pieces
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.recipient_key import KeyKind, RecipientKey, code_hash, new_code
from gateway.domain.rights import Side
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.places import holder_of
from gateway.store.recipient_keys import proof_of, recipient_key_of
from tests.settled import Settled
from tests.timed import PROGRAMMES, Time

DANA = "dana@agency.example"
KEY = b"\x98" + bytes(range(200)) * 40
DAY = timedelta(days=1)


class Office(Settled):
    """Dana and her keys."""

    def __init__(self, database: Database, time: Time) -> None:
        super().__init__(database)
        self.time = time
        self.dana = self.people["dana"]

    def act(self, actor: Actor, verb: str, **arguments: Any) -> dict[str, Any]:
        return self.database.call(lambda tx: enact(tx, self.authority, actor, verb, arguments, PROGRAMMES))

    def by(self, name: str) -> Actor:
        person = self.people[name]
        holder = self.database.read_now(lambda c: holder_of(c, self.authority.key, person, self.now_us))
        return Actor(person, "cwa", Side.OFFICE, holder)

    def add(self, code: str, *, by: str = "dana", days: int | None = 400, **changed: Any) -> dict[str, Any]:
        ends = None if days is None else self.now_us + days * 86_400_000_000
        arguments = {
            "person": self.dana,
            "kind": "openpgp",
            "octets": in_pieces(KEY),
            "fingerprint": "AB" * 20,
            "address": DANA,
            "hashed_code": code_hash(code),
            "proof": in_pieces(b"ciphertext"),
            "expires_us": ends,
            **changed,
        }
        return self.act(self.by(by) if by else Actor(), "add_recipient_key", **arguments)

    def confirm(self, code: str, by: str = "dana") -> dict[str, Any]:
        return self.act(self.by(by) if by else Actor(), "confirm_recipient_key", person=self.dana, code=code)

    @property
    def now_us(self) -> int:
        return to_microseconds(self.time())

    @property
    def key(self) -> RecipientKey | None:
        return self.database.read_now(recipient_key_of, self.authority.key, self.dana, self.time())

    @property
    def told(self) -> list[str]:
        rows = self.database.read_now(lambda c: c.execute(select(tables.outbox).order_by(tables.outbox.c.id)).all())
        return [json.loads(row.fields).get("state", "") for row in rows if row.person_id == self.dana]


@pytest.fixture
def time(database: Database) -> Time:
    time = Time()
    database.clock = time
    return time


@pytest.fixture
def office(database: Database, time: Time) -> Office:
    return Office(database, time)


def test_a_key_is_of_no_use_before_its_code_is_entered(office: Office) -> None:
    code = new_code()
    office.add(code)
    assert office.key is None
    assert office.database.read_now(proof_of, office.authority.key, office.dana, office.now_us) == b"ciphertext"
    with pytest.raises(Malformed, match="not the code"):
        office.confirm(new_code())
    office.confirm(f" {code.lower().replace('-', ' ')} ")
    assert office.key == RecipientKey(KeyKind.OPENPGP, KEY, "AB" * 20, office.time() + 400 * DAY, DANA)
    assert office.told == ["copy_key_proof", "copy_key_added"]


def test_the_code_is_entered_by_its_owner_and_within_a_day(office: Office) -> None:
    code = new_code()
    office.add(code, by="")
    for somebody in ("", "omar"):
        with pytest.raises(NotAllowed):
            office.confirm(code, by=somebody)
    office.time.pass_by(days=1)
    with pytest.raises(Malformed, match="No key waits"):
        office.confirm(code)
    assert office.database.read_now(proof_of, office.authority.key, office.dana, office.now_us) is None


def test_the_key_in_use_stays_until_the_next_is_proven(office: Office) -> None:
    first, second = new_code(), new_code()
    office.add(first)
    office.confirm(first)
    office.add(second, fingerprint="CD" * 20)
    assert office.key is not None
    assert office.key.fingerprint == "AB" * 20
    office.confirm(second)
    assert office.key.fingerprint == "CD" * 20
    office.act(office.by("dana"), "remove_recipient_key", person=office.dana)
    assert office.key is None
    assert office.told[-1] == "copy_key_removed"


def test_a_later_key_takes_the_place_of_one_that_waits(office: Office) -> None:
    first, second = new_code(), new_code()
    office.add(first)
    office.add(second)
    with pytest.raises(Malformed, match="not the code"):
        office.confirm(first)
    office.confirm(second)


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "else@agency.example"},
        {"kind": "pem"},
        {"octets": ["?"]},
        {"octets": in_pieces(bytes(30_000))},
        {"proof": []},
        {"expires_us": 1},
    ],
)
def test_what_is_no_key_of_theirs_is_refused(office: Office, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        office.add(new_code(), **changed)


def test_a_colleague_neither_adds_nor_removes_it(office: Office) -> None:
    with pytest.raises(NotAllowed):
        office.add(new_code(), by="omar")
    with pytest.raises(NotAllowed):
        office.act(office.by("omar"), "remove_recipient_key", person=office.dana)


def test_a_key_counts_while_it_has_not_ended_is_genuine_and_for_a_present_address(office: Office) -> None:
    code = new_code()
    office.add(code, days=3)
    office.confirm(code)
    place = tables.person_address
    here = place.c.person_id == office.dana
    office.database.call(lambda tx: tx.execute(update(place).where(here).values(until_us=office.now_us)))
    assert office.key is None
    office.database.call(lambda tx: tx.execute(update(place).where(here).values(until_us=None)))
    assert office.key is not None
    office.time.pass_by(days=3)
    assert office.key is None
    office.time.pass_by(days=-1)
    forged = {"octets": KEY[::-1]}
    office.database.call(lambda tx: tx.execute(update(tables.recipient_key).values(forged)))
    assert office.key is None


def test_who_leaves_keeps_no_key(office: Office) -> None:
    code = new_code()
    office.add(code)
    office.confirm(code)
    office.act(Actor(), "end_person", person=office.dana)
    assert office.key is None


def test_the_end_of_a_key_is_told_fourteen_days_and_one_day_before(office: Office) -> None:
    code = new_code()
    office.add(code, days=20)
    office.confirm(code)

    def tell() -> int:
        key = office.authority.key
        return office.database.call(lambda tx: tell_endings(tx, key, PROGRAMMES))

    assert tell() == 0
    for days, found in ((6, 1), (1, 0), (12, 1), (0, 0)):
        office.time.pass_by(days=days)
        assert tell() == found, days
    assert office.told[2:] == ["copy_key_ending", "copy_key_ending"]
