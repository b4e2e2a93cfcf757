"""Who gets a parcel and what becomes of it, as rows. Over SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.casework.correspondence import Posting, reply
from gateway.casework.deposit import SealedMessage
from gateway.casework.enclosing import Withheld, wanting, why_withheld
from gateway.domain.clock import to_microseconds
from gateway.domain.delivery import Delivery, DeliveryState
from gateway.domain.errors import Malformed
from gateway.domain.notice import NoticeKind
from gateway.domain.timing import Timing
from gateway.store import tables
from gateway.store.authority import sign
from gateway.store.cases import case_sealing_key
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.outbox import Entry, withhold
from gateway.store.parcels import Parcel, ciphertext_of, destroy_over, has_over, parcel_of
from gateway.store.recipient_keys import enter_look
from gateway.store.settlements import settle
from gateway.store.transaction import Transaction
from tests.settled import Settled
from tests.timed import PROGRAMMES, ZONE
from tests.unit.domain.test_parcel import PARCEL

CWA = frozenset({"cwa"})
MERGED = {"cwa": Timing(merge_seconds=60)}
GOOD = Delivery(DeliveryState.DELIVERED, 250, "2.0.0", "queued")


class Copies(Settled):
    """Dana and omar have keys and chose full copies."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.keys: dict[str, str] = {}
        for name in ("dana", "omar"):
            self.give_key(name)
            self.enact("choose_notices", person=self.people[name], full_copies=True)

    def enact(self, verb: str, **arguments: Any) -> dict[str, Any]:
        return self.database.call(lambda tx: enact(tx, self.authority, Actor(), verb, arguments, PROGRAMMES))

    def give_key(self, name: str, kind: str = "openpgp") -> None:
        """Let it be so that somebody has this key alone."""
        self.keys[name] = new_id()
        before = delete(tables.recipient_key).where(tables.recipient_key.c.person_id == self.people[name])
        row = {
            "id": self.keys[name], "person_id": self.people[name], "kind": kind, "octets": b"k",
            "fingerprint": name * 10, "address": f"{name}@agency.example", "created_us": 0, "expires_us": None,
            "code_hash": "-", "proof": b"", "confirmed_us": 0, "until_us": None, "version": 1,
        }  # fmt: skip
        signature = sign(tables.recipient_key, row, self.authority.private)
        self.database.call(lambda tx: tx.execute(before))
        self.database.call(lambda tx: tx.insert(tables.recipient_key, **row, signature=signature))

    @property
    def now_us(self) -> int:
        return to_microseconds(self.database.clock())

    def wanting(self, permitted: frozenset[str] = CWA) -> list[str]:
        case_id = self.tour["case"]
        found = self.database.read_now(wanting, self.authority.key, permitted, case_id, self.now_us)
        names = {person: name for name, person in self.people.items()}
        return sorted(names[one.person_id] for one in found)

    def reply(self, *names: str, without: tuple[tuple[str, str], ...] = ()) -> str:
        """Ines writes; there are parcels for these. Return the message's id."""
        key = self.database.read_now(lambda rows: case_sealing_key(rows, self.authority.key, self.tour["case"]))
        sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
        made = tuple(
            Parcel(self.people[name], self.keys.get(name, ""), name * 10, f"{name}@agency.example", PARCEL)
            for name in names
        )
        posting = Posting(sealed, self.tour["case"], self.people["ines"], (), parcels=made, uncopied=without)
        self.database.call(reply, self.authority.key, posting)
        return sealed.id

    def claimed(self, timings: Any = MERGED) -> list[Entry]:
        found = self.database.call(claim, 60_000_000, 100, timings)
        return [one for one in found if one.kind is NoticeKind.REPLY_RECEIVED]

    def parcels(self) -> int:
        statement = select(func.count(tables.parcel.c.id))
        return int(self.database.read_now(lambda rows: rows.execute(statement).scalar()))


@pytest.fixture
def site(database: Database) -> Copies:
    return Copies(database)


