"""Who stands in for whom, from which day to which, with the clock in the test's hand: over SQLite and PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.casework.correspondence import Posting, reply
from gateway.casework.deposit import SealedMessage
from gateway.domain.credential import Principal
from gateway.domain.errors import Malformed, NotAllowed
from gateway.domain.reference import parse
from gateway.domain.rights import Capacity, Side
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.submission import SubmissionDoor
from gateway.store import tables
from gateway.store.blobs import BlobFolder
from gateway.store.cases import case_sealing_key, office, standing
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.places import holder_of
from tests.settled import DEPOSIT_KEY, THREADS, Settled
from tests.timed import PROGRAMMES, Time

PEER = Peer("10.0.0.5", 1, True, "mta", "client", None)
FIRST, LAST = "2026-03-09", "2026-03-13"


class Office(Settled):
    """`dana` and `omar` are the team of both cases, `eve` is of another team with dana; `vera` has a case alone."""

    def __init__(self, database: Database, time: Time) -> None:
        super().__init__(database)
        self.time = time
        self.enact("add_team", programme="cwa", name="Other", address="other@agency.example")
        made = self.enact("add_employee", programme="cwa", name="Vera", address="vera@agency.example", username="vera")
        self.people["vera"] = made["person"]
        for name in ("eve", "vera", "dana"):
            self.enact("add_team_member", team="other@agency.example", person=name, supervisor=name == "eve")
        self.alone = self.enact("open_case", programme="cwa", series="SM", trial=True, person="vera")
        self.add_user("lena", [self.alone["reference"]], "act")

    def enact(self, verb: str, **arguments: Any) -> dict[str, Any]:
        return self.as_somebody(Actor(), verb, **arguments)

    def as_somebody(self, actor: Actor, verb: str, **arguments: Any) -> dict[str, Any]:
        return self.database.call(lambda tx: enact(tx, self.authority, actor, verb, arguments, PROGRAMMES))

    def by(self, name: str) -> Actor:
        """An employee under a live session of theirs."""
        person = self.people[name]
        holder = self.database.read_now(lambda c: holder_of(c, self.authority.key, person, self.now_us))
        return Actor(person, "cwa", Side.OFFICE, holder)

    def away(self, who: str, deputy: str, first: str = FIRST, last: str = LAST) -> dict[str, Any]:
        who, deputy = self.people[who], self.people[deputy]
        return self.enact("add_absence", person=who, deputy=deputy, from_day=first, until_day=last)

    def at(self, local: str) -> None:
        """Let it be another time. What the store's own memory keeps for two seconds is over by then."""
        self.time.set(local)
        for memory in (self.database._known, self.database._known_to_writer):
            memory.forget()

    @property
    def now_us(self) -> int:
        return int(self.time().timestamp() * 1_000_000)

    def capacity(self, name: str, case: Any = None) -> Capacity | None:
        case_id = (case or self.tour)["case"]
        place = self.database.read_now(
            lambda c: standing(c, self.authority.key, case_id, self.people[name], self.now_us)
        )
        return None if place is None else place.capacity

    def told(self, kind: str) -> list[tuple[str, str]]:
        """Who was told what of a kind, by the state or the reference."""
        names = {person: name for name, person in self.people.items()}
        statement = select(tables.outbox).where(tables.outbox.c.kind == kind).order_by(tables.outbox.c.id)
        rows = self.database.read_now(lambda c: c.execute(statement).all())
        return [(names[row.person_id], json.loads(row.fields).get("state", "")) for row in rows]

    def absences(self) -> list[str]:
        """The absences that are not over, by the absent one's name."""
        names = {person: name for name, person in self.people.items()}
        wanted = select(tables.absence).where(tables.absence.c.until_us > self.now_us)
        return [names[row.person_id] for row in self.database.read_now(lambda c: c.execute(wanted).all())]

    def answer(self, by: str = "ines", case: Any = None) -> Any:
        """A reply of the other side in the portal; returns its row."""
        case_id = (case or self.tour)["case"]
        key = self.database.read_now(lambda c: case_sealing_key(c, self.authority.key, case_id))
        sealed = SealedMessage(new_id(), True, 1, b"s", key.id, key.suite, b"w", (), None, "c")
        self.database.call(reply, self.authority.key, Posting(sealed, case_id, self.people[by], ()))
        message = tables.message
        return self.database.read_now(lambda c: c.execute(select(message).where(message.c.id == sealed.id)).one())


