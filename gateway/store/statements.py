"""Statements compiled once for each dialect, and handed to the driver.

SQLAlchemy's own way from a statement to the driver costs several times what SQLite then does with it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Table, Update
from sqlalchemy.exc import DBAPIError


def execute(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Any:
    """Run one statement of the driver; return its cursor. A transaction must have begun.

    Raises what SQLAlchemy would: DBAPIError in its kinds.
    """
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(statement, tuple(values) or None)
    driver: Any = connection.connection.dbapi_connection
    try:
        return driver.execute(statement, values)
    except sqlite3.Error as problem:
        raise DBAPIError.instance(statement, None, problem, sqlite3.Error, dialect=connection.dialect) from problem


def first(connection: Connection, statement: Select[Any], value: Any) -> Sequence[Any] | None:
    """Return the first row of a query that a module made once with one `bindparam("value")`, or None."""
    cursor = execute(connection, _compiled(statement, connection.dialect), (value,))
    row: Sequence[Any] | None = cursor.fetchone()
    cursor.close()
    return row


def run(connection: Connection, statement: Update, values: Mapping[str, Any]) -> int:
    """Run an UPDATE that a module made once, with its parameters by their names; return how many rows it changed."""
    text, order = _parametered(statement, connection.dialect)
    if order is None:
        return int(connection.exec_driver_sql(text, dict(values)).rowcount)
    return int(execute(connection, text, [values[name] for name in order]).rowcount)


def run_all(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Do what `run` does for each of several rows of parameters: on PostgreSQL in one trip."""
    text, order = _parametered(statement, connection.dialect)
    if order is None:
        connection.exec_driver_sql(text, [dict(row) for row in rows])
        return
    _run_many(connection, text, [[row[name] for name in order] for row in rows])


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns: into PostgreSQL in one trip."""
    text = _insert(table, tuple(rows[0]), connection.dialect)
    values = [tuple(row.values()) for row in rows]
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(text, values)
        return
    _run_many(connection, text, values)


def _run_many(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.executemany(statement, rows)
    except sqlite3.Error as problem:
        raise DBAPIError.instance(statement, None, problem, sqlite3.Error, dialect=connection.dialect) from problem


@lru_cache(256)
def _compiled(statement: Select[Any], dialect: Dialect) -> str:
    """Return the text of a query with one parameter, which goes by its place."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled) if compiled.positional else _NAMED.sub("%s", str(compiled))


@lru_cache(256)
def _parametered(statement: Update, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """Return the text of a statement, and the names of its parameters where they go by their places."""
    compiled = statement.compile(dialect=dialect)
    names = getattr(compiled, "positiontup", None)
    return str(compiled), None if names is None else tuple(names)


@lru_cache(1024)
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str:
    """Return an INSERT whose parameters go by their places."""
    quote = dialect.identifier_preparer
    names = ", ".join(quote.format_column(table.c[name]) for name in columns)
    marks = ", ".join(["?" if dialect.name == "sqlite" else "%s"] * len(columns))
    return f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"  # noqa: S608 - our own names


_NAMED = re.compile(r"%\(\w+\)s(?:::\w+)?")