def test_only_who_chose_and_has_a_key_and_a_place_gets_one(site: Copies) -> None:
    site.give_key("eve")  # no place in the case
    site.enact("choose_notices", person=site.people["eve"], full_copies=True)
    assert site.wanting() == ["dana", "omar"]
    site.enact("choose_notices", person=site.people["omar"], full_copies=False)
    assert site.wanting() == ["dana"]
    assert site.wanting(frozenset()) == []
    assert site.wanting(frozenset({"lindgrove"})) == []
    site.enact("end_person", person=site.people["dana"])
    assert site.wanting() == []


def test_nobody_of_the_other_side_can_choose_it(site: Copies) -> None:
    with pytest.raises(Malformed):
        site.enact("choose_notices", person=site.people["ines"], full_copies=True)


def test_who_stands_in_for_somebody_gets_the_link(site: Copies) -> None:
    site.give_key("eve")
    site.enact("choose_notices", person=site.people["eve"], full_copies=True)
    today = site.database.clock().astimezone(ZONE).date().isoformat()
    site.enact("add_team_member", team="desk@agency.example", person=site.people["eve"])
    site.enact("remove_team_member", team="desk@agency.example", person=site.people["dana"])
    assert site.wanting() == ["eve", "omar"]
    site.enact("add_absence", person=site.people["eve"], deputy=site.people["dana"], from_day=today, until_day=today)
    assert site.wanting() == ["eve", "omar"]


def test_a_parcel_is_kept_with_its_notice_for_its_person_alone(site: Copies) -> None:
    site.reply("dana", "eve", without=((site.people["omar"], "busy"),))
    assert site.parcels() == 1  # eve has no place
    found = {one.address: one for one in site.claimed()}
    dana, omar = found["dana@agency.example"], found["omar@agency.example"]
    kept = site.database.read_now(parcel_of, dana.id, dana.lead_id)
    assert kept is not None
    assert (kept.person_id, kept.address) == (site.people["dana"], "dana@agency.example")
    assert site.database.read_now(ciphertext_of, kept.id) == PARCEL
    assert site.database.read_now(parcel_of, omar.id, omar.lead_id) is None
    kinds = select(tables.leaf.c.body).where(tables.leaf.c.kind == "parcel-not-made")
    (entry,) = site.database.read_now(lambda rows: rows.execute(kinds).scalars().all())
    assert '"reason":"busy"' in entry


def test_notices_with_parcels_are_not_told_together(site: Copies) -> None:
    for _ in range(3):
        site.reply("dana")
    found = site.claimed()
    assert sum(one.address == "dana@agency.example" for one in found) == 3
    assert [one.count for one in found if one.address == "dana@agency.example"] == [1, 1, 1]
    assert [one.count for one in found if one.address == "omar@agency.example"] == [3]


@pytest.mark.parametrize("end", ["delivered", "withheld"])
def test_a_parcel_is_destroyed_once_its_notice_waits_no_more(site: Copies, end: str) -> None:
    site.reply("dana")
    (entry,) = [one for one in site.claimed() if one.address == "dana@agency.example"]
    assert not site.database.read_now(has_over)
    assert site.database.call(destroy_over) == 0
    if end == "delivered":
        site.database.call(settle, site.authority.key, b"h" * 32, entry, GOOD, None)
    else:
        site.database.call(withhold, entry)
    assert site.database.read_now(has_over)
    assert site.database.call(destroy_over) == 1
    assert site.parcels() == 0


def test_a_further_address_keeps_the_parcel_until_it_was_told(site: Copies) -> None:
    two = {"id": new_id(), "person_id": site.people["dana"], "from_us": 0, "until_us": None}
    address = {"address": "dana.two@agency.example", "key": "dana.two@agency.example"}
    site.database.call(lambda tx: tx.insert(tables.person_address, **two, **address))
    site.reply("dana")
    first = {one.address: one for one in site.claimed()}
    second = {one.address: one for one in site.claimed()}
    both = {**first, **second}
    one, other = both["dana@agency.example"], both["dana.two@agency.example"]
    assert site.database.read_now(parcel_of, one.id, one.lead_id) == site.database.read_now(
        parcel_of, other.id, other.lead_id
    )
    site.database.call(settle, site.authority.key, b"h" * 32, one, GOOD, None)
    assert not site.database.read_now(has_over)
    site.database.call(settle, site.authority.key, b"h" * 32, other, GOOD, None)
    assert site.database.read_now(has_over)


