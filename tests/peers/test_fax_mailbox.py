"""A mailbox of a real Dovecot is watched: every fax is filed once, and moved only after the vault has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.errors import StoreUnavailable
from gateway.inbound.fax.imap import Account
from gateway.inbound.fax.intake import FaxIntake, Source
from gateway.inbound.fax.mailbox import Habits, Watch
from gateway.store.database import Database
from gateway.store.tables import fax_arrival, intake
from tests.contract.test_faxes import House
from tests.dovecot import PASSWORD, USER, WITHOUT_EXTENSIONS, Dovecot, serving
from tests.faxes import failure, sample
from tests.tables import make_tables

LINE = Source("line-one")


@pytest.fixture
def house(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/gateway.db"
    make_tables(url)
    database = Database(url)
    yield House(database, tmp_path)
    database.close()


@pytest.fixture
def dovecot() -> Any:
    with serving() as server:
        yield server


def account(server: Dovecot, folder: Path, **more: Any) -> Account:
    secret = folder / "fax.secret"
    secret.write_text(f"{USER}\n{PASSWORD}\n")
    return replace(Account("127.0.0.1", server.port, secret, False, server.certificate.path, 20.0), **more)


@asynccontextmanager
async def watched(intake: FaxIntake, account: Account, **habits: Any) -> AsyncIterator[Watch]:
    watch = Watch(LINE, account, replace(Habits(poll=0.2), **habits), intake)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.05)


async def test_what_waits_and_what_comes_later_is_filed_and_moved(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    for number in range(7):
        dovecot.deliver(sample(number).mail)
    async with watched(house.intake, account(dovecot, tmp_path)):
        await until(lambda: dovecot.count("Filed") == 7)
        for number in range(7, 10):
            dovecot.deliver(sample(number).mail)
            await until(lambda number=number: dovecot.count("Filed") == number + 1)
        dovecot.deliver(failure(3))
        await until(lambda: dovecot.holds(Filed=11, INBOX=0))
    assert len(house.all(intake)) == 10
    assert all(row.arrived_us <= row.at_us for row in house.all(fax_arrival))


async def test_a_server_of_old_without_move_and_idle_will_do(house: House, tmp_path: Path) -> None:
    with serving(WITHOUT_EXTENSIONS) as dovecot:
        async with watched(house.intake, account(dovecot, tmp_path)):
            for number in range(4):
                dovecot.deliver(sample(number).mail)
                await until(lambda number=number: dovecot.count("Filed") == number + 1)
            await until(lambda: dovecot.holds(Filed=4, INBOX=0))  # without MOVE it is copied first
    assert len(house.all(intake)) == 4


async def test_two_gateways_on_one_mailbox_file_each_fax_once(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    for number in range(20):
        dovecot.deliver(sample(number).mail)
    own = account(dovecot, tmp_path)
    async with watched(house.intake, own), watched(house.intake, own):
        await until(lambda: dovecot.count("Filed") >= 20 and not dovecot.count())
    assert len(house.all(intake)) == len(house.all(fax_arrival)) == 20


async def test_a_server_that_starts_again_is_found_again(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    async with watched(house.intake, account(dovecot, tmp_path)):
        dovecot.deliver(sample(0).mail)
        await until(lambda: dovecot.count("Filed") == 1)
        dovecot.stop()
        dovecot.deliver(sample(1).mail)
        dovecot.start()
        await until(lambda: dovecot.count("Filed") == 2)
    assert len(house.all(intake)) == 2


async def test_another_uidvalidity_files_nothing_twice_and_misses_nothing(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    async with watched(house.intake, account(dovecot, tmp_path), most=60_000):
        for number in range(3):
            dovecot.deliver(sample(number).mail)
        dovecot.deliver(b"Subject: large\r\n\r\n" + b"x" * 100_000)
        await until(lambda: dovecot.count("Filed") == 3 and len(house.all(fax_arrival)) == 4)
        dovecot.stop()
        dovecot.renumber()
        dovecot.deliver(sample(2).mail)
        dovecot.deliver(sample(3).mail)
        dovecot.start()
        await until(lambda: dovecot.holds(Filed=5, INBOX=1))
    assert len(house.all(intake)) == 4


async def test_a_mail_over_the_limit_stays_and_is_told_of(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    dovecot.deliver(b"Subject: large\r\n\r\n" + b"x" * 200_000)
    dovecot.deliver(sample(1).mail)
    async with watched(house.intake, account(dovecot, tmp_path), most=100_000):
        await until(lambda: dovecot.holds(Filed=1, INBOX=1) and len(house.all(fax_arrival)) == 2)
    assert sorted(row.outcome for row in house.all(fax_arrival)) == ["filed", "left"]


async def test_a_fax_of_many_literals_is_whole(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    large = sample(0).mail + b"epilogue\r\n" * 350_000
    dovecot.deliver(large)
    async with watched(house.intake, account(dovecot, tmp_path)):
        await until(lambda: dovecot.count("Filed") == 1)
    (row,) = house.all(intake)
    assert house.opened(row.reference)[1] == large


async def test_with_the_vault_away_nothing_is_marked(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    dovecot.deliver(sample(0).mail)
    house.database._die()
    with capture_logs() as told:
        async with watched(house.intake, account(dovecot, tmp_path)):
            await until(lambda: any(one.get("reason") == StoreUnavailable.__name__ for one in told))
    assert (dovecot.count(), dovecot.count("Filed")) == (1, 0)
    assert not [path for path in (dovecot.folder / "Maildir" / "cur").iterdir() if "S" in path.name.partition(":2,")[2]]


async def test_a_folder_that_takes_nothing_leaves_the_fax_filed_once(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.deliver(sample(0).mail)
    with capture_logs() as told:
        # A folder that cannot be made: Dovecot refuses the name, as it does one that has no room.
        async with watched(house.intake, account(dovecot, tmp_path), filed="in//valid", idle=0.2):
            await until(lambda: sum(one["event"] == "fax not moved" for one in told) > 1)
    assert (dovecot.count(), len(house.all(intake))) == (1, 1)
    async with watched(house.intake, account(dovecot, tmp_path)):
        await until(lambda: dovecot.count("Filed") == 1)
    assert len(house.all(intake)) == 1


@pytest.mark.parametrize("what", ["password", "certificate", "port"])
async def test_a_server_that_is_not_to_be_had_is_told_of(
    what: str, house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    own = account(dovecot, tmp_path)
    if what == "password":
        own.credentials.write_text(f"{USER}\nwrong\n")
    elif what == "certificate":
        own = replace(own, ca_file=None)
    else:
        own = replace(own, port=1)
    dovecot.deliver(sample(0).mail)
    with capture_logs() as told:
        async with watched(house.intake, own):
            await until(lambda: any(one["event"] == "fax mailbox away" for one in told))
    reason = next(one["reason"] for one in told if one["event"] == "fax mailbox away")
    assert reason == ("sign-in" if what == "password" else "connect")
    assert dovecot.count() == 1


async def test_the_log_names_nobody_and_nothing_of_a_fax(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    made = sample(2)
    dovecot.deliver(made.mail)
    with capture_logs() as told:
        async with watched(house.intake, account(dovecot, tmp_path)):
            await until(lambda: dovecot.count("Filed") == 1)
    for word in (made.station, made.calling, made.job, USER, PASSWORD):
        assert word not in repr(told)
