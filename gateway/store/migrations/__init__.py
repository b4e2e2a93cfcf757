"""The database's schema in steps, and the rule for a new step.

`upgrade` brings a database to `head()`, whole or not at all, one caller at a time. A program starts by
`require_current`, which takes the head and the revision just before it: **new code runs on the old schema**, so that
programs are replaced first, one by one, and the database afterwards. A change therefore comes in pairs: a revision that
adds (a table, a nullable column, an index), released with code that does without it; and, a release later, one that
takes away what nothing uses any more. A column is never renamed or narrowed. On SQLite a table is never rebuilt under
its references: add beside it.
"""

from __future__ import annotations

import os

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.errors import ConfigError
from gateway.store.engines import GroupLock, open_engine
from gateway.store.failures import store_error

_ADVISORY_LOCK = 7_203_019_445_127_301  # a number of our own: who upgrades a PostgreSQL database holds it


def upgrade(url: str) -> None:
    """Bring the database at `url` to the head revision; make it when it is empty.

    Raises StoreUnavailable or StoreFull when the database does not answer; nothing has changed then.
    """
    _make_private(url)
    engine = open_engine(url)
    lock = GroupLock(url)
    try:
        with lock, engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except SQLAlchemyError as problem:
        raise store_error(problem) from problem
    finally:
        lock.close()
        engine.dispose()


def current(url: str) -> str | None:
    """Return the revision of the database at `url`, None when it has none. Raises StoreUnavailable."""
    engine = open_engine(url, read_only=True)
    try:
        return _revision(engine)
    finally:
        engine.dispose()


def head() -> str:
    """Return the newest revision that this version knows."""
    return _script().get_current_head() or ""


def require_current(database: Engine | str) -> None:
    """Return when this version can work on the database (an engine or its address).

    Raises ConfigError, saying what to do, when it cannot, and StoreUnavailable when the database does not answer.
    """
    found = current(database) if isinstance(database, str) else _revision(database)
    if found in _accepted():
        return
    if found is None:
        raise ConfigError("The database has no tables. `gateway init` makes them.")
    if any(revision.revision == found for revision in _script().walk_revisions()):
        raise ConfigError(
            f"The database has schema {found}, this version needs {head()}. Make a backup, then run `gateway init`, "
            "which brings the schema up to date."
        )
    raise ConfigError(
        f"The database has schema {found}, which this version ({head()}) does not know: a newer version has been here. "
        "Install that version again."
    )


def _accepted() -> set[str]:
    before = _script().get_revision(head()).down_revision
    return {head(), before} if isinstance(before, str) else {head()}


def _revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as problem:
        raise store_error(problem) from problem


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "gateway.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _make_private(url: str) -> None:
    """Make an SQLite file that only its owner reads; its log and index files get the same mode from SQLite."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
        os.close(os.open(str(address.database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
