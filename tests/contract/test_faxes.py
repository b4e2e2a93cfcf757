"""Faxes on their way into the tray: kept octet for octet, each counted once, whatever brings it, however often."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, update
from structlog.testing import capture_logs

from gateway.casework import filing
from gateway.casework.correspondence import REPEAT_WINDOW_US
from gateway.config import FaxSettings, load
from gateway.domain.clock import to_microseconds
from gateway.domain.errors import StoreFull, StoreUnavailable
from gateway.domain.fax import Fax, Outcome, Review
from gateway.domain.intake import Tray, month_of
from gateway.domain.summary import Arrival, Summary
from gateway.findings import State
from gateway.inbound.fax.alarms import Alarms, figures
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.public_door import fax_line
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.fax import clock_offset_us, facts_of, repeats_of, rhythm, source_counts
from gateway.store.intake import NoIntakeKey, items
from gateway.store.sealing import body_key, open_box, summary_context, summary_key
from gateway.store.segments import SegmentReader
from gateway.store.tables import (
    fax_arrival,
    fax_recognition,
    intake,
    leaf,
    message,
    message_wrap,
    repeat,
    sealing_key,
    segment,
)
from tests.contract.test_privileges import OpenAs, open_as
from tests.faxes import Draw, cisco, failure, hylafax, mail, part, ricoh, sample, tiff, words
from tests.settled import DEPOSIT_KEY, Settled

__all__ = ["open_as"]

LINE = Source("line-one")
HEADERS = ["From: fax@office.example", "To: intake@gateway.example", "Subject: Fax", "Message-ID: <1@office.example>"]


def fax_settings(folder: Path) -> FaxSettings:
    """Settings of a line with one fax server, that is silent after an hour, and whose faxes may wait for two."""
    text = """[site]
name = "Agency"
domain = "gateway.example"
portal_url = "https://gateway.example/"
environment = "trial"
[notifier]
relay = "localhost"
[fax]
overdue_after = "2 h"
metrics = "127.0.0.1:0"
[fax.servers.router]
listen = ["127.0.0.1:0"]
networks = ["127.0.0.0/8"]
silent_after = "1 h"
"""
    (folder / "gateway.toml").write_text(text)
    own = load(folder / "gateway.toml").fax
    assert own is not None
    return own


class House(Settled):
    """An invented site that takes faxes, whose keyholder has made this month's key."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        self.blobs = BlobFolder(folder / "blobs")
        self.intake = FaxIntake(database, self.blobs, self.authority.key, DEPOSIT_KEY)
        self.enact("add_intake_key", month=month_of(datetime.now(UTC)))

    def all(self, table: Table) -> list[Any]:
        return list(self.database.read_now(lambda connection: connection.execute(select(table)).all()))

    def let_leases_end(self) -> None:
        """As if nobody had tried to have a fax recognised for a while."""
        self.database.call(lambda tx: tx.execute(update(fax_recognition).values(tried_us=None)))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(row.body)["facts"] for row in self.all(leaf) if row.kind == kind]

    def opened(self, reference: str) -> tuple[Summary, bytes]:
        """What only the keyholder can read of an item."""
        (item,) = [one for one in self.all(intake) if one.reference == reference]
        (row,) = [one for one in self.all(message) if one.id == item.message_id]
        (wrap,) = [one for one in self.all(message_wrap) if one.message_id == row.id]
        (part,) = [one for one in self.all(segment) if one.message_id == row.id]
        content_key = self.authority.unwrap(wrap.key_id, wrap.suite, bytes(wrap.wrapped), row.id)
        box = open_box(summary_key(content_key, row.id), bytes(row.sealed_summary), summary_context(row.id))
        return Summary.from_bytes(box), b"".join(SegmentReader(self.blobs, part, body_key(content_key, row.id)).read())


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


# ---- what is kept


async def test_a_fax_is_kept_octet_for_octet_with_what_it_tells_sealed_beside_it(house: House) -> None:
    made = sample(0)
    entered = await house.intake.take(LINE, made.mail)
    summary, octets = house.opened(entered.reference)
    assert sha256(octets).digest() == sha256(made.mail).digest()
    assert isinstance(summary.fax, Fax)
    assert (summary.fax.profile, summary.fax.calling, summary.fax.called) == ("cisco", made.calling, made.called)
    (row,) = house.database.read_now(lambda rows: items(rows, Tray.CASES, limit=9))
    assert (row.kind, row.reference) == ("fax", entered.reference)