def test_why_a_parcel_is_not_sent_is_asked_anew(site: Copies) -> None:
    site.reply("dana")
    (entry,) = [one for one in site.claimed() if one.address == "dana@agency.example"]
    kept = site.database.read_now(parcel_of, entry.id, entry.lead_id)

    def why(permitted: frozenset[str] = CWA) -> Withheld | None:
        place = (entry.programme, entry.case_id)
        return site.database.read_now(why_withheld, site.authority.key, permitted, kept, place, site.now_us)

    assert why() is None
    assert why(frozenset()) is Withheld.NOT_PERMITTED
    site.enact("choose_notices", person=site.people["dana"], full_copies=False)
    assert why() is Withheld.NOT_CHOSEN
    site.enact("choose_notices", person=site.people["dana"], full_copies=True)
    site.enact("remove_team_member", team="desk@agency.example", person=site.people["dana"])
    assert why() is Withheld.NO_PLACE
    site.enact("add_team_member", team="desk@agency.example", person=site.people["dana"])

    def forge(tx: Transaction) -> None:
        tx.execute(update(tables.recipient_key).values(fingerprint="somebody else's"))

    site.database.call(forge)
    assert why() is Withheld.KEY_GONE


def why_not(site: Copies) -> Withheld | None:
    """Have a parcel made for dana, and ask why it may not be sent."""
    (entry,) = [one for one in site.claimed() if one.address == "dana@agency.example"]
    kept = site.database.read_now(parcel_of, entry.id, entry.lead_id)
    place = (entry.programme, entry.case_id)
    return site.database.read_now(why_withheld, site.authority.key, CWA, kept, place, site.now_us)


def test_a_parcel_does_not_go_to_a_subkey_that_was_replaced_meanwhile(site: Copies) -> None:
    """The same key, handed in anew with another subkey, has the same fingerprint."""
    site.reply("dana")
    site.give_key("dana")
    assert why_not(site) is Withheld.KEY_GONE


def test_a_parcel_of_before_the_upgrade_goes_as_its_link(site: Copies) -> None:
    site.reply("dana")
    site.database.call(lambda tx: tx.execute(update(tables.parcel).values(key_id=None)))
    assert why_not(site) is Withheld.KEY_GONE


@pytest.mark.parametrize(
    ("hours", "revoked", "why"),
    [(0, False, None), (23, False, None), (25, False, Withheld.NOT_LOOKED_UP), (0, True, Withheld.KEY_GONE)],
)
def test_nothing_is_sent_to_a_certificate_that_is_revoked_or_was_not_looked_up_for_a_day(
    site: Copies, hours: int, revoked: bool, why: Withheld | None
) -> None:
    site.give_key("dana", "smime")
    site.reply("dana")

    def look(tx: Transaction) -> None:
        enter_look(tx, site.keys["dana"], is_revoked=revoked)
        tx.execute(update(tables.key_look).values(looked_us=tx.now_us - hours * 3600 * 1_000_000))

    site.database.call(look)
    assert why_not(site) is why
    assert ("dana" in site.wanting()) != revoked


def test_nothing_is_sent_to_a_certificate_that_was_never_looked_up(site: Copies) -> None:
    site.give_key("dana", "smime")
    site.reply("dana")
    assert why_not(site) is Withheld.NOT_LOOKED_UP


def test_a_key_that_nobody_signed_gets_no_copy(site: Copies) -> None:
    site.database.call(lambda tx: tx.execute(update(tables.recipient_key).values(octets=b"another")))
    assert site.wanting() == []
