"""Rows that give power: what is signed of them, and that nothing else passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, MetaData, Table, create_engine, select, text
from sqlalchemy.engine import Connection

from gateway.domain.errors import Tampered
from gateway.store.authority import genuine, is_genuine, require_genuine, sign
from gateway.store.tables import AUTHORITY, METADATA, designated_user, role, sealing_key

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()
ROLE: dict[str, Any] = {"id": "r1", "person_id": "p1", "role": "employee", "from_us": 5, "until_us": None, "version": 1}


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory, without references."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        METADATA.create_all(connection)
        yield connection
    engine.dispose()


def stored(connection: Connection, table: Table, row: dict[str, Any], signature: bytes) -> Any:
    connection.execute(table.delete())
    connection.execute(table.insert(), {**row, "signature": signature})
    return connection.execute(select(table)).one()


def test_a_row_that_the_keyholder_signed_is_genuine(connection: Connection) -> None:
    row = stored(connection, role, ROLE, sign(role, ROLE, KEY))
    assert is_genuine(role, row, PUBLIC)
    assert genuine(role, [row], PUBLIC) == [row]
    assert require_genuine(role, row, PUBLIC) is row


@pytest.mark.parametrize(
    "change",
    [
        {"id": "r2"},
        {"person_id": "p2"},
        {"role": "administrator"},
        {"from_us": 4},
        {"until_us": 10},
        {"until_us": 0},
        {"version": 2},
    ],
)
def test_a_row_changed_in_any_column_gives_nothing(connection: Connection, change: dict[str, Any]) -> None:
    row = stored(connection, role, {**ROLE, **change}, sign(role, ROLE, KEY))
    assert genuine(role, [row], PUBLIC) == []
    with pytest.raises(Tampered):
        require_genuine(role, row, PUBLIC)


@pytest.mark.parametrize("signature", [b"", bytes(64), b"x" * 63, b"x" * 65])
def test_a_row_without_the_keyholders_signature_gives_nothing(connection: Connection, signature: bytes) -> None:
    assert not is_genuine(role, stored(connection, role, ROLE, signature), PUBLIC)
    other = sign(role, ROLE, Ed25519PrivateKey.generate())
    assert not is_genuine(role, stored(connection, role, ROLE, other), PUBLIC)


def test_a_signature_for_one_table_is_none_for_another_with_the_same_columns() -> None:
    twin = Table("twin", MetaData(), *(Column(column.name, column.type, info=column.info) for column in role.columns))
    assert sign(role, ROLE, KEY) == sign(role, dict(ROLE), KEY) != sign(twin, ROLE, KEY)


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE role SET signature = 'text'",
        "UPDATE role SET signature = 5",
        "UPDATE role SET from_us = 1.5",
        "UPDATE role SET from_us = 'five'",
        "UPDATE role SET role = x'656d706c6f796565'",
    ],
)
def test_a_value_of_a_type_that_the_column_should_not_hold_gives_nothing(connection: Connection, forged: str) -> None:
    """SQLite keeps any type in any column, where whoever writes the file likes."""
    stored(connection, role, ROLE, sign(role, ROLE, KEY))
    connection.execute(text(forged))
    rows = connection.execute(select(role)).all()
    assert genuine(role, rows, PUBLIC) == []


def test_octets_and_their_hex_text_are_not_the_same_statement() -> None:
    row = {"id": "k", "case_id": None, "month": None, "suite": 1, "created_us": 1, "retired_us": None, "version": 1}
    assert sign(sealing_key, {**row, "public": b"\xab"}, KEY) != sign(sealing_key, {**row, "public": "ab"}, KEY)


def test_a_column_that_came_later_is_signed_only_once_it_holds_something(connection: Connection) -> None:
    before = {"id": "d", "agreement_id": "a", "person_id": "p", "right": "act", "from_us": 1, "until_us": None}
    signature = sign(designated_user, {**before, "version": 1}, KEY)
    old = stored(connection, designated_user, {**before, "version": 1}, signature)
    assert is_genuine(designated_user, old, PUBLIC)
    for later in ({"state": "active"}, {"needs": "x"}, {"moved_us": 0}, {"state": ""}):
        forged = stored(connection, designated_user, {**before, "version": 1, **later}, signature)
        assert not is_genuine(designated_user, forged, PUBLIC)
    given = {**before, "version": 1, "state": "suspended"}
    taken_out = stored(connection, designated_user, {**given, "state": None}, sign(designated_user, given, KEY))
    assert not is_genuine(designated_user, taken_out, PUBLIC)


def test_every_table_that_gives_power_has_a_version_and_a_signature() -> None:
    for table in AUTHORITY.values():
        assert {"version", "signature"} <= set(table.columns.keys())
    signed = {table.name for table in METADATA.sorted_tables if {"version", "signature"} <= set(table.columns.keys())}
    assert signed == set(AUTHORITY)