async def test_nothing_that_a_fax_tells_of_its_sender_rests_in_the_clear(house: House, tmp_path: Path) -> None:
    made = hylafax(Draw(1, 2))
    await house.intake.take(LINE, made.mail)
    digest = sha256(made.document)
    told = repr([list(map(tuple, house.all(table))) for table in (message, intake, fax_arrival, repeat, leaf, segment)])
    for word in (made.calling[2:], made.station, made.job, digest.hexdigest(), repr(digest.digest())):
        assert word not in told
    for path in (tmp_path / "blobs").rglob("*"):
        assert path.is_dir() or made.station.encode() not in path.read_bytes()


async def test_the_entry_names_source_pages_and_commitment(house: House) -> None:
    made = sample(0)
    entered = await house.intake.take(LINE, made.mail)
    (facts,) = house.entries("taken_in")
    assert (facts["source"], facts["profile"], facts["type"]) == ("line-one", "cisco", "fax")
    assert (facts["claimed"], facts["counted"], facts["review"]) == (made.pages, made.pages, [])
    assert facts["reference"] == entered.reference
    assert facts["commitment"]
    assert facts["octets"] == len(made.mail)


async def test_a_fax_is_filed_to_a_case_as_outside_mail_is(house: House) -> None:
    entered = await house.intake.take(LINE, sample(0).mail)
    key = house.authority.key
    move = house.database.read_now(filing.find_filing, key, entered.reference, str(house.tour["reference"]), None, 0)
    assert isinstance(move, filing.Move)


async def test_what_cannot_be_parsed_is_kept_sealed_for_review(house: House) -> None:
    for number, odd in enumerate([b"", b"\0\xff" * 500, b"Subject: x", b"Content-Type: multipart/mixed\r\n\r\n--"]):
        entered = await house.intake.take(LINE, odd)
        assert entered.outcome is Outcome.FILED, number
        summary, octets = house.opened(entered.reference)
        assert octets == odd
        assert summary.fax is not None
        assert Review.NO_DOCUMENT in summary.fax.review


async def test_what_to_look_at_twice_stands_beside_the_item(house: House) -> None:
    octets = mail([*HEADERS[:2], "Subject: Fax (3 pages)"], [part("image/tiff; name=Cisco_fax.tif", tiff(("one",)))])
    entered = await house.intake.take(LINE, octets)
    (item,) = [one for one in house.all(intake) if one.reference == entered.reference]
    facts = house.database.read_now(facts_of, [item.message_id])[item.message_id]
    assert (facts.review, facts.pages_claimed, facts.pages_counted) == ("fewer-pages", 3, 1)


# ---- once


async def test_the_same_mail_five_times_is_one_fax_and_writes_once(house: House) -> None:
    made = sample(4)
    first = await house.intake.take(LINE, made.mail)
    before = len(house.all(leaf))
    again = [await house.intake.take(LINE, made.mail) for _ in range(4)]
    assert {one.reference for one in again} == {first.reference}
    assert all(one.known for one in again)
    assert (len(house.all(fax_arrival)), len(house.all(leaf))) == (1, before)


async def test_the_same_mail_from_two_gateways_at_once_is_one_fax(house: House) -> None:
    made = sample(4)
    await asyncio.gather(*(house.intake.take(LINE, made.mail) for _ in range(8)))
    assert len(house.all(intake)) == len(house.all(fax_arrival)) == 1


async def test_a_mail_that_gained_trace_fields_on_its_way_is_the_same(house: House) -> None:
    made = sample(4)
    first = await house.intake.take(LINE, made.mail)
    traced = b"Received: from a by b; Mon, 2 Mar 2026 09:00:00 +0000\r\nReturn-Path: <fax@x.example>\r\n" + made.mail
    assert (await house.intake.take(LINE, traced)).reference == first.reference


