"""What each program may do with the database: by its role on PostgreSQL, by its own connections on SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.store.database import Database
from gateway.store.migrations import upgrade
from gateway.store.privileges import PROGRAMS, grants, privileges
from gateway.store.tables import AUTHORITY, METADATA, credential, leaf, message, outbox, person, role, session, site
from gateway.store.transaction import Transaction
from tests.postgres import Postgres

OpenAs = Callable[[str], Database]


@pytest.fixture
def open_as(store_url: str, request: pytest.FixtureRequest) -> Iterator[OpenAs]:
    """Open the database as one of the programs."""
    opened: list[Database] = []

    def open_as(program: str) -> Database:
        url = store_url
        if "postgresql" in url:
            postgres: Postgres = request.getfixturevalue("postgres")
            name = url.partition("@/")[2].partition("?")[0]
            make = f"DO $$ BEGIN CREATE ROLE gateway_{program} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
            postgres.execute(make, *grants(program), database=name)
            url = postgres.url(name, f"gateway_{program}")
        opened.append(Database(url, program=program))
        return opened[-1]

    yield open_as
    for database in opened:
        database.close()


def statements(table: Table) -> Iterator[tuple[str, str, str]]:
    """Yield verb, column and a statement that does nothing, for all that can be done to a table."""
    for column in table.columns:
        yield "select", column.name, f'SELECT "{column.name}" FROM "{table.name}" WHERE 1 = 0'
        if not column.primary_key:  # SQLite then asks for the tables that refer to it, too; nothing ever does it
            yield "update", column.name, f'UPDATE "{table.name}" SET "{column.name}" = NULL WHERE 1 = 0'
    yield "insert", "", f'INSERT INTO "{table.name}" DEFAULT VALUES'
    yield "delete", "", f'DELETE FROM "{table.name}" WHERE 1 = 0'


def is_done(database: Database, statement: str) -> bool:
    """Tell whether a program may do it; that a row lacks what it needs is another matter."""
    problem = database.submit(lambda tx: tx.connection.exec_driver_sql(statement)).exception(30)
    if isinstance(problem, DBAPIError) and is_refused(problem):
        return False
    assert problem is None or isinstance(problem, IntegrityError)
    return True


def all_columns(table: str) -> list[str]:
    return METADATA.tables[table].columns.keys() if table in METADATA.tables else []


def all_keys(table: str) -> list[str]:
    return [column.name for column in METADATA.tables[table].primary_key]


def is_refused(problem: DBAPIError) -> bool:
    return getattr(problem.orig, "sqlstate", None) == "42501" or getattr(problem.orig, "sqlite_errorcode", 0) == 23


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_does_what_its_line_says_and_nothing_else(open_as: OpenAs, program: str) -> None:
    database = open_as(program)
    allowed = {
        (one.verb, one.table, column)
        for one in privileges(program)
        for column in (one.columns or all_columns(one.table) if one.verb in {"select", "update"} else ("",))
        if one.table in METADATA.tables and not (one.verb == "update" and column in all_keys(one.table))
    }
    done = {
        (verb, table.name, column)
        for table in METADATA.sorted_tables
        for verb, column, statement in statements(table)
        if is_done(database, statement)
    }
    assert done == allowed


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_changes_nothing_of_the_schema(open_as: OpenAs, program: str) -> None:
    database = open_as(program)
    for statement in (
        "DROP TABLE leaf",
        "ALTER TABLE leaf ADD COLUMN x text",
        "CREATE TABLE mine (x text)",
        "CREATE INDEX mine ON leaf (kind)",
    ):
        with pytest.raises(DBAPIError):
            database.call(lambda tx, text=statement: tx.connection.exec_driver_sql(text))


@pytest.mark.parametrize("program", sorted(set(PROGRAMS) - {"keyholder"}))
@pytest.mark.parametrize("table", AUTHORITY.values(), ids=str)
def test_only_the_keyholder_writes_rows_that_give_power(open_as: OpenAs, program: str, table: Table) -> None:
    verbs = {one.verb for one in privileges(program) if one.table == table.name}
    assert verbs <= {"select"}


def test_the_portal_grants_itself_nothing(open_as: OpenAs, store_url: str) -> None:
    owner = Database(store_url)
    owner.call(lambda tx: tx.insert(person, id="p", programme="cwa", side="office", name="A", created_us=0))
    portal = open_as("portal")
    for table, row in (
        (role, {"role": "administrator", "from_us": 0}),
        (session, {"issued_us": 0, "absolute_us": 2**60, "idle_us": 2**60, "assurance": 3}),
        (credential, {"kind": "password", "label": "x", "data": "x", "created_us": 0}),
    ):
        with pytest.raises(DBAPIError) as refused:
            portal.call(lambda tx, t=table, r=row: tx.insert(t, id="x", person_id="p", version=1, signature=b"", **r))
        assert is_refused(refused.value)
    owner.close()


@pytest.mark.parametrize(
    ("program", "query"),
    [
        ("portal", select(credential.c.data)),
        ("portal", select(credential.c.lookup)),
        ("portal", select(leaf.c.body)),
        ("portal", select(outbox.c.last_reply)),
        ("submission", select(credential.c.id)),
        ("submission", select(session.c.id)),
        ("submission", select(leaf.c.body)),
        ("notifier", select(message.c.sealed_summary)),
        ("notifier", select(METADATA.tables["segment"].c.inline)),
        ("notifier", select(credential.c.data)),
        ("authenticator", select(message.c.id)),
        ("authenticator", select(METADATA.tables["case_"].c.id)),
        ("keyholder", select(METADATA.tables["segment"].c.inline)),
    ],
)
def test_a_program_does_not_read_what_it_need_not(open_as: OpenAs, program: str, query: object) -> None:
    with pytest.raises(DBAPIError) as refused:
        open_as(program).read_now(lambda connection: connection.execute(query))  # type: ignore[call-overload]
    assert is_refused(refused.value)


def test_no_program_alters_or_deletes_an_entry(open_as: OpenAs) -> None:
    for program in PROGRAMS:
        held = {(one.verb, one.columns) for one in privileges(program) if one.table == "leaf" and one.verb != "select"}
        assert held <= {("insert", ()), ("update", ("position",))}, program


def test_a_refused_statement_fails_its_verb_alone(open_as: OpenAs) -> None:
    portal = open_as("portal")
    with held_writer(portal):
        bad = portal.submit(lambda tx: tx.insert(site, name="x", value=""))
        good = portal.submit(lambda tx: tx.record("x", "y"))
    assert isinstance(bad.exception(30), DBAPIError)
    assert good.result(30)


def test_a_program_may_write_where_a_reference_is_checked(open_as: OpenAs, store_url: str) -> None:
    """A reference is looked up by the store, with no right of the program's to read what it refers to."""
    owner = Database(store_url)

    def enter(tx: Transaction) -> None:
        tx.insert(person, id="p", programme="cwa", side="office", name="A", created_us=0)
        columns = {"kind": "password", "label": "x", "data": "x", "created_us": 0, "version": 1, "signature": b""}
        tx.insert(credential, id="c", person_id="p", **columns)

    owner.call(enter)
    owner.close()
    use = METADATA.tables["credential_use"]
    open_as("authenticator").call(lambda tx: tx.insert(use, credential_id="c", failures=0))
    with pytest.raises(IntegrityError):
        open_as("authenticator").call(lambda tx: tx.insert(use, credential_id="absent", failures=0))
    row = {"id": "o", "programme": "cwa", "kind": "x", "person_id": "p", "due_us": 0, "created_us": 0}
    open_as("submission").call(lambda tx: tx.insert(outbox, **row))


def test_an_unknown_program_has_no_line() -> None:
    with pytest.raises(KeyError):
        grants("mx-of-tomorrow")
    assert all(table in METADATA.tables or table == "alembic_version" for line in PROGRAMS.values() for table in line)


def test_grants_given_again_take_back_what_a_line_no_longer_says(postgres: Postgres, postgres_url: str) -> None:
    upgrade(postgres_url)
    name = postgres_url.partition("@/")[2].partition("?")[0]
    make = "DO $$ BEGIN CREATE ROLE gateway_notifier LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
    postgres.execute(make, "GRANT SELECT (inline) ON segment TO gateway_notifier", database=name)
    postgres.execute(*grants("notifier"), database=name)
    database = Database(postgres.url(name, "gateway_notifier"))
    with pytest.raises(DBAPIError):
        database.read_now(lambda connection: connection.exec_driver_sql("SELECT inline FROM segment"))
    database.close()


@contextmanager
def held_writer(database: Database) -> Iterator[None]:
    held, free = threading.Event(), threading.Event()
    future = database.submit(lambda _tx: (held.set(), free.wait(30)))
    assert held.wait(30)
    yield
    free.set()
    future.result(30)
