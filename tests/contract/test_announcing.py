"""Employees are told of a case that is given to them, over SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from gateway.casework.act import Actor
from gateway.casework.administration import enact
from gateway.domain.notice import NoticeKind
from gateway.domain.programme import Programme
from gateway.programmes import load_programme
from gateway.resources import programmes_folder
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.transaction import Transaction
from tests.settled import Settled

CWA = load_programme(programmes_folder() / "cwa")


@pytest.fixture
def site(database: Database) -> Settled:
    return Settled(database)


def act(site: Settled, verb: str, /, rules: Programme = CWA, **arguments: Any) -> dict[str, Any]:
    def run(tx: Transaction) -> dict[str, Any]:
        return enact(tx, site.authority, Actor(), verb, arguments, {"cwa": rules})

    return site.database.call(run)


def told(site: Settled) -> list[tuple[str, str | None, dict[str, Any]]]:
    outbox = tables.outbox
    rows = site.database.read_now(
        lambda c: c.execute(select(outbox).where(outbox.c.kind == "case_assigned").order_by(outbox.c.id)).all()
    )
    return [(row.person_id, row.message_id, json.loads(row.fields)) for row in rows]


def test_each_member_of_a_team_is_told_of_its_new_case_by_its_reference_alone(site: Settled) -> None:
    made = act(site, "open_case", programme="cwa", series="SM", trial=True, team="desk@agency.example")
    facts = {"reference": made["reference"], "count": 1}
    assert sorted(told(site), key=str) == sorted([(site.people[who], None, facts) for who in ("dana", "omar")], key=str)


def test_an_employee_is_told_when_a_case_is_given_to_them_later(site: Settled) -> None:
    made = act(site, "open_case", programme="cwa", series="SM", trial=True)
    assert told(site) == []
    act(site, "assign", case=made["reference"], person="eve")
    assert [person for person, _, _ in told(site)] == [site.people["eve"]]


def test_a_programme_that_does_not_use_it_tells_nobody(site: Settled) -> None:
    silent = replace(CWA, notices=CWA.notices - {NoticeKind.CASE_ASSIGNED})
    act(site, "open_case", silent, programme="cwa", series="SM", trial=True, team="desk@agency.example")
    assert told(site) == []