async def test_a_fax_sent_once_more_is_a_repeat_with_an_entry(house: House) -> None:
    draw = Draw(1, 3)
    later = Draw(1, 3)
    later.at = draw.at.replace(hour=23)
    later.number = 99
    first = await house.intake.take(LINE, cisco(draw).mail)
    again = await house.intake.take(LINE, cisco(later).mail)
    assert (again.outcome, again.reference) == (Outcome.REPEATED, first.reference)
    assert len(house.all(intake)) == 1
    assert [facts["reference"] for facts in house.entries("fax_repeated")] == [first.reference]
    (item,) = house.all(intake)
    assert house.database.read_now(repeats_of, item.message_id) == 1


async def test_a_fax_sent_once_more_after_the_first_was_put_aside_waits_in_the_tray(house: House) -> None:
    draw, later = Draw(1, 3), Draw(1, 3)
    later.number = 99
    first = await house.intake.take(LINE, cisco(draw).mail)
    put_aside = update(intake).where(intake.c.reference == first.reference).values(discarded_us=1)
    house.database.call(lambda tx: tx.execute(put_aside))
    again = await house.intake.take(LINE, cisco(later).mail)
    assert (again.outcome, again.known) == (Outcome.FILED, False)
    waiting = house.database.read_now(lambda connection: items(connection, Tray.CASES, limit=9))
    assert [row.reference for row in waiting] == [again.reference] != [first.reference]
    later.number = 100
    assert (await house.intake.take(LINE, cisco(later).mail)).reference == again.reference


async def test_the_same_pages_from_another_caller_are_another_fax(house: House) -> None:
    draw, other = Draw(1, 3), Draw(1, 3)
    other.calling = "+12025559999"
    other.number = 99
    await house.intake.take(LINE, cisco(draw).mail)
    await house.intake.take(LINE, cisco(other).mail)
    assert len(house.all(intake)) == 2


async def test_a_number_that_a_machine_gives_again_hides_no_fax(house: House) -> None:
    draw, other = Draw(1, 5), Draw(2, 5)
    other.station, other.count, other.texts = draw.station, draw.count, tuple(f"other {one}" for one in draw.texts)
    for one in (draw, other):
        await house.intake.take(LINE, ricoh(one).mail)
    assert len(house.all(intake)) == 2


@pytest.mark.parametrize("line", ["Fax number: +12025550100", "Fax: 202-555-0100", "Reference: intake-desk"])
async def test_what_looks_like_a_number_in_the_mail_of_an_unknown_system_hides_no_fax(house: House, line: str) -> None:
    for number, text in enumerate(("one", "other")):
        octets = mail(HEADERS, [words(f"{line}\nPages: 1\n"), part("image/tiff", tiff([text]))])
        await house.intake.take(LINE, octets.replace(b"<1@", b"<%d@" % number))
    assert len(house.all(intake)) == 2


async def test_a_fax_that_came_again_whole_is_another_one(house: House) -> None:
    text = "Sender: A\nPages: {}\nCallID1: 2025550100\nCommID: 000123456\n"
    for pages in (("one",), ("one", "two")):
        octets = mail(HEADERS, [words(text.format(len(pages))), part("image/tiff", tiff(pages))])
        await house.intake.take(LINE, octets.replace(b"<1@", b"<%d@" % len(pages)))
    assert len(house.all(intake)) == 2


async def test_pages_are_known_for_a_week_and_no_longer(house: House) -> None:
    draw, later = Draw(1, 3), Draw(1, 3)
    later.number = 99
    await house.intake.take(LINE, cisco(draw).mail)
    house.database.call(lambda tx: tx.execute(update(repeat).values(at_us=repeat.c.at_us - REPEAT_WINDOW_US)))
    await house.intake.take(LINE, cisco(later).mail)
    assert len(house.all(intake)) == 2


# ---- what is no fax


async def test_a_notice_of_failure_is_entered_once_and_nothing_of_it_is_kept(house: House) -> None:
    for _ in range(2):
        entered = await house.intake.take(LINE, failure(1))
        assert entered.outcome is Outcome.FAILURE
    assert house.all(message) == house.all(intake) == []
    (facts,) = house.entries("fax_failed")
    assert (facts["source"], facts["profile"]) == ("line-one", "hylafax")


