"""What a verb is handed: one savepoint of a group, with the entry it writes beside its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Row, Table
from sqlalchemy.exc import DBAPIError

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.record import Fact, leaf_body
from gateway.store import tables
from gateway.store.ids import new_id


class Transaction:
    """One verb's view of the store. Rows given to `insert` are written together, table by table, at the verb's end.

    `flush` writes them earlier where a later statement of the same verb must see them.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self.now_us = to_microseconds(clock())
        self._pending: dict[Table, list[dict[str, Any]]] = {}

    def insert(self, table: Table, **row: Any) -> None:
        """Collect a row for `table`."""
        self._pending.setdefault(table, []).append(row)

    def record(self, kind: str, by: str, /, **facts: Fact) -> str:
        """Write one entry of the digital record with this verb and return its id. See `gateway.domain.record`."""
        leaf_id = new_id()
        body = leaf_body(leaf_id, self.now_us, kind, by, facts).decode("ascii")
        self.insert(tables.leaf, id=leaf_id, at_us=self.now_us, kind=kind, body=body, position=None)
        return leaf_id

    def execute(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a statement after the collected rows; return how many rows it changed."""
        self.flush()
        return self.connection.execute(statement, parameters or {}).rowcount

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Return the first row, or None."""
        self.flush()
        return self.connection.execute(statement, parameters or {}).first()

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Return all rows."""
        self.flush()
        return self.connection.execute(statement, parameters or {}).all()

    def flush(self) -> None:
        """Write the collected rows: tables in the order in which they refer to each other, rows as they came."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        dialect = self.connection.dialect
        inserts: list[_Insert] = []
        for table in sorted(pending, key=_ORDER.__getitem__):
            for columns, rows in groupby(pending[table], tuple):
                statement, positions = _insert(table, columns, dialect)
                inserts.append((statement, _parameters(rows, positions)))
        if dialect.name == "postgresql" and len(inserts) > 1:
            _write_in_one_trip(self.connection, inserts)
            return
        for statement, parameters in inserts:
            self.connection.exec_driver_sql(statement, parameters)


_Insert = tuple[str, list[Any]]


def _write_in_one_trip(connection: Connection, inserts: list[_Insert]) -> None:
    """Send all statements before the first answer is awaited (libpq's pipeline mode). Raises DBAPIError as ever."""
    driver: Any = connection.connection.driver_connection
    error = connection.dialect.loaded_dbapi.Error
    try:
        with driver.pipeline(), driver.cursor() as cursor:
            for statement, parameters in inserts:
                cursor.executemany(statement, parameters)
    except error as problem:
        wrapped = DBAPIError.instance(
            inserts[0][0],
            None,
            problem,
            error,
            hide_parameters=True,
            connection_invalidated=driver.closed,
            dialect=connection.dialect,
        )
        raise wrapped from problem


def _parameters(rows: Iterable[dict[str, Any]], positions: tuple[str, ...] | None) -> list[Any]:
    return list(rows) if positions is None else [tuple(row[name] for name in positions) for row in rows]


_ORDER = {table: place for place, table in enumerate(tables.METADATA.sorted_tables)}


@cache
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """Return a driver's INSERT and, where its parameters are positions, their names.

    Compiled once for each shape of row: SQLAlchemy's own path costs several times what the database does.
    """
    compiled = table.insert().inline().compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), None if compiled.positiontup is None else tuple(compiled.positiontup)
