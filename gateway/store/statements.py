"""Statements compiled once for each dialect, and handed to the driver.

SQLAlchemy's own way from a statement to the driver costs several times what SQLite then does with it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Table
from sqlalchemy.exc import DBAPIError

Values = Sequence[Any] | Mapping[str, Any]


def execute(connection: Connection, statement: str, values: Values = ()) -> Any:
    """Run one statement of the driver; return its cursor. A transaction must have begun.

    Raises what SQLAlchemy would: DBAPIError in its kinds.
    """
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(statement, values or None)
    driver: Any = connection.connection.dbapi_connection
    try:
        return driver.execute(statement, values)
    except sqlite3.Error as problem:
        raise DBAPIError.instance(statement, None, problem, sqlite3.Error, dialect=connection.dialect) from problem


def first(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[Any] | None:
    """Return the first row of a query that a module made once, or None; its parameters go by name."""
    text, positions = _compiled(statement, connection.dialect)
    cursor = execute(connection, text, [values[name] for name in positions] if positions else values)
    row: Sequence[Any] | None = cursor.fetchone()
    cursor.close()
    return row


def insert(connection: Connection, rows: Sequence[tuple[Table, Mapping[str, Any]]]) -> None:
    """Insert rows in this order: into PostgreSQL by one statement, one trip instead of one for each table."""
    if connection.dialect.name == "postgresql":
        statement = _one_statement(tuple((table, tuple(row)) for table, row in rows), connection.dialect)
        execute(
            connection,
            statement,
            {f"{name}_{at}": value for at, (_, row) in enumerate(rows) for name, value in row.items()},
        )
        return
    for table, row in rows:
        text, positions = _insert(table, tuple(row), connection.dialect)
        execute(connection, text, [row[name] for name in positions])


@lru_cache(1024)
def _compiled(statement: Select[Any], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(1024)
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return a driver's INSERT and the names of its parameters in order (none where it takes them by name)."""
    compiled = table.insert().inline().compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(1024)
def _one_statement(shapes: tuple[tuple[Table, tuple[str, ...]], ...], dialect: Dialect) -> str:
    """Return one PostgreSQL statement that inserts rows of these shapes.

    References are checked at a statement's end, so the rows may refer to each other.
    """
    inserts = [
        _PARAMETER.sub(rf"%(\1_{place})s", _insert(table, columns, dialect)[0])
        for place, (table, columns) in enumerate(shapes)
    ]
    firsts = ", ".join(f"row_{place} AS ({insert})" for place, insert in enumerate(inserts[:-1]))
    return f"WITH {firsts} {inserts[-1]}" if firsts else inserts[-1]


_PARAMETER = re.compile(r"%\((\w+)\)s")
