"""What a verb is handed: one savepoint of a group, with the entry it writes beside its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Executable, Row, Select, Table, bindparam, select

from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.record import Fact, leaf_body
from gateway.store import statements, tables
from gateway.store.ids import new_id
from gateway.store.memory import Memory, Recollection


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A query made once: some columns of the row that has a value in a column where it stands once."""

    column: Column[Any]
    columns: tuple[Column[Any], ...]
    statement: Select[Any] = field(init=False)
    place: tuple[Table, str] = field(init=False)
    """Table and name of the column that is looked in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "statement", select(*self.columns).where(self.column == bindparam("value")))
        object.__setattr__(self, "place", (self.column.table, self.column.name))

    def of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what the query gives for a row that is not written."""
        return tuple(row[column.name] for column in self.columns)


class MoreThanRows(Exception):
    """A verb of a batch wants a statement of its own: it is run again by itself."""


class Batch:
    """The rows of several verbs that do nothing but look up and insert; written together, table by table."""

    def __init__(self) -> None:
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._known: dict[tuple[Table, str], dict[Any, dict[str, Any]]] = {}

    def add(self, rows: Mapping[Table, list[dict[str, Any]]]) -> None:
        """Take the rows of a verb that has succeeded."""
        for table, new in rows.items():
            self._rows.setdefault(table, []).extend(new)
        for (table, column), known in self._known.items():
            for row in rows.get(table, ()):
                known[row[column]] = row

    def find(self, lookup: Lookup, value: Any) -> dict[str, Any] | None:
        """Return a row of a verb before that is not written yet."""
        known = self._known.get(lookup.place)
        if known is None:
            table, column = lookup.place
            known = self._known[lookup.place] = {row[column]: row for row in self._rows.get(table, ())}
        return known.get(value)

    def write(self, connection: Connection) -> None:
        """Write all rows: tables in the order in which they refer to each other, rows as they came."""
        _write(connection, self._rows)


class Transaction:
    """One verb's view of the store. Rows given to `insert` are written together, table by table, at the verb's end.

    `flush` writes them earlier where a later statement of the same verb must see them. In a `batch` only `insert`,
    `record`, `find`, `find_conflict` and `known` can be used: anything else raises MoreThanRows, and the verb is run
    again by itself.
    """

    def __init__(self, connection: Connection, clock: Clock, memory: Memory, batch: Batch | None = None) -> None:
        self.connection = connection
        self.known = Recollection(memory, connection)
        """What look-ups that are `remembered` are asked of: it answers as this transaction would."""
        self.now_us = to_microseconds(clock())
        self._batch = batch
        self._pending: dict[Table, list[dict[str, Any]]] = {}

    def insert(self, table: Table, **row: Any) -> None:
        """Collect a row for `table`."""
        self._pending.setdefault(table, []).append(row)

    def record(self, kind: str, by: str, /, **facts: Fact) -> str:
        """Write one entry of the digital record with this verb and return its id. See `gateway.domain.record`."""
        return self.record_as(new_id(), kind, by, facts)

    def record_as(self, leaf_id: str, kind: str, by: str, facts: Mapping[str, Fact]) -> str:
        """Do what `record` does, under an id that something else gives."""
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

    def find(self, lookup: Lookup, value: Any) -> Sequence[Any] | None:
        """Return what a look-up finds for a value, or None: the quick way."""
        if self._batch is None:
            self.flush()
        elif row := self._batch.find(lookup, value):
            return lookup.of(row)
        return statements.first(self.connection, lookup.statement, value)

    def find_conflict(self, lookup: Lookup, value: Any) -> Sequence[Any] | None:
        """Do what `find` does for the unique value of a row that the verb inserts where nothing is found.

        A batch asks the store nothing: where the value stands there the insert fails, and each verb is run by itself.
        """
        if self._batch is None:
            return self.find(lookup, value)
        row = self._batch.find(lookup, value)
        return None if row is None else lookup.of(row)

    def flush(self) -> None:
        """Write the collected rows. Raises MoreThanRows in a batch."""
        if self._batch is not None:
            raise MoreThanRows
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        _write(self.connection, pending)
        if not _NEVER_REMEMBERED.issuperset(pending):
            self.known.memory.forget()

    def join(self, batch: Batch) -> None:
        """Give the collected rows to the batch. Raises MoreThanRows where what is remembered might change by them."""
        if not _NEVER_REMEMBERED.issuperset(self._pending):
            raise MoreThanRows
        batch.add(self._pending)

    def _run(self, statement: Executable, parameters: Mapping[str, Any] | None) -> CursorResult[Any]:
        self.flush()
        if not statement.is_select:
            self.known.memory.forget()
        return self.connection.execute(statement, parameters or {})


def _write(connection: Connection, rows: Mapping[Table, list[dict[str, Any]]]) -> None:
    for table in sorted(rows, key=_ORDER.__getitem__):
        for _, alike in groupby(rows[table], key=tuple):
            statements.insert(connection, table, list(alike))


_ORDER = {table: place for place, table in enumerate(tables.METADATA.sorted_tables)}
_NEVER_REMEMBERED = frozenset(
    {
        tables.message,
        tables.message_wrap,
        tables.segment,
        tables.recipient,
        tables.repeat,
        tables.confirmation,
        tables.unopened,
        tables.draft,
        tables.intake,
        tables.fax_arrival,
        tables.fax_recognition,
        tables.fax_report,
        tables.outbox,
        tables.address_state,
        tables.notice_report,
        tables.leaf,
        tables.credential_use,
        tables.session_use,
        tables.tls_outcome,
        tables.tls_report,
        tables.tls_verified,
        tables.mta_sts_policy,
    }
)
"""What no look-up that is `remembered` reads."""
