"""Answers of the store that are kept for a moment: who stands in a case is asked for each message and changes rarely.

A query marked `remembered` can be asked of a `Recollection` in place of a connection. Only what was found is kept,
never an absence, and no longer than `SECONDS`: a right that ended is refused that much later at most. The writer's own
memory is stricter: at each group it is dropped unless `count_of_rights` stands where it stood
(`gateway.store.database`), so that a verb that asks it is told what the store says in this very transaction.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Executable, bindparam, select

from gateway.store import statements
from gateway.store.tables import site

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = 2.0
MAX_ANSWERS = 20_000


class NotKnown(Exception):
    """The memory does not have this answer, and there is no connection to ask."""


@dataclass(slots=True)
class Memory:
    """Answers by question. May be used from any thread."""

    seconds: float = SECONDS
    answers: dict[tuple[Any, ...], tuple[float, Any, Any]] = field(default_factory=dict)
    """What was found, until when it counts, and the authority it was asked with."""
    _asking: dict[tuple[Any, ...], threading.Lock] = field(default_factory=dict)

    def forget(self) -> None:
        """Forget every answer."""
        self.answers.clear()
        self._asking.clear()

    def find(self, question: tuple[Any, ...]) -> Any:
        """Return the answer, or None when there is none that is young enough."""
        known = self.answers.get(question)
        return None if known is None or known[0] < monotonic() else known[1]

    def ask(self, question: tuple[Any, ...], authority: object, query: Callable[[], T]) -> T:
        """Return what `query` finds and keep it; who asks the same meanwhile waits for that."""
        turn = self._asking.setdefault(question, threading.Lock())
        try:
            with turn:
                return self._asked(question, authority, query)
        finally:
            self._asking.pop(question, None)  # who comes between asks once more, which does no harm

    def _asked(self, question: tuple[Any, ...], authority: object, query: Callable[[], T]) -> T:
        if (known := self.find(question)) is not None:
            return cast("T", known)
        until = monotonic() + self.seconds
        answer = query()
        if answer:
            if len(self.answers) >= MAX_ANSWERS:
                self.forget()
            self.answers[question] = (until, answer, authority)
        return answer


@dataclass(frozen=True, slots=True)
class Recollection:
    """A memory, and the connection to ask where it does not know; without one it raises NotKnown."""

    memory: Memory
    connection: Connection | None = None

    def execute(self, statement: Executable) -> CursorResult[Any]:
        """Ask the store what nobody remembers. Raises NotKnown."""
        if self.connection is None:
            raise NotKnown
        return self.connection.execute(statement)


Source = Connection | Recollection
"""What a look-up may be asked of."""


def count_of_rights(connection: Connection) -> str | None:
    """Return what the store's own triggers count: changes of any row that a `remembered` look-up reads.

    None where no row ever changed, and where the schema is older than the count: then nothing may be kept.
    """
    row = statements.first(connection, _COUNT, "rights")
    return None if row is None else str(row[0])


_BY_IDENTITY = ("authority", "mailroom")
_COUNT = select(site.c.value).where(site.c.name == bindparam("value"))


def remembered(query: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Source, P], T]:
    """Let a look-up be asked of a Recollection too. Its arguments, all given in place, are the question.

    Two of them are not: `now_us`, which is the last, and `authority`, or the `mailroom` that has it, which is the first
    after the connection; that one counts by identity, and is kept with the answer so that its identity stays its own.
    """
    names = list(inspect.signature(query).parameters)[1:]
    first = 1 if names[0] in _BY_IDENTITY else 0
    last = len(names) - 1 if names[-1] == "now_us" else len(names)
    if {*_BY_IDENTITY, "now_us"}.intersection(names[first:last]):
        raise TypeError("a look-up takes its authority first and the present instant last")

    @functools.wraps(query)
    def ask(source: Source, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if type(source) is not Recollection:
            return query(cast("Connection", source), *args, **kwargs)
        authority = args[0] if first else None
        question = (query, id(authority), *args[first:last])
        if (known := source.memory.answers.get(question)) is not None and known[0] >= monotonic():
            answer: T = known[1]
            return answer
        connection = source.connection
        if connection is None:
            raise NotKnown
        return source.memory.ask(question, authority, lambda: query(connection, *args, **kwargs))

    return ask
