from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from gateway.domain.errors import ConfigError, StoreUnavailable
from gateway.store.engines import open_engine
from gateway.store.migrations import current, head, require_current, upgrade
from gateway.store.tables import METADATA


def test_the_migrated_schema_is_the_one_the_code_is_written_for(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    with engine.connect() as connection:
        defaults = _sqlite_default_differs if connection.dialect.name == "sqlite" else True
        context = MigrationContext.configure(connection, opts={"compare_server_default": defaults})
        differences = compare_metadata(context, METADATA)
    engine.dispose()
    assert differences == []


def test_the_migrated_tables_have_the_indexes_and_keys_of_the_code(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    found = inspect(engine)
    for table in METADATA.sorted_tables:
        assert {index["name"] for index in found.get_indexes(table.name) if not index.get("duplicates_constraint")} == {
            index.name for index in table.indexes
        }
        assert len(found.get_foreign_keys(table.name)) == len(table.foreign_key_constraints)
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [
            column.name for column in table.primary_key
        ]
    engine.dispose()


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    assert current(empty_url) is None
    upgrade(empty_url)
    upgrade(empty_url)
    assert current(empty_url) == head()


def test_two_programs_that_upgrade_at_once_take_turns(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_url] * 4))
    assert current(empty_url) == head()


def test_a_program_starts_on_the_current_schema(empty_url: str) -> None:
    upgrade(empty_url)
    require_current(empty_url)
    engine = open_engine(empty_url)
    require_current(engine)
    engine.dispose()


def test_a_program_refuses_a_database_without_tables(empty_url: str) -> None:
    with pytest.raises(ConfigError, match="has no tables"):
        require_current(empty_url)


def test_a_program_refuses_a_schema_it_does_not_know(empty_url: str) -> None:
    upgrade(empty_url)
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(ConfigError, match=r"9999.*newer version"):
        require_current(empty_url)


def test_a_failed_upgrade_leaves_the_database_as_it_was(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE segment (id integer)")  # in the way of the last steps
    with pytest.raises(StoreUnavailable):
        upgrade(empty_url)
    assert inspect(engine).get_table_names() == ["segment"]
    engine.dispose()


def test_only_the_owner_reads_the_database_file(sqlite_url: str, tmp_path: Path) -> None:
    upgrade(sqlite_url)
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO site VALUES ('environment', 'test')")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    engine.dispose()
    assert set(modes) >= {"gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db.lock"}
    assert set(modes.values()) == {0o600}


def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    address = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    with pytest.raises(StoreUnavailable):
        current(address)
    with pytest.raises(StoreUnavailable):
        upgrade(address)


def _sqlite_default_differs(
    _context: object, _found: object, _wanted: object, found: str | None, _default: object, wanted: str | None
) -> bool:
    """SQLite's empty default comes back in parentheses, which Alembic takes for a difference."""
    return (found or "").strip("()'") != (wanted or "").strip("'")