@pytest.fixture
def time(database: Database) -> Time:
    time = Time("2026-03-02T10:00")
    database.clock = time
    return time


@pytest.fixture
def site(database: Database, time: Time) -> Office:
    return Office(database, time)


@pytest.fixture
def door(site: Office, database: Database, tmp_path: Path) -> SubmissionDoor:
    nobody: Any = None  # no sign-in, so nobody to judge one
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    return SubmissionDoor(database, blobs, nobody, {"cwa": site.mailroom}, DEPOSIT_KEY, lambda: None)


async def send(door: SubmissionDoor, site: Office, who: str, to: str) -> Any:
    """Send a mail as somebody who has signed in, and return the row of its message."""
    sender = f"{who}@agency.example"
    envelope = MailParameters(sender, None, "8BITMIME", False, None, None, None)
    transaction = await door.begin(PEER, Principal(site.people[who], ""), envelope)
    await transaction.add_recipient(RecipientParameters(to, None, None))
    transaction.start()
    transaction.write(f"From: {sender}\r\nSubject: Re\r\n\r\nwords of {who} to {to} {site.time()}\r\n".encode())
    said = await transaction.commit()
    message = tables.message
    wanted = select(message).where(message.c.reference == said.text.split()[0])
    return site.database.read_now(lambda c: c.execute(wanted).one())


def test_the_deputy_stands_where_the_absent_one_does_from_the_first_day_to_the_last(site: Office, time: Time) -> None:
    site.away("dana", "eve")
    seen = []
    for at in (f"{FIRST}T00:00", f"{LAST}T23:59:59", "2026-03-14T00:00"):
        time.set(at)
        seen.append(site.capacity("eve"))
        time.pass_by(seconds=-1)
        seen.append(site.capacity("eve"))
    assert seen == [Capacity.DEPUTY, None, Capacity.DEPUTY, Capacity.DEPUTY, None, Capacity.DEPUTY]
    assert site.capacity("dana") is Capacity.OF_THE_CASE


def test_a_reply_is_told_to_the_deputy_as_well_while_it_lasts(site: Office) -> None:
    site.away("vera", "dana")
    site.answer("lena", site.alone)
    assert site.told("reply_received") == [("vera", "")]
    site.at(f"{FIRST}T09:00")
    site.answer("lena", site.alone)
    assert sorted(site.told("reply_received")) == [("dana", ""), ("vera", ""), ("vera", "")]
    site.at("2026-03-14T00:00")
    site.answer("lena", site.alone)
    assert len(site.told("reply_received")) == 4


async def test_a_deputy_answers_to_the_absent_ones_thread_address(site: Office, door: Any) -> None:
    reply_ = site.answer("lena", site.alone)
    address = str(THREADS.of(parse(reply_.reference), site.people["vera"]))
    site.away("vera", "dana")
    with pytest.raises(NotAllowed, match="another employee"):
        await send(door, site, "dana", address)
    site.at(f"{FIRST}T09:00")
    assert (await send(door, site, "dana", address)).parent_id == reply_.id
    with pytest.raises(NotAllowed, match="another employee"):
        await send(door, site, "omar", address)
    site.at("2026-03-14T00:00")
    own = str(THREADS.of(parse(reply_.reference), site.people["dana"]))
    for ended in (address, own):
        with pytest.raises(NotAllowed, match=r"another employee|not yours any more"):
            await send(door, site, "dana", ended)


