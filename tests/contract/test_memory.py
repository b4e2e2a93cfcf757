"""What is remembered of rights never outlives them: a right that another program ends is refused at the next mail."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, update
from sqlalchemy.exc import IntegrityError

from gateway.domain.credential import Principal
from gateway.domain.errors import NotAllowed
from gateway.domain.reply import SmtpReply
from gateway.inbound.listener.seam import MailParameters, Peer, RecipientParameters
from gateway.inbound.submission import SubmissionDoor
from gateway.store.blobs import BlobFolder
from gateway.store.database import Database
from gateway.store.engines import open_engine
from gateway.store.memory import count_of_rights
from gateway.store.migrations import upgrade
from gateway.store.privileges import privileges
from gateway.store.tables import (
    absence,
    agreement_case,
    assignment,
    authorisation,
    case,
    delegation,
    designated_user,
    enrolment,
    message,
    person,
    person_address,
    role,
    sealing_key,
    site,
    succession,
    team,
    team_member,
)
from gateway.store.transaction import Transaction
from tests.settled import DEPOSIT_KEY, Settled

SETTLED = [
    person, person_address, team, team_member, case, agreement_case, assignment, designated_user, sealing_key
]  # fmt: skip
STANDINGS = [*SETTLED, enrolment, authorisation, delegation, role, absence, succession]
LONG = b"a line of a long message, which is sealed in lots, in a thread, while the next blocks of it come\r\n" * 20_000

A_LONG_WHILE = 600.0


@pytest.fixture
def settled(database: Database) -> Settled:
    return Settled(database)


@pytest.fixture
def other_program(store_url: str) -> Iterator[Database]:
    opened = Database(store_url)
    yield opened
    opened.close()


@pytest.fixture
def door(settled: Settled, database: Database, tmp_path: Path) -> SubmissionDoor:
    nobody: Any = None
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    return SubmissionDoor(database, blobs, nobody, {"cwa": settled.mailroom}, DEPOSIT_KEY, lambda: None)


async def submit(door: SubmissionDoor, settled: Settled, body: bytes = b"words\r\n", header: bytes = b"") -> SmtpReply:
    envelope = MailParameters("dana@agency.example", None, "8BITMIME", False, None, None, None)
    peer = Peer("127.0.0.1", 1, True, "tool.example", "test")
    transaction = await door.begin(peer, Principal(settled.people["dana"], "credential"), envelope)
    await transaction.add_recipient(RecipientParameters(settled.address(settled.tour), None, None))
    transaction.start()
    octets = b"From: <dana@agency.example>\r\nSubject: Budget\r\n" + header + b"\r\n" + body
    for start in range(0, len(octets), 65_536):
        transaction.write(octets[start : start + 65_536])
        await transaction.drain()
    return await transaction.commit()


def end_person(tx: Transaction, person_id: str) -> None:
    tx.execute(update(person).where(person.c.id == person_id).values(ended_us=tx.now_us))


async def test_a_person_whom_another_program_ends_is_refused_at_the_next_message(
    door: SubmissionDoor, settled: Settled, other_program: Database
) -> None:
    for _ in range(3):
        assert (await submit(door, settled)).code == 250
    await other_program.run(end_person, settled.people["dana"])
    with pytest.raises(NotAllowed):
        await submit(door, settled)
    assert len(settled.database.read_now(lambda connection: connection.execute(message.select()).all())) == 3


@pytest.mark.parametrize("right", [team_member, assignment], ids=lambda table: table.name)
async def test_a_right_that_another_program_takes_away_is_refused_at_the_next_message(
    door: SubmissionDoor, settled: Settled, other_program: Database, right: Table
) -> None:
    assert (await submit(door, settled)).code == 250
    await other_program.run(lambda tx: tx.execute(delete(right)))
    with pytest.raises(NotAllowed):
        await submit(door, settled)


async def test_a_right_that_was_taken_away_is_refused_at_rcpt_when_what_was_known_has_run_out(
    door: SubmissionDoor, settled: Settled, database: Database, other_program: Database
) -> None:
    database._known.seconds = -1.0
    assert (await submit(door, settled)).code == 250
    await other_program.run(lambda tx: tx.execute(delete(assignment)))
    envelope = MailParameters("dana@agency.example", None, "8BITMIME", False, None, None, None)
    peer = Peer("127.0.0.1", 1, True, "tool.example", "test")
    transaction = await door.begin(peer, Principal(settled.people["dana"], "credential"), envelope)
    with pytest.raises(NotAllowed, match="no open case by this address"):
        await transaction.add_recipient(RecipientParameters(settled.address(settled.tour), None, None))


async def test_what_is_known_of_rights_outlives_what_others_write_beside_them(
    door: SubmissionDoor, settled: Settled, database: Database, other_program: Database
) -> None:
    database._known_to_writer.seconds = A_LONG_WHILE
    await submit(door, settled)
    await submit(door, settled)
    known = dict(database._known_to_writer.answers)
    await other_program.run(lambda tx: tx.record("of_another_program", "nobody"))
    await submit(door, settled)
    assert known
    assert known.items() <= database._known_to_writer.answers.items()


async def test_two_programs_that_take_mail_do_not_make_each_other_forget(
    settled: Settled, database: Database, other_program: Database, tmp_path: Path
) -> None:
    nobody: Any = None
    blobs = BlobFolder(tmp_path / "blobs", reserve_octets=0)
    for one in (database, other_program):
        one._known_to_writer.seconds = A_LONG_WHILE
    doors = [
        SubmissionDoor(one, blobs, nobody, {"cwa": settled.mailroom}, DEPOSIT_KEY, lambda: None)
        for one in (database, other_program)
    ]
    for door in doors * 2:
        assert (await submit(door, settled)).code == 250
    known = [dict(one._known_to_writer.answers) for one in (database, other_program)]
    for door in doors:
        assert (await submit(door, settled)).code == 250
    for one, before in zip((database, other_program), known, strict=True):
        assert before
        assert before.items() <= one._known_to_writer.answers.items()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("table", SETTLED, ids=lambda table: table.name)
def test_any_change_of_a_row_of_rights_is_counted(database: Database, table: Table) -> None:
    counts = [database.read_now(count_of_rights)]
    [column] = table.primary_key
    for change in (update(table).values({column: column}), delete(table)):
        with suppress(IntegrityError):  # others refer to it: then it stays, and is nothing to forget
            database.call(lambda tx, change=change: tx.execute(change))
            counts.append(database.read_now(count_of_rights))
    assert None not in counts
    assert len(counts) >= 2
    assert len(set(counts)) == len(counts)


def test_the_tables_whose_changes_are_counted_are_those_that_doors_read(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        triggers = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'").all()
    engine.dispose()
    rows = [row for row in triggers if row.name.rpartition("_")[2] in ("update", "delete")]
    read = {one.table for one in privileges("submission") if one.verb == "select"}
    written = {one.table for one in privileges("submission") if one.verb == "insert"}
    assert {row.tbl_name for row in rows} == {table.name for table in STANDINGS}
    no_rights = {"site", "alembic_version", "guard_wait"}  # what waits for a yes is read when one comes
    assert {row.tbl_name for row in rows} == read - written - no_rights
    for verb in ("update", "delete"):
        assert {row.tbl_name for row in rows if row.name.endswith(verb)} == {table.name for table in STANDINGS}


def test_before_the_first_change_and_on_an_older_schema_nothing_may_be_kept(database: Database) -> None:
    assert database.read_now(count_of_rights) is None


async def test_a_long_message_is_sealed_in_lots_and_whole(door: SubmissionDoor, settled: Settled) -> None:
    assert (await submit(door, settled, LONG)).code == 250
    [row] = settled.database.read_now(lambda connection: connection.execute(message.select()).all())
    assert row.octets == len(b"From: <dana@agency.example>\r\nSubject: Budget\r\n\r\n" + LONG)


async def test_what_cannot_be_prepared_fails_alone_and_writes_nothing(database: Database) -> None:
    def keep(tx: Transaction, name: str) -> str:
        tx.insert(site, name=name, value="")
        return name

    def broken() -> str:
        raise NotAllowed("no")

    with pytest.raises(NotAllowed):
        await database.run_prepared(broken, keep)
    assert await database.run_prepared(lambda: "kept", keep) == "kept"
    names = database.read_now(lambda connection: [row.name for row in connection.execute(site.select())])
    assert names == ["kept"]


async def test_what_was_prepared_is_freed_with_its_call(database: Database) -> None:
    class Made:
        pass

    def prepare() -> Made:
        made = Made()
        seen.append(weakref.ref(made))
        return made

    def keep(_: Transaction, __: Made) -> None:
        return None

    seen: list[weakref.ref[Made]] = []
    gc.disable()
    try:
        for _ in range(2):  # the writer may hold the last one until the next
            await database.run_prepared(prepare, keep)
        assert seen[0]() is None
    finally:
        gc.enable()


async def test_verbs_that_are_written_together_fail_alone_all_the_same(database: Database) -> None:
    def keep(tx: Transaction, name: str) -> str:
        tx.insert(site, name=name, value="")
        if name == "refused":
            raise NotAllowed("no")
        return name

    names = ["first", "same", "refused", "same", "last"]
    ends = await asyncio.gather(
        *(database.run_prepared(lambda name=name: name, keep) for name in names), return_exceptions=True
    )
    assert [end if isinstance(end, str) else type(end) for end in ends] in (
        ["first", "same", NotAllowed, IntegrityError, "last"],
        ["first", IntegrityError, NotAllowed, "same", "last"],
    )
    kept = await database.read(lambda connection: connection.execute(select(site.c.name)).scalars().all())
    assert sorted(kept) == ["first", "last", "same"]


async def test_a_verb_that_wants_a_statement_of_its_own_sees_the_rows_before_it(database: Database) -> None:
    def add(tx: Transaction, name: str) -> int:
        tx.insert(site, name=name, value="")
        return len(tx.all(select(site.c.name)))

    counts = await asyncio.gather(*(database.run_prepared(lambda n=n: f"n{n}", add) for n in range(20)))
    assert sorted(counts) == list(range(1, 21))


async def test_the_same_message_twice_in_one_group_is_one_message(door: SubmissionDoor, settled: Settled) -> None:
    body = b"words\r\n"
    said = await asyncio.gather(
        *(submit(door, settled, body, b"Message-ID: <one@tool.example>\r\n") for _ in range(12))
    )
    assert len({str(reply) for reply in said}) == 1
    assert len(settled.database.read_now(lambda connection: connection.execute(message.select()).all())) == 1
