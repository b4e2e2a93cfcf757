"""What is filed lies in a folder of a real Dovecot until it is recognised, and filing does not wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.errors import ScreeningUnavailable
from gateway.domain.layout import Layouts
from gateway.inbound.fax.finishing import Finishing
from gateway.inbound.fax.mailbox import Habits, Watch
from gateway.inbound.fax.recogniser import Held, Recogniser
from gateway.store.tables import fax_arrival, fax_recognition, intake
from tests.contract.test_faxes import LINE, House
from tests.dovecot import WITHOUT_EXTENSIONS, Dovecot, serving
from tests.fax_reader import Reader, recognition
from tests.faxes import Draw, cisco, failure, sample
from tests.peers.test_fax_mailbox import account, dovecot, house, until
from tests.said import said

__all__ = ["dovecot", "house"]


@asynccontextmanager
async def line(
    house: House, server: Dovecot, folder: Path, reader: Reader, *, held: int = 1 << 20, done: str = "Done",
    watches: bool = True, lanes: int = 1,
) -> AsyncIterator[Recogniser]:  # fmt: skip
    own = account(server, folder)
    recogniser = Recogniser(house.intake, reader, Layouts(), lanes, Held(held))
    finishing = Finishing(LINE.name, own, "Filed", done, 0.2, 50 * 1024 * 1024, recogniser)
    watch = Watch(LINE, own, Habits(poll=0.2), house.intake, finishing)
    tasks = [asyncio.create_task(one.run()) for one in ([watch, finishing] if watches else [finishing])]
    try:
        yield recogniser
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def versions(house: House) -> list[int]:
    return [row.version for row in house.all(fax_recognition)]


async def test_what_comes_is_filed_while_recognition_takes_its_time(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    reader = Reader()
    reader.gate.clear()
    async with line(house, dovecot, tmp_path, reader):
        for number in range(4):
            dovecot.deliver(sample(number).mail)
            await until(lambda number=number: dovecot.holds(Filed=number + 1, INBOX=0))
        await until(lambda: len(reader.asked) == 1)
        assert dovecot.count("Done") == 0
        reader.gate.set()
        await until(lambda: dovecot.holds(Done=4, Filed=0))
    assert versions(house) == [1] * 4


@pytest.mark.parametrize("held", [1 << 20, 0], ids=["from memory", "fetched again"])
@pytest.mark.parametrize("lanes", [1, 3])
async def test_octets_are_those_that_came(
    held: int, lanes: int, house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    reader = Reader()
    async with line(house, dovecot, tmp_path, reader, held=held, lanes=lanes) as recogniser:
        for number in range(5):
            dovecot.deliver(sample(number).mail)
        # What was fetched again though it was held is let go when the watch has told where it lies.
        await until(lambda: dovecot.count("Done") == 5 and recogniser.held.total == 0)
    wanted = sorted(sample(number).document for number in range(5))
    assert sorted(documents[0][1] for documents in reader.asked) == wanted


async def test_after_a_restart_what_is_filed_is_fetched_again(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    away = Reader(ScreeningUnavailable("none"))
    async with line(house, dovecot, tmp_path, away):
        for number in range(3):
            dovecot.deliver(sample(number).mail)
        await until(lambda: dovecot.count("Filed") == 3 and len(away.asked) >= 3)
    house.let_leases_end()
    async with line(house, dovecot, tmp_path, Reader()):
        await until(lambda: dovecot.count("Done") == 3)
    assert versions(house) == [1] * 3


async def test_without_children_it_is_later_and_a_fax_stays_filed(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.deliver(sample(0).mail)
    reader = Reader(ScreeningUnavailable("none"))
    async with line(house, dovecot, tmp_path, reader):
        await until(lambda: len(reader.asked) == 1 and dovecot.holds(Filed=1, INBOX=0))
        await asyncio.sleep(0.5)
    assert (dovecot.count("Filed"), dovecot.count("Done"), versions(house)) == (1, 0, [0])
    assert house.all(fax_recognition)[0].attempts == 0


async def test_what_is_no_fax_or_a_repeat_goes_on_without_a_child(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    draw, later = Draw(1, 3), Draw(1, 3)
    later.number = 99
    for octets in (cisco(draw).mail, cisco(later).mail, failure(1)):
        dovecot.deliver(octets)
    reader = Reader()
    async with line(house, dovecot, tmp_path, reader):
        await until(lambda: dovecot.count("Done") == 3)
    assert len(reader.asked) == 1


async def test_what_somebody_else_put_there_stays(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    async with line(house, dovecot, tmp_path, Reader()):
        dovecot.deliver(sample(0).mail)
        await until(lambda: dovecot.count("Done") == 1)
        dovecot.deliver(b"Subject: not ours\r\n\r\nx", ".Filed")
        dovecot.deliver(sample(1).mail)
        await until(lambda: dovecot.holds(Done=2, Filed=1))
    assert len(house.all(intake)) == 2


async def test_another_uidvalidity_of_the_folder_recognises_nothing_twice(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    reader = Reader(*[recognition()] * 2, ScreeningUnavailable("none"))
    async with line(house, dovecot, tmp_path, reader):
        for number in range(4):
            dovecot.deliver(sample(number).mail)
        await until(lambda: dovecot.holds(Done=2, Filed=2, INBOX=0) and len(reader.asked) >= 4)
    dovecot.stop()
    dovecot.renumber("Filed")
    dovecot.start()
    house.let_leases_end()
    async with line(house, dovecot, tmp_path, Reader()):
        await until(lambda: dovecot.count("Done") == 4)
    assert versions(house) == [1] * 4
    assert len(house.entries("fax_recognised")) == 4


async def test_two_gateways_recognise_each_fax_once(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    readers = Reader(), Reader()
    for number in range(12):
        dovecot.deliver(sample(number).mail)
    async with line(house, dovecot, tmp_path, readers[0]), line(house, dovecot, tmp_path, readers[1]):
        await until(lambda: dovecot.count("Done") >= 12 and not dovecot.count("Filed") and not dovecot.count())
    assert len(house.entries("fax_recognised")) == len(house.all(fax_arrival)) == 12
    assert sum(len(one.asked) for one in readers) == 12


async def test_a_folder_that_takes_nothing_leaves_the_fax_recognised_once(
    house: House, dovecot: Dovecot, tmp_path: Path
) -> None:
    dovecot.deliver(sample(0).mail)
    reader = Reader()
    with capture_logs() as told:
        async with line(house, dovecot, tmp_path, reader, done="in//valid"):
            await until(lambda: any(one["event"] == "fax not moved" for one in told))
    assert dovecot.count("Filed") == 1
    async with line(house, dovecot, tmp_path, reader):
        await until(lambda: dovecot.count("Done") == 1)
    assert (versions(house), len(reader.asked)) == ([1], 1)


async def test_a_fault_over_one_fax_holds_up_no_other(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    reader = Reader(KeyError("ours"), recognition())
    with capture_logs() as told:
        async with line(house, dovecot, tmp_path, reader):
            for number in range(3):
                dovecot.deliver(sample(number).mail)
            await until(lambda: dovecot.holds(Done=2, Filed=1))
    assert any(one["event"] == "incident" for one in told)


async def test_a_server_of_old_will_do(house: House, tmp_path: Path) -> None:
    with serving(WITHOUT_EXTENSIONS) as server:
        async with line(house, server, tmp_path, Reader()):
            for number in range(3):
                server.deliver(sample(number).mail)
            await until(lambda: server.holds(Done=3, Filed=0))


async def test_the_log_says_no_word_of_what_was_found(house: House, dovecot: Dovecot, tmp_path: Path) -> None:
    dovecot.deliver(sample(2).mail)
    with capture_logs() as told:
        async with line(house, dovecot, tmp_path, Reader(replace(recognition(), complete=False))):
            await until(lambda: dovecot.count("Done") == 1)
    wanted: dict[str, Any] = {"event": "fax recognised", "pages": 1, "sections": 1, "complete": False}
    assert any(wanted.items() <= one.items() for one in told)
    for word in ("Ines", "15410", sample(2).station, sample(2).calling):
        assert word not in said(repr(told))
