"""One writer thread with group commit, reader threads beside it.

A *verb* is a plain function `verb(tx, …)`. The writer takes all verbs that wait, runs them in one transaction with a
savepoint each, and commits once: one fsync for the group. Verbs that are prepared (`run_prepared`) only look up and
collect rows, which are written together; where that cannot be, they too get a savepoint each. A verb's own error undoes
that verb alone; an error of the store fails every verb of the group, and nobody is told that it succeeded. Where
PostgreSQL ended the group to free another program that it stood in the way of, it is run anew, some times. When the
writer thread itself dies, every waiting and later call fails at once. A caller that has gone does not undo its verb.

On SQLite each group also holds a blocking `flock`, so that several programs share one file fairly.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway import maillog
from gateway.clock import system_clock
from gateway.domain.clock import Clock
from gateway.domain.errors import StoreUnavailable
from gateway.failpoints import failpoint
from gateway.store import statements
from gateway.store.calls import Call, fail, wake
from gateway.store.engines import GroupLock, open_engine
from gateway.store.failures import is_of_the_store, is_rolled_back_for_others, store_error
from gateway.store.memory import Memory, NotKnown, Recollection, Source, count_of_rights
from gateway.store.transaction import Batch, MoreThanRows, Transaction

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

READERS = 4
MAX_GROUP = 256
GATHER_SECONDS = 0.02
RETURN_SECONDS = 0.003
TRIES = 4
"""So often a group is run that the server rolls back for another program's sake."""