async def test_what_is_left_in_its_mailbox_is_entered_once(house: House) -> None:
    for _ in range(2):
        await house.intake.leave(LINE, 7, 12, 10**9)
    (row,) = house.all(fax_arrival)
    assert row.outcome == Outcome.LEFT.value
    assert [facts["octets"] for facts in house.entries("fax_left")] == [10**9]


# ---- nothing is kept by halves


async def test_without_this_months_key_nothing_is_taken(house: House) -> None:
    of_month = sealing_key.c.month.is_not(None)
    house.database.call(lambda tx: tx.execute(update(sealing_key).where(of_month).values(retired_us=1)))
    with pytest.raises(NoIntakeKey):
        await house.intake.take(LINE, sample(0).mail)
    assert house.all(message) == []


async def test_with_a_full_disk_nothing_is_taken(house: House, tmp_path: Path) -> None:
    full = replace(house.intake, blobs=BlobFolder(tmp_path / "full", reserve_octets=1 << 60))
    with pytest.raises(StoreFull):
        await full.take(LINE, sample(0).mail)
    assert house.all(message) == house.all(fax_arrival) == []


async def test_with_the_vault_away_nothing_is_said_to_be_taken(house: House) -> None:
    house.database._die()
    with pytest.raises(StoreUnavailable):
        await house.intake.take(LINE, sample(0).mail)


async def test_the_program_may_do_all_this_and_no_more(house: House, open_as: OpenAs) -> None:
    own = replace(house.intake, database=open_as("fax"))
    first = await own.take(LINE, sample(0).mail)
    assert (await own.take(LINE, sample(0).mail)).reference == first.reference
    draw, later = Draw(1, 3), Draw(1, 3)
    later.number = 99
    await own.take(LINE, cisco(draw).mail)
    assert (await own.take(LINE, cisco(later).mail)).outcome is Outcome.REPEATED
    assert (await own.take(LINE, failure(1))).outcome is Outcome.FAILURE
    assert (await own.leave(LINE, 7, 12, 10**9)).outcome is Outcome.LEFT
    await own.database.read(rhythm, "line-one", 1 << 60)


# ---- how sources do


async def test_each_source_is_counted_for_itself(house: House) -> None:
    for number in range(3):
        await house.intake.take(LINE, sample(number).mail)
    await house.intake.take(LINE, failure(1))
    await house.intake.take(Source("line-two"), sample(9).mail)
    one, two, three = house.database.read_now(source_counts, ["line-one", "line-two", "line-three"])
    assert (one.source, one.received, one.waiting, one.outcomes[Outcome.FAILURE]) == ("line-one", 4, 3, 1)
    assert (two.received, two.waiting) == (1, 1)
    assert (three.received, three.waiting, three.last_us, three.oldest_us) == (0, 0, None, None)


async def test_the_longest_pause_of_a_source_is_found(house: House) -> None:
    for number in range(4):
        await house.intake.take(LINE, sample(number).mail)
    rows = sorted(house.all(fax_arrival), key=lambda row: row.at_us)
    for row, at_us in zip(rows, (1_000, 2_000, 9_000, 9_500), strict=True):
        moved = update(fax_arrival).where(fax_arrival.c.id == row.id).values(at_us=at_us)
        house.database.call(lambda tx, moved=moved: tx.execute(moved))
    found = house.database.read_now(rhythm, "line-one", 10_000)
    assert found is not None
    assert (found.arrivals, found.last_us, found.longest_us) == (4, 9_500, 7_000)
    assert house.database.read_now(rhythm, "line-two", 10_000) is None


async def test_a_fax_that_came_before_its_time_is_marked_and_its_source_is_known_to_be_ahead(house: House) -> None:
    for number in range(4):
        told = to_microseconds(Draw(1, number).at)
        assert house.database.read_now(clock_offset_us, "line-one") is None or number == 3
        await house.intake.take(LINE, sample(number).mail, arrived_us=told - (15 + number) * 60_000_000)
    assert all(row.review.endswith("clock") for row in house.all(fax_arrival))
    assert house.database.read_now(clock_offset_us, "line-one") == 18 * 60_000_000
    assert house.database.read_now(clock_offset_us, "line-two") is None


