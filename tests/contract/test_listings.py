from __future__ import annotations

import pytest
from sqlalchemy import select

from gateway.domain.clock import to_microseconds
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.listings import Listings
from gateway.store.transaction import Transaction
from tests.settled import Settled


@pytest.fixture
def settled(database: Database) -> Settled:
    return Settled(database)


def listed(settled: Settled, what: str, *arguments: object, **keywords: object) -> list[dict[str, object]]:
    now_us = to_microseconds(settled.database.clock())
    found: list[dict[str, object]] = settled.database.read_now(
        lambda rows: getattr(Listings(rows, settled.authority.key, now_us), what)(*arguments, **keywords)
    )
    return found


def test_employees_teams_cases_and_users_are_as_they_were_made(settled: Settled) -> None:
    dana = next(one for one in listed(settled, "employees") if one["username"] == "dana")
    assert dana["addresses"] == ["dana@agency.example"]
    assert (dana["role"], dana["teams"], dana["credentials"]) == ("employee", ["desk@agency.example"], [])
    assert listed(settled, "teams")[0]["members"] == ["dana", "omar"]
    tour = next(one for one in listed(settled, "cases") if one["reference"] == settled.tour["reference"])
    assert tour["assigned_to"] == ["desk@agency.example"]
    assert tour["designated_users"] == ["ines", "raul"]
    raul = next(one for one in listed(settled, "designated_users") if one["username"] == "raul")
    assert raul["right"] == "see"
    assert raul["cases"] == sorted([settled.tour["reference"], settled.season["reference"]])


def test_a_person_is_known_by_id_username_and_address(settled: Settled) -> None:
    eve = settled.people["eve"]
    for known_as in (eve, "eve", " EVE ", "Eve@Agency.Example"):
        assert listed(settled, "person_id", known_as) == eve
    assert listed(settled, "person_id", "nobody") is None


def test_those_who_left_and_what_was_closed_are_listed_on_request_only(settled: Settled) -> None:
    settled.enact("end_person", person="eve")
    settled.enact("close_case", case=settled.season["reference"])
    assert "eve" not in {one["username"] for one in listed(settled, "employees")}
    assert "eve" in {one["username"] for one in listed(settled, "employees", ended=True)}
    assert settled.season["reference"] not in {one["reference"] for one in listed(settled, "cases")}
    assert settled.season["reference"] in {one["reference"] for one in listed(settled, "cases", closed=True)}


def test_a_forged_row_is_not_listed_as_giving_anything(settled: Settled) -> None:
    def forge(tx: Transaction) -> None:
        row = tx.one(select(tables.role).where(tables.role.c.person_id == settled.people["eve"]))
        assert row is not None
        tx.insert(tables.role, **{**row._mapping, "id": "forged", "role": "administrator"})
        tx.execute(tables.role.delete().where(tables.role.c.id == row.id))

    settled.database.call(forge)
    eve = next(one for one in listed(settled, "employees") if one["username"] == "eve")
    assert eve["role"] is None


def test_credentials_are_listed_without_their_secrets(settled: Settled) -> None:
    person = settled.people["dana"]
    for label, expires in (("mutt", None), ("old", 1)):
        settled.enact(
            "add_credential", person=person, kind="app_password", label=label, data="sealed", lookup=label,
            expires_us=expires,
        )  # fmt: skip
    found = listed(settled, "credentials", person)
    assert [one["label"] for one in found] == ["mutt"]
    assert "sealed" not in str(found)
