"""Faxes that are put into a case: who of the other side is told, which time, and how it is taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from gateway.casework.acknowledging import Receipt, acknowledge_fax, enter_letter, withhold_acknowledgement
from gateway.casework.handling import UNDO_US
from gateway.domain.errors import UnknownRecipient
from gateway.store.claims import claim
from gateway.store.database import Database
from gateway.store.tables import fax_arrival, intake, leaf, outbox
from tests.contract.test_faxes import LINE, House
from tests.contract.test_privileges import OpenAs, open_as
from tests.faxes import sample

__all__ = ["open_as"]

MINUTE_US = 60_000_000


class Line(House):
    """A fax line with two cases: `ines` may act in the tour, `raul` sees both."""

    async def fax(self, number: int = 0, **arrival: int | None) -> str:
        """File a fax, with these facts of its arrival, and return its reference."""
        entered = await self.intake.take(LINE, sample(number).mail)
        if arrival:
            told = update(fax_arrival).where(fax_arrival.c.message_id == self.message(entered.reference))
            self.database.call(lambda tx: tx.execute(told.values(**arrival)))
        return entered.reference

    def message(self, reference: str) -> str:
        (row,) = [one for one in self.all(intake) if one.reference == reference]
        return str(row.message_id)

    def acknowledge(self, reference: str, case: dict[str, Any]) -> int:
        return self.database.call(acknowledge_fax, self.authority.key, case["case"], self.message(reference))

    def all(self, table: Table) -> list[Any]:
        return list(self.database.read_now(lambda connection: connection.execute(select(table)).all()))

    @property
    def now_us(self) -> int:
        return self.database.call(lambda tx: tx.now_us)


@pytest.fixture
def line(database: Database, tmp_path: Path) -> Line:
    return Line(database, tmp_path)


async def test_who_may_act_is_told_the_time_of_the_fax_and_only_after_the_time_for_undoing(line: Line) -> None:
    now_us = line.now_us
    reference = await line.fax(told_us=now_us - MINUTE_US, arrived_us=now_us)
    assert line.acknowledge(reference, line.tour) == 1
    (row,) = line.all(outbox)
    assert (row.kind, row.person_id, row.case_id) == ("submission_received", line.people["ines"], line.tour["case"])
    assert json.loads(row.fields) == {"count": 1, "until_us": now_us - MINUTE_US, "state": "fax_line_time"}
    assert row.due_us == row.created_us + UNDO_US
    assert line.database.call(claim, MINUTE_US, 10) == []
    line.database.call(lambda tx: tx.execute(update(outbox).values(due_us=tx.now_us)))
    (entry,) = line.database.call(claim, MINUTE_US, 10)
    assert entry.address == "ines@tours.example"
    assert str(entry.reference) == line.tour["reference"]
    (told,) = line.entries("fax_acknowledged")
    assert (told["received"], told["own_time"], told["recipients"]) == (now_us - MINUTE_US, 0, [line.people["ines"]])


@pytest.mark.parametrize(
    ("told_us", "arrived_us", "own"),
    [
        pytest.param(None, 0, True, id="no time is told"),
        pytest.param(-9, 0, False, id="nine minutes before it came"),
        pytest.param(9, 0, False, id="nine minutes ahead"),
        pytest.param(11, 0, True, id="eleven minutes ahead"),
        pytest.param(-24 * 60, 0, True, id="a day behind"),
        pytest.param(-24 * 60, -24 * 60, False, id="its mailbox had it a day ago"),
        pytest.param(-24 * 60, None, True, id="a day behind, nobody knows when it came"),
    ],
)
async def test_a_time_that_cannot_be_right_is_not_told_as_the_fax_lines(
    line: Line, told_us: int | None, arrived_us: int | None, own: bool
) -> None:
    now_us = line.now_us
    told = None if told_us is None else now_us + told_us * MINUTE_US
    came = None if arrived_us is None else now_us + arrived_us * MINUTE_US
    reference = await line.fax(told_us=told, arrived_us=came, at_us=now_us, pages_counted=1)
    line.acknowledge(reference, line.tour)
    (row,) = line.all(outbox)
    fields = json.loads(row.fields)
    assert fields["state"] == ("own_time" if own else "fax_line_time")
    assert fields["until_us"] == (now_us if own else told)


async def test_a_fax_that_was_held_up_on_its_way_keeps_its_time_where_others_show_that_the_clock_is_right(
    line: Line,
) -> None:
    now_us = line.now_us
    hour_ago = now_us - 60 * MINUTE_US
    late = await line.fax(0, told_us=hour_ago, arrived_us=now_us, at_us=now_us - 5)
    assert line.database.call(enter_letter, late, "received", "en").is_own_time
    for number in (1, 2):
        await line.fax(number, told_us=now_us - MINUTE_US, arrived_us=now_us, at_us=now_us)
    told = line.database.call(enter_letter, late, "received", "en")
    assert (told.at_us, told.is_own_time) == (hour_ago, False)
    for number in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12):  # all of them an hour behind: so it is the clock
        await line.fax(number, told_us=hour_ago, arrived_us=now_us, at_us=now_us + number)
    assert line.database.call(enter_letter, late, "received", "en").is_own_time


async def test_one_fax_is_acknowledged_once_in_a_case_and_may_be_in_another(line: Line) -> None:
    reference = await line.fax()
    assert line.acknowledge(reference, line.tour) == 1
    assert line.acknowledge(reference, line.tour) == 0
    assert line.acknowledge(reference, line.season) == 0  # who only sees it has sent nothing
    line.add_user("nora", [line.season["reference"]], "act")
    assert line.acknowledge(reference, line.season) == 1


async def test_what_is_taken_back_in_time_is_never_sent_and_can_be_told_anew(line: Line) -> None:
    reference = await line.fax()
    line.acknowledge(reference, line.tour)
    message = line.message(reference)
    assert line.database.call(withhold_acknowledgement, message) == 1
    assert line.database.call(withhold_acknowledgement, message) == 0
    line.database.call(lambda tx: tx.execute(update(outbox).values(due_us=tx.now_us)))
    assert line.database.call(claim, MINUTE_US, 10) == []
    assert [one["outbox"] for one in line.entries("notice-withheld")] == [row.id for row in line.all(outbox)]
    assert line.acknowledge(reference, line.tour) == 1


async def test_what_was_sent_is_not_taken_back(line: Line) -> None:
    reference = await line.fax()
    line.acknowledge(reference, line.tour)
    line.database.call(lambda tx: tx.execute(update(outbox).values(due_us=tx.now_us)))
    assert len(line.database.call(claim, MINUTE_US, 10)) == 1
    assert line.database.call(withhold_acknowledgement, line.message(reference)) == 0


def test_what_is_no_fax_is_not_acknowledged(line: Line) -> None:
    assert line.database.call(acknowledge_fax, line.authority.key, line.tour["case"], "0" * 32) == 0
    assert line.all(outbox) == []


async def test_the_keyholder_may_do_all_of_it(line: Line, open_as: OpenAs) -> None:
    message = line.message(await line.fax())
    keyholder = open_as("keyholder")
    assert keyholder.call(acknowledge_fax, line.authority.key, line.tour["case"], message) == 1
    assert keyholder.call(withhold_acknowledgement, message) == 1


# ---- letters


async def test_a_letter_tells_reference_and_time_and_is_entered(line: Line) -> None:
    now_us = line.now_us
    reference = await line.fax(told_us=now_us - MINUTE_US, arrived_us=now_us)
    told = line.database.call(enter_letter, reference.lower(), "missing-page", "es")
    assert told == Receipt(reference, now_us - MINUTE_US, is_own_time=False)
    (entry,) = line.entries("fax_letter_made")
    assert (entry["message"], entry["reason"], entry["language"]) == (line.message(reference), "missing-page", "es")


async def test_a_letter_is_about_a_fax_that_is_there(line: Line) -> None:
    reference = await line.fax()
    line.database.call(lambda tx: tx.execute(update(intake).values(kind="mail")))
    for known_as in ("U-2222-2222", "", reference):
        with pytest.raises(UnknownRecipient):
            line.database.call(enter_letter, known_as, "received", "en")
    assert [row for row in line.all(leaf) if row.kind == "fax_letter_made"] == []
