from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.privileges import grants
from tests.postgres import Postgres, PostgresMissingError
from tests.timed import Time, Timed


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


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "gateway.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_with_tables(postgres: Postgres) -> str:
    name = postgres.new_database()
    upgrade(postgres.url(name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with its tables, copied from one that was upgraded once."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_with_tables"), tmp_path / "gateway.db")
        return f"sqlite:///{tmp_path}/gateway.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url(postgres.new_database(template=request.getfixturevalue("postgres_with_tables")))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    opened = Database(store_url)
    yield opened
    opened.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def timed(store_url: str, time: Time, request: pytest.FixtureRequest) -> Iterator[Timed]:
    """A site with a clock in the test's hand; its notifier does what that program's line allows."""
    owner, url = Database(store_url, clock=time), store_url
    if "postgresql" in url:
        server: Postgres = request.getfixturevalue("postgres")
        name = url.partition("@/")[2].partition("?")[0]
        make = "DO $$ BEGIN CREATE ROLE gateway_notifier LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
        server.execute(make, *grants("notifier"), database=name)
        url = server.url(name, "gateway_notifier")
    program = Database(url, clock=time, program="notifier")
    yield Timed(owner, program, time)
    program.close()
    owner.close()
