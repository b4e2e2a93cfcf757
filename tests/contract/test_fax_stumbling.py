"""A mail over which its mailbox's server ends each session, or gives nothing: it holds up no other fax."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.domain.layout import Layouts
from gateway.inbound.fax.finishing import Finishing
from gateway.inbound.fax.imap import Account
from gateway.inbound.fax.mailbox import Habits, Watch
from gateway.inbound.fax.recogniser import Held, Recogniser
from gateway.store.tables import fax_arrival, fax_recognition
from tests.contract.test_faxes import LINE, House, house
from tests.contract.test_imap import PATIENT, server
from tests.fax_reader import Reader
from tests.faxes import sample

__all__ = ["house"]
MOST = 60_000
GOOD, BAD = 6, 5


@dataclass
class Mailbox:
    """A server's one folder with a good mail and a bad one before it; `trouble` is what it does about that."""

    trouble: str
    good: bytes
    mails: set[int] = field(default_factory=lambda: {BAD, GOOD})
    sessions: int = 0

    async def play(self, tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        word = line.upper()
        self.sessions += word.startswith(b"LOGIN")
        told = b""
        if word.startswith(b"CAPABILITY"):
            told = b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n"
        elif word.startswith(b"SELECT"):
            told = b"* OK [UIDVALIDITY 9] ok\r\n"
        elif word.startswith(b"UID SEARCH"):
            told = b"* SEARCH%s\r\n" % b"".join(b" %d" % one for one in sorted(self.mails))
        elif found := re.match(rb"UID (FETCH|MOVE) (\d+) (.*)", word):
            return await self._of_mail(tag, found[1], int(found[2]), found[3], writer)
        return told + tag + b" OK done\r\n"

    async def _of_mail(
        self, tag: bytes, verb: bytes, uid: int, what: bytes, writer: asyncio.StreamWriter
    ) -> bytes | None:
        if verb == b"MOVE":
            if uid == BAD and self.trouble == "ends at its move":
                return await self._end(writer)
            self.mails.discard(uid)
            return tag + b" OK done\r\n"
        if b"SIZE" in what:
            return b"* 1 FETCH (UID %d RFC822.SIZE %d)\r\n" % (uid, len(self.good)) + tag + b" OK done\r\n"
        if uid == BAD and self.trouble == "gives nothing":
            return tag + b" NO [SERVERBUG] internal error\r\n"
        if uid == BAD and self.trouble == "ends at its fetch":
            return await self._end(writer)
        mail = b"x" * 2 * MOST if uid == BAD and self.trouble == "is longer than it says" else self.good
        start = int(what.partition(b"<")[2].partition(b".")[0])
        piece = mail[start : start + 1024 * 1024]
        head = b"* 1 FETCH (UID %d BODY[]<%d> {%d}\r\n" % (uid, start, len(piece))
        return head + piece + b")\r\n" + tag + b" OK done\r\n"

    @staticmethod
    async def _end(writer: asyncio.StreamWriter) -> None:
        writer.write(b"* BYE internal error\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def at_work(task: asyncio.Task[None]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_moved(mailbox: Mailbox, *left: int) -> None:
    async with asyncio.timeout(60):
        while mailbox.mails != set(left):
            await asyncio.sleep(0.05)


def watch(account: Account, house: House) -> Watch:
    return Watch(LINE, account, Habits(poll=0.2, most=MOST), house.intake)


@pytest.mark.parametrize(
    "trouble", ["gives nothing", "ends at its fetch", "ends at its move", "is longer than it says"]
)
async def test_a_mail_that_ends_each_session_holds_up_no_other(house: House, tmp_path: Path, trouble: str) -> None:
    mailbox = Mailbox(trouble, sample(0).mail)
    async with server(tmp_path, mailbox.play, deadline=PATIENT) as account:
        async with at_work(asyncio.create_task(watch(account, house).run())):
            await until_moved(mailbox, BAD)
        assert mailbox.sessions <= 3
    outcomes = sorted(row.outcome for row in house.all(fax_arrival))
    assert outcomes == (["filed", "left"] if trouble == "is longer than it says" else ["filed"])


@pytest.mark.parametrize("trouble", ["gives nothing", "ends at its fetch", "ends at its move"])
@pytest.mark.parametrize("lanes", [1, 2])
async def test_nor_does_one_that_is_filed_hold_up_recognition(
    house: House, tmp_path: Path, trouble: str, lanes: int
) -> None:
    mailbox = Mailbox(trouble, sample(0).mail)
    await house.intake.take(LINE, mailbox.good)
    recogniser = Recogniser(house.intake, Reader(), Layouts(), lanes, Held(0))
    async with server(tmp_path, mailbox.play, deadline=PATIENT) as account:
        finishing = Finishing(LINE.name, account, "Filed", "Done", 0.2, MOST, recogniser)
        async with at_work(asyncio.create_task(finishing.run())):
            await until_moved(mailbox, BAD)
    assert [row.version for row in house.all(fax_recognition)] == [1]
