"""Printing addresses of enrolled people is entered, over SQLite and PostgreSQL, with their number alone."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from gateway.domain.errors import Malformed
from gateway.store import tables
from gateway.store.database import Database
from tests.settled import Settled


def test_a_print_of_enrolled_addresses_is_entered(database: Database) -> None:
    site = Settled(database)
    assert site.enact("list_routing", addresses=2) == {"addresses": 2}
    statement = select(tables.leaf.c.body).where(tables.leaf.c.kind == "routing_listed")
    (body,) = database.read_now(lambda connection: connection.execute(statement).scalars().all())
    entry = json.loads(body)
    assert (entry["by"], entry["facts"]) == ("operator", {"addresses": 2})


def test_their_number_is_a_number(database: Database) -> None:
    with pytest.raises(Malformed):
        Settled(database).enact("list_routing", addresses="ines@tours.example")
