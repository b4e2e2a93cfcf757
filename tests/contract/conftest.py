from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.postgres import Postgres, PostgresMissingError


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
        server.start()
    except PostgresMissingError as problem:
        pytest.skip(str(problem))
    yield server
    server.delete()


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    return postgres.url(postgres.new_database())


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    return str(request.getfixturevalue(f"{'postgres' if request.param == 'postgresql' else 'sqlite'}_url"))


@pytest.fixture
def store_url(empty_url: str) -> str:
    """A database of each kind with its tables."""
    upgrade(empty_url)
    return empty_url


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    opened = Database(store_url)
    yield opened
    opened.close()