def test_there_are_no_chains(site: Office, time: Time) -> None:
    """Omar stands in for dana, and eve for omar: what eve has of it is omar's own, and never dana's."""
    site.away("vera", "dana")
    with pytest.raises(Malformed, match="absent in these days"):
        site.away("omar", "vera")
    done = site.away("dana", "omar", "2026-03-10", "2026-03-10")
    assert done["stands_in_for"] == 1
    assert ("eve", "deputy_absent") in site.told("absence")
    time.set("2026-03-10T12:00")
    assert site.capacity("dana", site.alone) is Capacity.DEPUTY
    assert site.capacity("omar", site.alone) is None


@pytest.mark.parametrize(
    ("who", "deputy", "first", "last", "why"),
    [
        ("dana", "dana", FIRST, LAST, "own deputy"),
        ("dana", "omar", LAST, FIRST, "first day is after"),
        ("dana", "omar", "2026-03-01", LAST, "today"),
        ("dana", "omar", FIRST, "2027-03-10", "at most"),
        ("dana", "omar", FIRST, "9999-12-31", "at most"),
        ("dana", "omar", "9.3.2026", LAST, "written as"),
        ("vera", "dana", FIRST, FIRST, "absence in these days already"),
        ("dana", "ines", FIRST, LAST, "no such person"),
        ("ines", "dana", FIRST, LAST, "no such person"),
    ],
)
def test_what_makes_no_sense_is_refused(who: str, deputy: str, first: str, last: str, why: str, site: Office) -> None:
    site.away("vera", "omar", "2026-03-02", FIRST)
    with pytest.raises((Malformed, NotAllowed), match=why):
        site.away(who, deputy, first, last)


def test_a_deputy_who_left_or_has_no_role_is_refused(site: Office) -> None:
    site.enact("end_role", person=site.people["omar"], role="employee")
    with pytest.raises(NotAllowed, match="no rights"):
        site.away("dana", "omar")
    site.enact("end_person", person=site.people["omar"])
    with pytest.raises(NotAllowed, match="no such person"):
        site.away("dana", "omar")


def test_one_names_a_deputy_of_ones_own_team_for_oneself_alone(site: Office) -> None:
    people = site.people
    days = {"from_day": FIRST, "until_day": LAST}
    with pytest.raises(NotAllowed, match="member of a team"):
        site.as_somebody(site.by("omar"), "add_absence", person=people["omar"], deputy=people["vera"], **days)
    with pytest.raises(NotAllowed):
        site.as_somebody(site.by("omar"), "add_absence", person=people["dana"], deputy=people["omar"], **days)
    made = site.as_somebody(site.by("omar"), "add_absence", person=people["omar"], deputy=people["dana"], **days)
    assert made["stands_in_for"] == 0
    with pytest.raises(NotAllowed):
        site.as_somebody(site.by("dana"), "end_absence", person=people["omar"])


def test_it_is_ended_early_and_one_to_come_is_taken_back(site: Office, time: Time) -> None:
    site.away("dana", "eve")
    site.away("dana", "omar", "2026-04-01", "2026-04-02")
    time.set(f"{FIRST}T09:00")
    assert site.capacity("eve") is Capacity.DEPUTY
    assert site.enact("end_absence", person=site.people["dana"]) == {"ended": 2}
    assert site.capacity("eve") is None
    time.set("2026-04-01T09:00")
    assert site.enact("end_absence", person=site.people["dana"]) == {"ended": 0}
    assert set(site.told("absence")[-2:]) == {("omar", "deputy_ended"), ("eve", "deputy_ended")}


def test_a_row_that_nobody_signed_gives_nothing(site: Office, time: Time) -> None:
    site.away("dana", "eve")
    time.set(f"{FIRST}T09:00")
    assert site.people["eve"] in site.database.read_now(
        lambda c: office(c, site.authority.key, site.tour["case"], site.now_us)
    )
    later = tables.absence.update().values(until_us=site.now_us + 10**15)
    site.database.call(lambda tx: tx.execute(later))
    assert site.capacity("eve") is None


def test_an_absent_one_without_rights_gives_their_deputy_none(site: Office, time: Time) -> None:
    site.away("vera", "dana")
    time.set(f"{FIRST}T09:00")
    assert site.capacity("dana", site.alone) is Capacity.DEPUTY
    site.enact("end_role", person=site.people["vera"], role="employee")
    assert site.capacity("dana", site.alone) is None


