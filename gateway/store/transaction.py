"""What a verb is handed: one savepoint of a group, with the entry it writes beside its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Row, Table

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
        rows = [(table, row) for table in sorted(pending, key=_ORDER.__getitem__) for row in pending[table]]
        if self.connection.dialect.name == "postgresql":
            statement = _one_statement(tuple((table, tuple(row)) for table, row in rows), self.connection.dialect)
            values = {f"{name}_{place}": value for place, (_, row) in enumerate(rows) for name, value in row.items()}
            self.connection.exec_driver_sql(statement, values)
            return
        for (table, columns), alike in groupby(rows, lambda item: (item[0], tuple(item[1]))):
            statement, positions = _insert(table, columns, self.connection.dialect)
            self.connection.exec_driver_sql(statement, [tuple(row[name] for name in positions) for _, row in alike])


_ORDER = {table: place for place, table in enumerate(tables.METADATA.sorted_tables)}


@lru_cache(1024)
def _insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return a driver's INSERT and the names of its parameters in order (none where it takes them by name).

    Compiled once for each shape of row: SQLAlchemy's own path costs several times what the database does.
    """
    compiled = table.insert().inline().compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(1024)
def _one_statement(shapes: tuple[tuple[Table, tuple[str, ...]], ...], dialect: Dialect) -> str:
    """Return one PostgreSQL statement that inserts rows of these shapes: one trip instead of one for each table.

    References are checked at a statement's end, so the rows may refer to each other.
    """
    inserts = [
        _PARAMETER.sub(rf"%(\1_{place})s", _insert(table, columns, dialect)[0])
        for place, (table, columns) in enumerate(shapes)
    ]
    firsts = ", ".join(f"row_{place} AS ({insert})" for place, insert in enumerate(inserts[:-1]))
    return f"WITH {firsts} {inserts[-1]}" if firsts else inserts[-1]


_PARAMETER = re.compile(r"%\((\w+)\)s")