async def test_one_fax_that_was_late_says_nothing_of_the_clock(house: House) -> None:
    for number in range(7):
        arrived_us = to_microseconds(Draw(1, number).at) + (3600 if number == 6 else 20) * 1_000_000
        await house.intake.take(LINE, sample(number).mail, arrived_us=arrived_us)
    assert ["clock" in row.review for row in house.all(fax_arrival)].count(True) == 1
    found = house.database.read_now(clock_offset_us, "line-one")
    assert found is not None
    assert -60_000_000 <= found <= 0


async def test_alarms_are_raised_once_for_a_silence_and_once_a_day_for_what_waits(
    house: House, tmp_path: Path, open_as: OpenAs
) -> None:
    own = fax_settings(tmp_path)
    await house.intake.take(Source("router"), sample(0).mail)
    ago = update(fax_arrival).values(at_us=fax_arrival.c.at_us - 3 * 3600 * 1_000_000)
    house.database.call(lambda tx: tx.execute(ago))
    waits = update(message).values(received_us=message.c.received_us - 3 * 3600 * 1_000_000)
    house.database.call(lambda tx: tx.execute(waits))
    alarms = Alarms(own, open_as("fax"))
    with capture_logs() as logs:
        for _ in range(3):
            await alarms.look()
    assert [(one["event"], one["source"], one["hours"]) for one in logs] == [
        ("fax source silent", "router", 3), ("fax overdue", "router", 3),
    ]  # fmt: skip


async def test_the_doctor_tells_of_a_source_s_clock_and_of_what_waits_too_long(
    house: House, tmp_path: Path, store_url: str
) -> None:
    fax_settings(tmp_path)
    settings = load(tmp_path / "gateway.toml")
    settings = replace(settings, store=replace(settings.store, url=store_url))
    assert [(one.name, one.state) for one in fax_line(settings)] == [("fax source router", State.WARNING)]
    for number in range(3):
        late_us = to_microseconds(Draw(1, number).at) + 3600 * 1_000_000
        await house.intake.take(Source("router"), sample(number).mail, arrived_us=late_us)
    waits = update(message).values(received_us=message.c.received_us - 3 * 3600 * 1_000_000)
    house.database.call(lambda tx: tx.execute(waits))
    found = {one.name: (one.state, one.found) for one in fax_line(settings)}
    assert found["fax clock router"] == (State.WARNING, "its clock is 60 minutes behind ours")
    assert found["fax desk router"] == (State.PROBLEM, "3 wait, for longer than 2 h")


async def test_the_program_tells_figures_of_each_source(house: House, tmp_path: Path, open_as: OpenAs) -> None:
    own = fax_settings(tmp_path)
    for number in range(3):
        await house.intake.take(Source("router"), sample(number).mail)
    await house.intake.take(Source("router"), failure(1))
    await house.intake.take(Source("of-old"), sample(9).mail)
    found = await open_as("fax").read(figures, own, to_microseconds(datetime.now(UTC)))
    told = {one.name: dict(one.values) for one in found}
    assert told["gateway_fax_received"] == {"router": 4.0}
    assert told["gateway_fax_filed"] == told["gateway_fax_waiting"] == {"router": 3.0}
    assert told["gateway_fax_failure"] == {"router": 1.0}
    assert (told["gateway_fax_recognised"], told["gateway_fax_unrecognised"]) == ({"router": 0.0}, {"router": 3.0})
    assert told["gateway_fax_silent"] == {"router": 0.0}
    assert 0 <= told["gateway_fax_oldest_seconds"]["router"] < 600


async def test_how_a_fax_came_by_smtp_is_sealed_with_it(house: House) -> None:
    way = Arrival("fax@router.example", ("FAX=+12025550142@gateway.example",), "router.example", "192.0.2.9")
    octets = mail(HEADERS, [part("image/tiff; application=faxbw", tiff(("one",)))])
    summary, _ = house.opened((await house.intake.take(LINE, octets, way)).reference)
    assert summary.arrival == way
    assert summary.fax is not None
    assert summary.fax.called == "+12025550142"
