"""Cover sheets: who makes them, what the reference on one proposes, and what is no reference of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.casework.cover_sheets import MOST_A_DAY, Sheet, make_own_sheet, make_sheets, withdraw_sheets
from gateway.domain.cover_sheet import reference_in
from gateway.domain.errors import Malformed, NotAllowed, RateExceeded, UnknownRecipient
from gateway.store.cover_sheets import agreement_of, case_of, sheets
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.tables import agreement, cover_sheet, enrolment, leaf
from gateway.store.transaction import Transaction
from tests.contract.test_privileges import OpenAs, open_as
from tests.settled import Settled

__all__ = ["open_as"]

LINES = frozenset({"cwa"})
DAY_US = 24 * 3600 * 1_000_000
AGREEMENT = "T-EN-7K2Q"


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


def made(site: Settled, *cases: str, agreements: tuple[str, ...] = (), **more: Any) -> list[Sheet]:
    return site.database.call(make_sheets, list(cases), list(agreements), lines=LINES, trial=True, **more)


def own(site: Settled, who: str, case: dict[str, Any], *, lines: frozenset[str] = LINES) -> Sheet:
    arguments = (site.authority.key, site.people[who], case["case"])
    return site.database.call(make_own_sheet, *arguments, lines=lines, trial=True)


def proposed(site: Settled, reference: str, *, later_us: int = 0, programme: str = "") -> str | None:
    at_us = site.database.call(lambda tx: tx.now_us) + later_us
    return site.database.read_now(lambda rows: case_of(rows, reference, at_us, programme))


def facts(site: Settled, kind: str) -> list[dict[str, Any]]:
    rows = site.database.read_now(lambda connection: list(connection.execute(select(leaf).where(leaf.c.kind == kind))))
    return [json.loads(row.body) for row in rows]


def enrolled(site: Settled) -> str:
    """Write an agreement with its reference."""

    def run(tx: Transaction) -> str:
        agreement_id = new_id()
        tx.insert(agreement, id=agreement_id, programme="cwa", created_us=tx.now_us, ended_us=None)
        row = {
            "id": new_id(), "agreement_id": agreement_id, "reference": AGREEMENT, "state": "received", "step": "",
            "before": None, "moved_us": tx.now_us, "from_us": tx.now_us, "until_us": None,
        }  # fmt: skip
        tx.insert(enrolment, **site.authority.sign(enrolment, row))
        return agreement_id

    return site.database.call(run)


# ---- what a sheet proposes


def test_a_sheet_proposes_its_case_and_its_reference_says_nothing_of_it(site: Settled) -> None:
    (sheet,) = made(site, site.tour["reference"])
    assert reference_in(sheet.reference) == sheet.reference
    assert sheet.reference.startswith("T-CS-")
    assert sheet.place == site.tour["reference"]
    assert not set(site.tour["reference"].split("-")) & set(sheet.reference.removeprefix("T-CS-").split("-"))
    assert proposed(site, sheet.reference) == site.tour["case"]
    assert proposed(site, f" {sheet.reference.lower()} ") == site.tour["case"]


def test_what_is_unknown_forged_or_of_another_environment_proposes_nothing(site: Settled) -> None:
    (sheet,) = made(site, site.tour["reference"])
    case = site.tour["reference"]
    for reference in (
        "T-CS-2222-2222", "CS-2222-2222", sheet.reference.removeprefix("T-"), case, f"{case}-2222", "", "T-CS-", "%",
        sheet.reference[:-1] + "0", sheet.reference + "' OR 1=1 --", "https://evil.example/" + sheet.reference, "\0",
    ):  # fmt: skip
        assert proposed(site, reference) is None, reference


def test_a_withdrawn_sheet_proposes_nothing_and_the_others_still_do(site: Settled) -> None:
    first, second = made(site, site.tour["reference"], count=2)
    assert site.database.call(withdraw_sheets, [first.reference.lower(), first.reference]) == [first.reference]
    assert proposed(site, first.reference) is None
    assert proposed(site, second.reference) == site.tour["case"]
    assert site.database.call(withdraw_sheets, [first.reference]) == []
    with pytest.raises(UnknownRecipient):
        site.database.call(withdraw_sheets, [second.reference, "T-CS-2222-2222"])
    assert proposed(site, second.reference) == site.tour["case"]
    assert len(facts(site, "cover_sheet_withdrawn")) == 1


def test_a_sheet_holds_until_its_last_day_and_only_in_its_programme(site: Settled) -> None:
    (sheet,) = made(site, site.tour["reference"], days=2)
    assert proposed(site, sheet.reference, later_us=DAY_US) == site.tour["case"]
    assert proposed(site, sheet.reference, later_us=2 * DAY_US) is None
    assert proposed(site, sheet.reference, programme="cwa") == site.tour["case"]
    assert proposed(site, sheet.reference, programme="county") is None


def test_a_closed_case_is_not_proposed(site: Settled) -> None:
    (sheet,) = made(site, site.tour["reference"])
    site.enact("close_case", case=site.tour["reference"])
    assert proposed(site, sheet.reference) is None
    with pytest.raises(UnknownRecipient, match="no open case"):
        made(site, site.tour["reference"])


def test_a_sheet_of_an_agreement_proposes_that_and_no_case(site: Settled) -> None:
    agreement_id = enrolled(site)
    (sheet,) = made(site, agreements=(AGREEMENT.lower(),))
    now_us = site.database.call(lambda tx: tx.now_us)
    assert site.database.read_now(lambda rows: agreement_of(rows, sheet.reference, now_us)) == agreement_id
    assert proposed(site, sheet.reference) is None
    (of_case,) = made(site, site.tour["reference"])
    assert site.database.read_now(lambda rows: agreement_of(rows, of_case.reference, now_us)) is None
    with pytest.raises(UnknownRecipient, match="no agreement"):
        made(site, agreements=("T-EN-2222",))


def test_the_fax_program_and_the_keyholder_can_ask_what_a_sheet_proposes(site: Settled, open_as: OpenAs) -> None:
    (sheet,) = made(site, site.tour["reference"])
    now_us = site.database.call(lambda tx: tx.now_us)
    for program in ("fax", "keyholder", "portal"):
        asked = open_as(program)
        assert asked.read_now(lambda rows: case_of(rows, sheet.reference, now_us)) == site.tour["case"]
        assert asked.read_now(lambda rows: agreement_of(rows, sheet.reference, now_us)) is None


# ---- who makes one


@pytest.mark.parametrize("who", ["dana", "ines"])
def test_whoever_may_write_in_a_case_makes_a_sheet_on_record(site: Settled, open_as: OpenAs, who: str) -> None:
    portal = open_as("portal")
    arguments = (site.authority.key, site.people[who], site.tour["case"])
    sheet = portal.call(make_own_sheet, *arguments, lines=LINES, trial=True)
    assert proposed(site, sheet.reference) == site.tour["case"]
    (entry,) = facts(site, "cover_sheet_made")
    assert (entry["by"], entry["facts"]["case"]) == (site.people[who], site.tour["case"])
    assert sheet.reference not in json.dumps(entry)


def test_nobody_else_makes_one(site: Settled) -> None:
    for who, case in (("eve", site.tour), ("raul", site.tour), ("ines", site.season)):
        with pytest.raises(NotAllowed):
            own(site, who, case)
    site.enact("close_case", case=site.tour["reference"])
    with pytest.raises(NotAllowed):
        own(site, "dana", site.tour)
    assert facts(site, "cover_sheet_made") == []


def test_a_person_makes_so_many_a_day_and_another_one_still_can(site: Settled) -> None:
    for _ in range(MOST_A_DAY):
        own(site, "ines", site.tour)
    with pytest.raises(RateExceeded):
        own(site, "ines", site.tour)
    own(site, "dana", site.tour)
    yesterday = update(cover_sheet).values(made_us=cover_sheet.c.made_us - DAY_US)
    site.database.call(lambda tx: tx.execute(yesterday))
    own(site, "ines", site.tour)


def test_sheets_are_made_all_or_none_within_bounds(site: Settled) -> None:
    case, other = site.tour["reference"], site.season["reference"]
    assert [one.place for one in made(site, case, other, count=2)] == [case, case, other, other]
    before = len(facts(site, "cover_sheet_made"))
    for refused, wanted in (
        (UnknownRecipient, {"cases": (case, "T-SM-2222")}),
        (UnknownRecipient, {"cases": (case, "nonsense")}),
        (Malformed, {"cases": ()}),
        (Malformed, {"cases": (case,), "count": 0}),
        (Malformed, {"cases": (case,), "count": 101}),
        (Malformed, {"cases": (case, other), "count": 51}),
        (Malformed, {"cases": (case,), "days": 0}),
        (Malformed, {"cases": (case,), "days": 100_000}),
    ):
        with pytest.raises(refused):
            made(site, *wanted.pop("cases"), **wanted)  # type: ignore[attr-defined]
    assert len(facts(site, "cover_sheet_made")) == before


def test_a_programme_without_a_fax_line_has_no_sheets(site: Settled) -> None:
    with pytest.raises(Malformed, match="no fax line"):
        own(site, "dana", site.tour, lines=frozenset({"county"}))
    with pytest.raises(Malformed, match="no fax line"):
        site.database.call(make_sheets, [site.tour["reference"]], [], lines=frozenset(), trial=True)


def test_sheets_are_listed_by_what_they_are_for(site: Settled) -> None:
    enrolled(site)
    first, second = made(site, site.tour["reference"], site.season["reference"])
    (third,) = made(site, agreements=(AGREEMENT,))
    site.database.call(withdraw_sheets, [second.reference])

    def listed(known_as: str = "", *, all_of_them: bool = False, limit: int = 10) -> set[str]:
        return {
            row.reference
            for row in site.database.read_now(
                lambda rows: sheets(rows, known_as=known_as, all_of_them=all_of_them, limit=limit)
            )
        }

    assert listed() == {first.reference, third.reference}
    assert listed(all_of_them=True) == {first.reference, second.reference, third.reference}
    assert listed(site.tour["reference"].lower()) == {first.reference}
    assert listed(AGREEMENT) == {third.reference}
    assert listed(second.reference, all_of_them=True) == {second.reference}
    assert listed(second.reference) == set()
    assert len(listed(all_of_them=True, limit=2)) == 2
