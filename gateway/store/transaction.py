"""What a verb is handed: one savepoint of a group, with the entry it writes beside its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table

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

    def insert(self, table: Table, **row: Any) -> None:  # noqa: ANN401 - columns differ by table
        """Collect a row for `table`."""
        self._pending.setdefault(table, []).append(row)

    def record(self, kind: str, by: str, **facts: Fact) -> str:
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
        """Write the collected rows, in the order in which their tables refer to each other."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        for table in tables.METADATA.sorted_tables:
            if rows := pending.get(table):
                self.connection.execute(table.insert(), rows)
