"""Who there is, and what they may take part in: rows that by themselves give no power."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from gateway.store.tables.schema import METADATA, ident, ref, us

site = Table(
    "site",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

person = Table(
    "person",
    METADATA,
    ident(),
    Column("programme", String(64), nullable=False),
    Column("side", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("username", String(254), unique=True),
    Column("language", String(8), nullable=False, server_default="en"),
    Column("wants_link", Integer, nullable=False, server_default="1"),
    Column("time_zone", String(64)),
    Column("confirm", String(8), nullable=False, server_default="first"),
    Column("delay_minutes", Integer),
    Column("full_copies", Integer, nullable=False, server_default="0"),
    us("created_us", nullable=False),
    us("ended_us"),
)

person_address = Table(
    "person_address",
    METADATA,
    ident(),
    ref("person_id", "person", index=True),
    Column("address", String(254), nullable=False),
    Column("key", String(254), nullable=False, index=True),
    Column("notify", Integer, nullable=False, server_default="1"),
    us("from_us", nullable=False),
    us("until_us"),
)

team = Table(
    "team",
    METADATA,
    ident(),
    Column("programme", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", String(254), nullable=False),
    Column("key", String(254), nullable=False, unique=True),
    us("created_us", nullable=False),
    us("ended_us"),
)

case = Table(
    "case_",
    METADATA,
    ident(),
    Column("programme", String(64), nullable=False),
    Column("reference", String(24), nullable=False, unique=True),
    us("opened_us", nullable=False),
    us("closed_us"),
)

agreement = Table(
    "agreement",
    METADATA,
    ident(),
    Column("programme", String(64), nullable=False),
    us("created_us", nullable=False),
    us("ended_us"),
)
