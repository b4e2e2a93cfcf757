"""When people are told: how lately somebody was, and which ends that are to come were announced."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, text

from gateway.store.tables.authority import agreement_case, credential, designated_user, role
from gateway.store.tables.enrolment import authorisation
from gateway.store.tables.recipient_key import recipient_key
from gateway.store.tables.schema import METADATA, us

pace = Table(
    "pace",
    METADATA,
    Column("person_id", String(64), ForeignKey("person.id"), primary_key=True),
    Column("topic", String(100), primary_key=True),
    us("told_us", nullable=False),
    Column("day", String(10), nullable=False, server_default=""),
    Column("times", Integer, nullable=False, server_default="0"),
)
"""By person and topic (a notice's kind, and its case where that parts them): when one was last told, and how many times
on that day of the person's own zone."""

told_ending = Table(
    "told_ending",
    METADATA,
    Column("row_id", String(64), primary_key=True),
    Column("until_us", BigInteger, primary_key=True),
    Column("days", Integer, primary_key=True),
    us("told_us", nullable=False),
)
"""An end that was announced: the row that ends, when it does, how many days before. An end that is moved is another."""


def _ending(table: Table, column: str) -> None:
    there, name = text(f"{column} IS NOT NULL"), "due" if column == "due_us" else "ending"
    Index(f"ix_{table.name}_{name}", table.c[column], sqlite_where=there, postgresql_where=there)


for _table, _column in (
    (authorisation, "until_us"),
    (designated_user, "until_us"),
    (agreement_case, "until_us"),
    (role, "until_us"),
    (credential, "expires_us"),
    (recipient_key, "expires_us"),
    (designated_user, "due_us"),
    (role, "due_us"),
):
    _ending(_table, _column)
