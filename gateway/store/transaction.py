"""What a verb is handed: one savepoint of a group, with the entry it writes beside its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row, Select, Table

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.record import Fact, leaf_body
from gateway.store import statements, tables
from gateway.store.ids import new_id
from gateway.store.memory import Memory, Recollection


class Transaction:
    """One verb's view of the store. Rows given to `insert` are written together, table by table, at the verb's end.

    `flush` writes them earlier where a later statement of the same verb must see them.
    """

    def __init__(self, connection: Connection, clock: Clock, memory: Memory) -> None:
        self.connection = connection
        self.known = Recollection(memory, connection)
        """What look-ups that are `remembered` are asked of: it answers as this transaction would."""
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
        return self._run(statement, parameters).rowcount

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Return the first row, or None."""
        return self._run(statement, parameters).first()

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Return all rows."""
        return self._run(statement, parameters).all()

    def find(self, statement: Select[Any], **parameters: Any) -> Sequence[Any] | None:
        """Return the first row, or None, of a query that a module made once with `bindparam`s: the quick way."""
        self.flush()
        return statements.first(self.connection, statement, parameters)

    def flush(self) -> None:
        """Write the collected rows: tables in the order in which they refer to each other, rows as they came."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        in_order = sorted(pending, key=_ORDER.__getitem__)
        statements.insert(self.connection, [(table, row) for table in in_order for row in pending[table]])
        if not _NEVER_REMEMBERED.issuperset(in_order):
            self.known.memory.forget()

    def _run(self, statement: Executable, parameters: Mapping[str, Any] | None) -> CursorResult[Any]:
        self.flush()
        if not statement.is_select:
            self.known.memory.forget()
        return self.connection.execute(statement, parameters or {})


_ORDER = {table: place for place, table in enumerate(tables.METADATA.sorted_tables)}
_NEVER_REMEMBERED = frozenset(
    {
        tables.message,
        tables.message_wrap,
        tables.segment,
        tables.recipient,
        tables.repeat,
        tables.outbox,
        tables.leaf,
        tables.credential_use,
        tables.session_use,
    }
)
"""What no look-up that is `remembered` reads."""