def test_a_deputy_who_leaves_is_told_to_the_supervisor_or_followed_by_the_successor(site: Office, time: Time) -> None:
    site.away("vera", "dana")
    site.enact("leave", person=site.people["dana"], successor=site.people["omar"])
    time.set(f"{FIRST}T09:00")
    assert site.capacity("omar", site.alone) is Capacity.DEPUTY
    site.enact("end_person", person=site.people["omar"])
    assert site.told("absence")[-1] == ("eve", "deputy_left")


def test_who_is_stood_in_for_by_anothers_doing_is_told(site: Office) -> None:
    site.away("vera", "dana")
    told = [("dana", "deputy_named"), ("vera", "deputy_for_you")]
    assert sorted(site.told("absence")) == told
    people, days = site.people, {"from_day": FIRST, "until_day": LAST}
    site.as_somebody(site.by("omar"), "add_absence", person=people["omar"], deputy=people["dana"], **days)
    told = [("dana", "deputy_named"), *told]
    assert sorted(site.told("absence")) == told
    site.enact("leave", person=people["dana"], successor=people["eve"])
    told += [("eve", "deputy_named"), ("vera", "deputy_for_you"), ("eve", "deputy_named"), ("omar", "deputy_for_you")]
    assert sorted(site.told("absence")) == sorted(told)


def test_a_deputy_stays_one_only_while_both_share_a_team(site: Office, time: Time) -> None:
    """Dana is of two teams: of vera's and of omar's; eve supervises vera's."""
    days = {"from_day": FIRST, "until_day": LAST}
    dana, vera, omar = (site.people[name] for name in ("dana", "vera", "omar"))
    site.as_somebody(site.by("vera"), "add_absence", person=vera, deputy=dana, **days)
    site.as_somebody(site.by("omar"), "add_absence", person=omar, deputy=dana, **days)
    time.set(f"{FIRST}T09:00")
    assert site.capacity("dana", site.alone) is Capacity.DEPUTY
    done = site.enact("remove_team_member", team="other@agency.example", person=dana)
    assert done == {"ended": 1, "absences": 1}
    assert site.capacity("dana", site.alone) is None
    told = [("dana", "deputy_ended"), ("vera", "deputy_gone"), ("eve", "deputy_left")]
    assert sorted(site.told("absence")) == sorted([("dana", "deputy_named"), ("dana", "deputy_named"), *told])
    assert len(site.absences()) == 1, "they stand in for omar, of whose team they are, as before"
    entries = site.database.read_now(lambda c: c.execute(select(tables.leaf.c.kind)).scalars().all())
    assert entries.count("absence_ended") == 1
    again = site.enact("remove_team_member", team="other@agency.example", person=dana)
    assert again == {"ended": 0, "absences": 0}


def test_it_ends_as_well_where_the_absent_one_leaves_the_team(site: Office) -> None:
    site.away("vera", "eve")
    assert site.enact("remove_team_member", team="other@agency.example", person="vera")["absences"] == 1
    assert site.absences() == []
    told = {("eve", "deputy_named"), ("vera", "deputy_for_you"), ("eve", "deputy_ended"), ("vera", "deputy_gone")}
    assert set(site.told("absence")) == told


def test_it_goes_on_where_they_share_another_team_or_never_shared_one(site: Office) -> None:
    site.enact("add_team_member", team="desk@agency.example", person="vera")
    site.away("vera", "dana")
    site.away("omar", "eve")
    assert site.enact("remove_team_member", team="other@agency.example", person="dana")["absences"] == 0
    assert site.enact("remove_team_member", team="desk@agency.example", person="omar")["absences"] == 0
    assert len(site.absences()) == 2


def test_a_row_that_nobody_signed_keeps_nobody_in_a_team(site: Office) -> None:
    site.away("vera", "eve")
    later = tables.absence.update().values(until_us=site.now_us + 10**15)
    site.database.call(lambda tx: tx.execute(later))
    done = site.enact("remove_team_member", team="other@agency.example", person="vera")
    assert done == {"ended": 1, "absences": 0}
