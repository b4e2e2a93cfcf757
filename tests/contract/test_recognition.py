"""What was recognised of a fax: sealed to a key of its own, once for each version, open to who may open its summary."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from gateway.casework.cover_sheets import make_sheets
from gateway.casework.recognising import (
    LEASE_US,
    MOST_TRIES,
    Try,
    begin_try,
    enter_recognition,
    found_of,
    recognise_now,
    take_back_try,
)
from gateway.domain.errors import ScreeningUnavailable, Tampered
from gateway.domain.layout import Layouts
from gateway.domain.partmap import Part, PartMap
from gateway.domain.recognition import Recognition, Sort
from gateway.domain.summary import Mailbox, OwnKey, Summary
from gateway.inbound.fax.recogniser import End, Held, Recogniser
from gateway.store.database import Database
from gateway.store.fax import source_counts
from gateway.store.pairs import new_pair
from gateway.store.recognition import (
    new_recognition_key,
    open_recognition,
    proven_key,
    proving_key,
    recognition_row,
    seal_recognition,
)
from gateway.store.sealing import MLKEM768_X25519, MLKEM1024_P384
from gateway.store.tables import fax_recognition, intake
from gateway.store.transaction import Transaction
from tests.contract.test_faxes import LINE, House
from tests.contract.test_privileges import OpenAs, open_as
from tests.fax_reader import Reader, recognition
from tests.faxes import failure, sample
from tests.settled import DEPOSIT_KEY

__all__ = ["open_as"]

PROVING = proving_key(DEPOSIT_KEY)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


async def filed(house: House, number: int = 0) -> str:
    return (await house.intake.take(LINE, sample(number).mail)).message_id


def row_of(house: House, message_id: str) -> Any:
    return house.database.read_now(recognition_row, message_id)


def summary_of(house: House, message_id: str) -> Summary:
    (item,) = [row for row in house.all(intake) if row.message_id == message_id]
    return house.opened(item.reference)[0]


def recogniser_of(house: House, reader: Reader) -> Recogniser:
    return Recogniser(house.intake, reader, Layouts())


# ---- sealed


async def test_what_was_recognised_opens_with_the_summary_and_nothing_else(house: House) -> None:
    message_id = await filed(house)
    assert await recogniser_of(house, Reader()).settle(message_id, sample(0).mail) is End.NOW
    row, summary = row_of(house, message_id), summary_of(house, message_id)
    assert open_recognition(summary, row) == recognition()
    assert (row.version, row.sections, row.complete) == (1, 1, 1)
    private, _ = new_pair(MLKEM768_X25519)
    with pytest.raises(Tampered):
        open_recognition(replace(summary, own_key=OwnKey(MLKEM768_X25519, private)), row)


async def test_no_value_of_it_rests_in_the_clear_or_in_the_record(house: House) -> None:
    message_id = await filed(house)
    await recogniser_of(house, Reader()).settle(message_id, sample(0).mail)
    assert "Ines" not in repr([list(map(tuple, house.all(fax_recognition)))])
    (facts,) = house.entries("fax_recognised")
    assert facts == {
        "message": message_id, "version": 1, "pages": 1, "sections": 1, "sorts": ["form"], "complete": True,
        "proposed": None,
    }  # fmt: skip


@pytest.mark.parametrize("suite", [MLKEM768_X25519, MLKEM1024_P384])
def test_either_suite_seals_and_opens(suite: int) -> None:
    own, public = new_recognition_key(PROVING, suite, "m1")
    sealed = seal_recognition(public, 3, recognition())
    row = Row(suite=suite, message_id="m1", version=3, sealed=sealed)
    assert open_recognition(summary_with(own), row) == recognition()


@pytest.mark.parametrize("changed", [{"message_id": "m2"}, {"version": 4}, {"suite": 2}, {"sealed": b"\0" * 2000}])
def test_what_is_put_to_another_fax_or_version_or_altered_does_not_open(changed: dict[str, Any]) -> None:
    own, public = new_recognition_key(PROVING, MLKEM768_X25519, "m1")
    told = {"suite": 1, "message_id": "m1", "version": 3, "sealed": seal_recognition(public, 3, recognition())}
    with pytest.raises(Tampered):
        open_recognition(summary_with(own), Row(**(told | changed)))


def test_what_is_sealed_and_is_no_recognition_does_not_pass_for_one() -> None:
    own, public = new_recognition_key(PROVING, MLKEM768_X25519, "m1")

    class Hostile:
        def to_bytes(self) -> bytes:
            return b'{"pages":[["2",1,0,false]],"sections":[{"pages":[7]}],"complete":true}'

    sealed = seal_recognition(public, 1, Hostile())  # type: ignore[arg-type]
    with pytest.raises(Tampered):
        open_recognition(summary_with(own), Row(suite=1, message_id="m1", version=1, sealed=sealed))


async def test_nothing_is_sealed_to_a_key_that_somebody_else_put_there(house: House) -> None:
    message_id = await filed(house)
    _, theirs = new_pair(MLKEM768_X25519)
    house.database.call(lambda tx: tx.execute(update(fax_recognition).values(public=theirs)))
    with pytest.raises(Tampered):
        proven_key(PROVING, row_of(house, message_id))
    with pytest.raises(Tampered):
        await recogniser_of(house, Reader()).settle(message_id, sample(0).mail)
    assert row_of(house, message_id).sealed is None


async def test_a_fax_from_before_there_were_keys_is_read_and_has_nothing_recognised(house: House) -> None:
    message_id = await filed(house)
    old = Summary.from_bytes(replace(summary_of(house, message_id), own_key=None).to_bytes())
    assert old.own_key is None
    house.database.call(lambda tx: tx.execute(fax_recognition.delete()))
    assert open_recognition(old, row_of(house, message_id)) is None
    assert await recogniser_of(house, Reader()).settle(message_id, sample(0).mail) is End.BEFORE
    found = await recognise_now(house.database, Reader(), Layouts(), message_id, old, sample(0).mail, by="operator")
    assert found == recognition()
    assert house.all(fax_recognition) == []


def test_a_summary_whose_key_is_none_is_tampered_with() -> None:
    octets = summary_with(OwnKey(1, b"x" * 96)).to_bytes()
    for value in (b'[1,"zz"]', b'["1","00"]', b"[1]", b"7"):
        with pytest.raises(Tampered):
            Summary.from_bytes(octets.replace(b'[1,"' + b"78" * 96 + b'"]', value))


# ---- once


async def test_a_fax_is_recognised_once_whoever_comes(house: House) -> None:
    message_id = await filed(house)
    reader = Reader()
    ends = [await recogniser_of(house, reader).settle(message_id, sample(0).mail) for _ in range(3)]
    assert ends == [End.NOW, End.BEFORE, End.BEFORE]
    assert len(reader.asked) == len(house.entries("fax_recognised")) == 1


async def test_the_first_of_a_version_wins_and_a_newer_one_takes_its_place(house: House) -> None:
    message_id = await filed(house)
    key = proven_key(PROVING, row_of(house, message_id))
    for version, name, is_entered in ((1, "first", True), (1, "late", False), (2, "newer", True), (1, "old", False)):
        found = recognition(name=name)
        sealed = seal_recognition(key, version, found)
        entered = house.database.call(enter_recognition, found_of(message_id, version, sealed, found), "fax")
        assert entered is is_entered, name
    told = open_recognition(summary_of(house, message_id), row_of(house, message_id))
    assert told == recognition(name="newer")
    assert [facts["version"] for facts in house.entries("fax_recognised")] == [1, 2]


async def test_documents_of_every_system_are_given_octet_for_octet_by_their_part(house: House) -> None:
    for number in range(7):
        message_id = await filed(house, number)
        reader = Reader()
        await recogniser_of(house, reader).settle(message_id, sample(number).mail)
        path, octets = reader.asked[0][0]
        summary = summary_of(house, message_id)
        assert summary.fax is not None
        assert octets == sample(number).document
        assert path in [one.path for one in summary.fax.documents]


async def test_of_what_has_no_page_an_empty_recognition_is_entered_without_a_child(house: House) -> None:
    odd = b"Subject: x\r\n\r\nno document"
    message_id = (await house.intake.take(LINE, odd)).message_id
    reader = Reader()
    assert await recogniser_of(house, reader).settle(message_id, odd) is End.NOW
    assert reader.asked == []
    assert open_recognition(summary_of(house, message_id), row_of(house, message_id)) == Recognition((), ())


# ---- tries


async def test_without_children_it_is_later_and_no_try(house: House) -> None:
    message_id = await filed(house)
    reader = Reader(ScreeningUnavailable("none"), recognition())
    assert await recogniser_of(house, reader).settle(message_id, sample(0).mail) is End.LATER
    row = row_of(house, message_id)
    assert (row.attempts, row.version) == (0, 0)
    with later(house, LEASE_US):
        assert await recogniser_of(house, reader).settle(message_id, sample(0).mail) is End.NOW


async def test_while_one_program_has_it_another_waits(house: House) -> None:
    message_id = await filed(house)
    assert house.database.call(begin_try, message_id) is Try.BEGUN
    assert house.database.call(begin_try, message_id) is Try.LATER
    reader = Reader()
    assert await recogniser_of(house, reader).settle(message_id, sample(0).mail) is End.LATER
    assert reader.asked == []


async def test_what_ends_its_program_each_time_is_given_up_and_is_for_a_person(house: House) -> None:
    message_id = await filed(house)
    for time in range(MOST_TRIES):
        with later(house, time * LEASE_US):
            assert house.database.call(begin_try, message_id) is Try.BEGUN
    reader = Reader()
    with later(house, MOST_TRIES * LEASE_US):
        assert await recogniser_of(house, reader).settle(message_id, sample(0).mail) is End.NOW
    assert reader.asked == []
    told = open_recognition(summary_of(house, message_id), row_of(house, message_id))
    assert told == Recognition((), (), complete=False)
    (facts,) = house.entries("fax_recognised")
    assert (facts["sections"], facts["complete"]) == (0, False)


async def test_a_try_is_taken_back_once(house: House) -> None:
    message_id = await filed(house)
    house.database.call(begin_try, message_id)
    for _ in range(2):
        house.database.call(take_back_try, message_id)
    assert row_of(house, message_id).attempts == 0


async def test_what_is_no_fax_is_over_at_once(house: House) -> None:
    assert house.database.call(begin_try, "nobody") is Try.OVER
    await house.intake.take(LINE, failure(1))
    recogniser = recogniser_of(house, Reader())
    assert await recogniser.fax_of(failure(1)) == ""
    assert await recogniser.fax_of(b"Subject: never seen\r\n\r\n") is None
    message_id = await filed(house)
    assert await recogniser.fax_of(sample(0).mail) == message_id


# ---- anew


async def test_who_opens_a_fax_has_it_recognised_anew(house: House) -> None:
    message_id = await filed(house)
    await recogniser_of(house, Reader(recognition(name="first"))).settle(message_id, sample(0).mail)
    summary = summary_of(house, message_id)
    newer = Reader(recognition(name="newer"))
    found = await recognise_now(house.database, newer, Layouts(), message_id, summary, sample(0).mail, by="operator")
    assert found == recognition(name="newer")
    assert open_recognition(summary, row_of(house, message_id)) == found
    assert row_of(house, message_id).version == 2


async def test_without_children_nothing_is_entered_for_who_asks(house: House) -> None:
    message_id = await filed(house)
    none, summary = Reader(ScreeningUnavailable("none")), summary_of(house, message_id)
    with pytest.raises(ScreeningUnavailable):
        await recognise_now(house.database, none, Layouts(), message_id, summary, sample(0).mail, by="operator")
    assert row_of(house, message_id).version == 0


# ---- proposed


async def test_a_cover_sheet_of_ours_proposes_its_case(house: House) -> None:
    sheet = sheet_of(house, house.tour)
    message_id = await filed(house)
    await recogniser_of(house, Reader(recognition(sheet))).settle(message_id, sample(0).mail)
    (item,) = house.all(intake)
    assert (item.proposed_case_id, item.proposed_by) == (house.tour["case"], "cover-sheet")
    (facts,) = house.entries("fax_recognised")
    assert facts["proposed"] == house.tour["case"]
    assert facts["sorts"] == ["form", Sort.COVER_SHEET.value]


async def test_sheets_of_two_cases_or_of_none_propose_nothing(house: House) -> None:
    both = [sheet_of(house, case) for case in (house.tour, house.season)]
    for number, references in enumerate((both, ["CS-7K2Q-9F4T"], ["x" * 60], [])):
        message_id = await filed(house, number)
        await recogniser_of(house, Reader(recognition(*references))).settle(message_id, sample(number).mail)
    assert {row.proposed_case_id for row in house.all(intake)} == {None}


async def test_what_waits_no_more_is_proposed_to_nobody(house: House) -> None:
    sheet = sheet_of(house, house.tour)
    message_id = await filed(house)
    house.database.call(lambda tx: tx.execute(update(intake).values(filed_us=1)))
    await recogniser_of(house, Reader(recognition(sheet))).settle(message_id, sample(0).mail)
    assert house.all(intake)[0].proposed_case_id is None


# ---- privileges and counts


async def test_the_fax_program_may_do_this_and_the_portal_its_part(house: House, open_as: OpenAs) -> None:
    sheet = sheet_of(house, house.tour)
    own = replace(house.intake, database=open_as("fax"))
    message_id = (await own.take(LINE, sample(0).mail)).message_id
    reader = Reader(ScreeningUnavailable("none"), recognition(sheet))
    recogniser = Recogniser(own, reader, Layouts())
    assert await recogniser.fax_of(sample(0).mail) == message_id
    assert await recogniser.settle(message_id, sample(0).mail) is End.LATER
    with later(house, LEASE_US, own.database):
        assert await recogniser.settle(message_id, sample(0).mail) is End.NOW
    assert house.all(intake)[0].proposed_case_id == house.tour["case"]
    summary = summary_of(house, message_id)
    portal = open_as("portal")
    await recognise_now(portal, Reader(recognition(sheet)), Layouts(), message_id, summary, sample(0).mail, by="p1")
    assert row_of(house, message_id).version == 2


async def test_each_source_counts_what_is_recognised_and_what_is_not(house: House) -> None:
    for number in range(3):
        message_id = await filed(house, number)
    await recogniser_of(house, Reader()).settle(message_id, sample(2).mail)
    (count,) = house.database.read_now(source_counts, ["line-one"])
    assert (count.recognised, count.unrecognised) == (1, 2)


# ---- held in memory


def test_what_is_held_has_a_bound_and_is_given_back() -> None:
    held = Held(10)
    assert held.put("a", b"12345")
    assert held.put("b", b"12345")
    assert not held.put("c", b"1")
    assert held.take("a") == b"12345"
    assert held.take("a") is None
    assert held.put("c", b"1")
    assert (held.get("c"), held.total) == (b"1", 6)


# ---- of faxes that lie nowhere but in memory


async def test_a_backlog_goes_on_over_faults_and_comes_back_to_what_was_later(house: House) -> None:
    reader = Reader(KeyError("ours"), recognition())
    recogniser = recogniser_of(house, reader)
    ids = [await filed(house, number) for number in range(3)]
    house.database.call(begin_try, ids[2])  # another program died over it
    for number, message_id in enumerate(ids):
        recogniser.backlog.add(message_id, sample(number).mail)
    recogniser.backlog.add("", failure(1))
    work = asyncio.create_task(recogniser.backlog.run())
    try:
        async with asyncio.timeout(30):
            while len(reader.asked) < 2:
                await asyncio.sleep(0.02)
            house.let_leases_end()
            while recogniser.held.total:
                await asyncio.sleep(0.02)
    finally:
        work.cancel()
    assert [row_of(house, one).version for one in ids] == [0, 1, 1]


async def test_what_finds_no_room_in_memory_is_left_to_who_opens_it_and_told_of(house: House) -> None:
    recogniser = Recogniser(house.intake, Reader(), Layouts(), held=Held(10))
    with capture_logs() as told:
        recogniser.backlog.add(await filed(house), sample(0).mail)
    assert [one["event"] for one in told if one["log_level"] == "warning"] == ["fax unrecognised"]
    assert recogniser.held.total == 0


class Row:
    """A row as it may have been put back by somebody."""

    def __init__(self, **told: Any) -> None:
        self.__dict__.update(told)


def summary_with(own: OwnKey) -> Summary:
    parts = PartMap((Part("1", "text/plain"),))
    return Summary("", Mailbox("", ""), (), (), (), None, "", parts, (), "", "", own_key=own)


def sheet_of(house: House, case: Any) -> str:
    """The reference of a cover sheet for a case."""

    def make(tx: Transaction) -> str:
        (sheet,) = make_sheets(tx, [str(case["reference"])], [], lines={"cwa"}, trial=True)
        return sheet.reference

    return house.database.call(make)


@contextmanager
def later(house: House, by_us: int, *others: Database) -> Iterator[None]:
    """Let the clock of the database go before."""
    databases = [house.database, *others]
    clocks = [one.clock for one in databases]
    for one, clock in zip(databases, clocks, strict=True):
        one.clock = lambda clock=clock: clock() + timedelta(microseconds=by_us + 1)
    try:
        yield
    finally:
        for one, clock in zip(databases, clocks, strict=True):
            one.clock = clock
