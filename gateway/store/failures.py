"""What the drivers' errors mean: a store that fails, or a verb that does."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from gateway.domain.errors import StoreFull, StoreUnavailable

# SQLite's primary result codes: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL,
# NOTADB.
_SQLITE_STORE = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26})
# PostgreSQL's SQLSTATE classes (appendix A): connection, transaction state, rolled back by the server, resources,
# not in the needed state, intervention of an operator, system, configuration file, internal.
_POSTGRESQL_STORE = frozenset({"08", "25", "40", "53", "55", "57", "58", "F0", "XX"})

_ROLLED_BACK_FOR_OTHERS = frozenset({"40P01", "40001"})


def is_of_the_store(problem: BaseException) -> bool:
    """Tell a store that fails from a verb that does: a broken constraint, a wrong statement, any error of ours."""
    if not isinstance(problem, DBAPIError):
        return isinstance(problem, SQLAlchemyError) and not isinstance(problem, StatementError | ArgumentError)
    code = getattr(problem.orig, "sqlite_errorcode", None)
    state = getattr(problem.orig, "sqlstate", None)
    if code is not None:
        return code & 0xFF in _SQLITE_STORE
    if state is not None:
        return state[:2] in _POSTGRESQL_STORE
    return problem.connection_invalidated or isinstance(problem, OperationalError | InterfaceError)


def is_rolled_back_for_others(problem: BaseException) -> bool:
    """Tell a deadlock or a conflict, which the server ended by this transaction's end, from any other failure."""
    return isinstance(problem, DBAPIError) and getattr(problem.orig, "sqlstate", None) in _ROLLED_BACK_FOR_OTHERS


def store_error(problem: BaseException) -> StoreUnavailable:
    """Return the error that callers see for a store that failed."""
    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    code = getattr(cause, "sqlite_errorcode", None)
    state = getattr(cause, "sqlstate", None)
    full = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    if code in full or state == "53100" or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull("The store is full. Please try again later.")
    return StoreUnavailable("The store is not available. Please try again later.")