class Database:
    """A store that runs verbs. Open one per program; `close()` it at the end."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = system_clock,
        readers: int = READERS,
        program: str | None = None,
        has_rights: bool = True,
        on_death: Callable[[], object] = lambda: None,
        return_seconds: float = RETURN_SECONDS,
    ) -> None:
        """Open the engines. Raises StoreUnavailable at the first use, not here, when the store is away.

        With a `program`, it does only what that program may (`gateway.store.privileges`). A store without
        `has_rights` has other tables than the vault, and nothing of it is remembered.
        `on_death` is called in the writer thread when that ends by anything but `close`: the program has to stop.
        """
        self.clock = clock
        self._on_death = on_death
        self._engine: Engine = open_engine(url, program=program)
        self._read_engine: Engine = open_engine(url, read_only=True, program=program)
        self._lock = GroupLock(url)
        self._known = Memory()
        self._recollection = Recollection(self._known)
        self._known_to_writer = Memory()
        self._has_rights = has_rights
        self._rights: str | None = None
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._of_this_turn: deque[Call] = deque()
        self._callers = 0
        self._return_seconds = return_seconds
        self._dead = threading.Event()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._writer = threading.Thread(target=self._write_groups, name="writer", daemon=True)
        self._writer.start()

    async def run(self, verb: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `verb(tx, *args)` durably: it returns only after the commit is on disk.

        Raises what the verb raises (nothing of it is kept), StoreFull or StoreUnavailable. Cancelling the caller
        does not undo the verb.
        """
        return cast("T", await self._outcome(Call(lambda tx: verb(tx, *args, **kwargs))))

    def call(self, verb: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what `run` does, from a thread without an event loop."""
        return self.submit(verb, *args, **kwargs).result()

    async def read(self, query: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(connection, *args)` in a reader thread, in one read-only transaction."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: self.read_now(query, *args, **kwargs))

    def read_now(self, query: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what `read` does, in this thread."""
        try:
            with self._read_engine.begin() as connection:
                return query(connection, *args, **kwargs)
        except SQLAlchemyError as problem:
            if is_of_the_store(problem):
                raise store_error(problem) from problem
            raise

    async def recall(self, query: Callable[Concatenate[Source, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what `read` does for a query that may be asked of a memory: at once where all it looks up is known.

        The answers are at most `memory.SECONDS` old.
        """
        try:
            return query(self._recollection, *args, **kwargs)
        except NotKnown:
            return await self.read(lambda open_: query(Recollection(self._known, open_), *args, **kwargs))

    async def run_prepared(
        self,
        prepare: Callable[[], S],
        verb: Callable[Concatenate[Transaction, S, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do what `run` does; `prepare()` makes the verb's first argument in the writer's thread, in no transaction.

        Where that has octets of its own on the disk, its `settle()` makes them durable before the transaction, when all
        of a group are prepared: by one sync for the group. Raises what `prepare` and `settle` raise, too.
        """

        def bind() -> tuple[Callable[[Transaction], T], Callable[[], None] | None]:
            made = prepare()
            settle: Callable[[], None] | None = getattr(made, "settle", None)
            return (lambda tx: verb(tx, made, *args, **kwargs)), settle

        return cast("T", await self._outcome(Call(_unprepared, prepare=bind, is_prepared=True)))

    def submit(self, verb: Callable[Concatenate[Transaction, P], T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand a verb to the writer and return its future."""
        future: Future[T] = Future()
        self._hand_over(Call(lambda tx: verb(tx, *args, **kwargs), future))
        return future

    def _outcome(self, call: Call) -> asyncio.Future[Any]:
        """Hand a call to the writer, with all others of this turn. To cancel what is returned does not undo the call.

        A writer that began with the first of them would contend with this thread for the interpreter.
        """
        loop = asyncio.get_running_loop()
        call.waiter = loop.create_future()
        if not self._of_this_turn:
            loop.call_soon(self._end_turn)
        self._of_this_turn.append(call)
        return call.waiter

    def _end_turn(self) -> None:
        while self._of_this_turn:
            with suppress(IndexError):  # who closes, in another thread, took it first
                self._hand_over(self._of_this_turn.popleft())

    def _hand_over(self, call: Call) -> None:
        if self._dead.is_set():
            fail(call, StoreUnavailable("The store is not writing. Please try again later."))
            return
        self._calls.put(call)
        if self._dead.is_set():
            self._fail_waiting()

    @property
    def is_writing(self) -> bool:
        """False once the writer thread has died or the database is closed."""
        return not self._dead.is_set()

    def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._end_turn()
        self._calls.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._engine.dispose()
        self._read_engine.dispose()
        self._lock.close()

    def _write_groups(self) -> None:
        try:
            while (first := self._calls.get()) is not None:
                if ready := [call for call in self._gather(first) if _is_done(call, _settle)]:
                    self._commit(ready)
        except BaseException as problem:  # noqa: BLE001 - whatever ends the writer must end every caller's wait
            maillog.incident("writer", problem)
            self._die()
            self._on_death()
        else:
            self._die()

    def _gather(self, call: Call | None) -> list[Call]:
        """Prepare a call and those that come meanwhile: each group has its cost, whatever is in it."""
        group: list[Call] = []
        until = monotonic() + GATHER_SECONDS
        patience = monotonic() + self._return_seconds
        while call is not None:
            if _is_done(call, _prepare):
                group.append(call)
            if len(group) == MAX_GROUP or monotonic() > until:
                return group
            try:
                call = self._next(group, patience)
            except queue.Empty:
                return group
        self._calls.put(None)
        return group

    def _next(self, group: list[Call], patience: float) -> Call | None:
        """Return the next call; wait a little where fewer have come than came at once before. Raises queue.Empty.

        Who was told sends its next message at once, or never: without a wait those that send one after the other part
        into two groups, which take turns and cost as much each as one of all.
        """
        wait = patience - monotonic() if 0 < len(group) < self._callers and group[-1].is_prepared else 0.0
        return self._calls.get(timeout=wait) if wait > 0 else self._calls.get_nowait()

    def _commit(self, group: list[Call]) -> None:
        wanted = [call for call in group if call.claim()]
        try:
            done = self._run_group(wanted)
        except (SQLAlchemyError, OSError) as problem:
            self._known_to_writer.forget()
            for call in group:
                fail(call, store_error(problem))
            return
        except BaseException:
            for call in group:
                fail(call, StoreUnavailable("The store stopped. Please try again later."))
            raise
        self._callers = len(group) + self._calls.qsize()
        for call in done:
            call.finish()
        wake(done)

    def _run_group(self, calls: list[Call], tries: int = TRIES) -> list[Call]:
        """Run calls in one transaction and commit it; return those done.

        Verbs of one group lock their rows in no order that other programs know, so that two groups may wait for each
        other: the server ends one of them, which has kept nothing and is run anew. Who was told of an error stays told.
        """
        try:
            with self._lock, self._engine.connect() as connection:
                connection.begin()
                self._recollect(connection)
                done = self._run_verbs(connection, calls)
                failpoint("store.commit.before")
                connection.commit()
                failpoint("store.commit.after")
        except SQLAlchemyError as problem:
            if tries == 1 or not is_rolled_back_for_others(problem):
                raise
            self._known_to_writer.forget()
            return self._run_group([call for call in calls if call.problem is None], tries - 1)
        return done

    def _recollect(self, connection: Connection) -> None:
        """Keep what the writer knows only where nobody has changed a right since."""
        rights = count_of_rights(connection) if self._has_rights else None
        if rights is None or rights != self._rights:
            self._known_to_writer.forget()
        self._rights = rights

    def _run_verbs(self, connection: Connection, calls: list[Call]) -> list[Call]:
        together = [call for call in calls if call.is_prepared]
        done, again = self._run_together(connection, together)
        alone = [call for call in calls if not call.is_prepared]
        return [*done, *self._run_alone(connection, [*again, *alone])]

    def _run_together(self, connection: Connection, calls: list[Call]) -> tuple[list[Call], list[Call]]:
        """Run verbs that only look up and insert, and write their rows at once; return those done and those to redo.

        A verb that fails has written nothing. Where the rows cannot be written together, each verb is run by itself.
        """
        batch = Batch()
        done: list[Call] = []
        again: list[Call] = []
        for call in calls:
            tx = Transaction(connection, self.clock, self._known_to_writer, batch)
            try:
                call.value = call.verb(tx)
                tx.join(batch)
            except MoreThanRows:
                again.append(call)
            except Exception as problem:
                if is_of_the_store(problem):
                    raise
                fail(call, problem)
            else:
                done.append(call)
        try:
            batch.write(connection)
        except Exception as problem:
            if is_of_the_store(problem):
                raise
            connection.rollback()  # nothing else stands in it: a savepoint would cost every group a copy of its pages
            connection.begin()
            self._recollect(connection)
            return [], [*done, *again]
        return done, again

    def _run_alone(self, connection: Connection, calls: list[Call]) -> list[Call]:
        """Run verbs with a savepoint each; return those done."""
        done: list[Call] = []
        for place, call in enumerate(calls):
            _run_steps(connection, *(["RELEASE SAVEPOINT verb"] if place else []), "SAVEPOINT verb")
            tx = Transaction(connection, self.clock, self._known_to_writer)
            try:
                call.value = call.verb(tx)
                tx.flush()
            except Exception as problem:
                if is_of_the_store(problem):
                    raise
                self._known_to_writer.forget()
                _run_steps(connection, "ROLLBACK TO SAVEPOINT verb")
                fail(call, problem)
            else:
                done.append(call)
        return done

    def _die(self) -> None:
        self._dead.set()
        self._fail_waiting()

    def _fail_waiting(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call is not None:
                fail(call, StoreUnavailable("The store is not writing. Please try again later."))


def _run_steps(connection: Connection, *steps: str) -> None:
    """Run statements of the transaction, on PostgreSQL in one trip."""
    for step in ["; ".join(steps)] if connection.dialect.name == "postgresql" else steps:
        statements.execute(connection, step)


def _unprepared(_: Transaction) -> None:
    raise AssertionError("a verb ran before it was prepared")


def _prepare(call: Call) -> None:
    if call.prepare is not None:
        call.verb, call.settle = call.prepare()


def _settle(call: Call) -> None:
    if call.settle is not None:
        call.settle()


def _is_done(call: Call, step: Callable[[Call], None]) -> bool:
    """Take a call through a step before its transaction; one that cannot be taken through it fails alone."""
    try:
        step(call)
    except Exception as problem:  # noqa: BLE001 - whatever it is, its caller gets it
        fail(call, problem)
        return False
    return True
