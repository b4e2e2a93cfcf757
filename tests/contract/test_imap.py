"""An IMAP session with servers that misbehave: each command ends, by an answer, a deadline, or with the connection."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.inbound.fax.imap import Account, Lost, Session, Waiting, open_session
from tests.relay import Certificate

Play = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[bytes | None]]
"""What a server does with a command: of its tag and the rest of its line; an answer, or None to stay silent."""

PATIENT, HURRIED = 60.0, 2.0
"""Deadlines, in seconds: of tests that are to come to an answer, and of those that are to come to their end."""
CAPABILITIES = b"* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n"


async def ordinary(tag: bytes, line: bytes, _writer: asyncio.StreamWriter) -> bytes | None:
    """What every server does."""
    word = line.split()[0].upper()
    told = {
        b"CAPABILITY": CAPABILITIES,
        b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n",
        b"LOGOUT": b"* BYE\r\n",
    }.get(word, b"")
    return told + tag + b" OK done\r\n"


@asynccontextmanager
async def server(
    folder: Path, play: Play, greeting: bytes = b"* OK hello\r\n", deadline: float = PATIENT
) -> AsyncIterator[Account]:
    """A server that greets, and then plays."""
    certificate = Certificate(folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        try:
            while line := await reader.readline():
                tag, _, rest = line.strip().partition(b" ")
                answer = await play(tag, rest or tag, writer)
                if answer is not None:
                    writer.write(answer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate.server_context())
    secret = folder / "secret"
    secret.write_text('us"er\npass word\n')
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Account("127.0.0.1", port, secret, False, certificate.path, deadline)
    finally:
        listening.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def session(account: Account, *, hurried: bool = False) -> AsyncIterator[Session]:
    opened = await open_session(account)
    try:
        await opened.select("INBOX", "Filed")
        await opened.waiting()  # which takes note of all that has come
        if hurried:
            opened._deadline = HURRIED
        yield opened
    finally:
        await opened.close()


async def lost(work: Awaitable[object]) -> str:
    with pytest.raises(Lost) as caught:
        await asyncio.wait_for(work, 50)
    return caught.value.reason


async def test_names_with_quotes_and_blanks_are_said_as_they_are(tmp_path: Path) -> None:
    said: list[bytes] = []

    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        said.append(line)
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account):
        pass
    assert rb'LOGIN "us\"er" "pass word"' in said


async def test_a_token_is_shown_as_xoauth2_wants_it(tmp_path: Path) -> None:
    said: list[bytes] = []

    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        said.append(line)
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account:
        account.credentials.write_text("fax@gateway.example\ntoken-1\n")
        by_token = Account("127.0.0.1", account.port, account.credentials, True, account.ca_file, PATIENT)
        async with session(by_token):
            pass
    (shown,) = [line.split()[-1] for line in said if line.startswith(b"AUTHENTICATE XOAUTH2")]
    assert b64decode(shown) == b"user=fax@gateway.example\x01auth=Bearer token-1\x01\x01"


async def test_a_literal_that_stalls_ends_by_the_deadline(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK" in line:
            return b"* 1 FETCH (UID 5 BODY[]<0> {1000}\r\n" + b"x" * 10
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account, hurried=True) as opened:
        assert await lost(opened.fetch(5, 1000, 10**6)) == "deadline"


async def test_more_octets_than_were_asked_for_end_the_connection(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK" not in line:
            return await ordinary(tag, line, writer)
        writer.write(b"* 1 FETCH (UID 5 BODY[]<0> {99999999999}\r\n")
        for _ in range(500):
            writer.write(b"x" * 65536)
            await writer.drain()
        return None

    async with server(tmp_path, play) as account, session(account, hurried=True) as opened:
        assert await lost(opened.fetch(5, 1000, 10**6)) in ("closed", "deadline")


async def test_a_mail_that_grows_beyond_the_limit_is_given_up(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK" in line:
            wanted = re.search(rb"<(\d+)\.(\d+)>", line)
            assert wanted is not None
            size = int(wanted[2])
            writer.write(b"* 1 FETCH (UID 5 BODY[]<%s> {%d}\r\n" % (wanted[1], size) + b"x" * size + b")\r\n")
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await lost(opened.fetch(5, 1000, 3 * 1024 * 1024)) == "size"


@pytest.mark.parametrize("told", [3000, 2999, 3001, 1])
@pytest.mark.parametrize("at_end", [b"{0}\r\n", b'""', b"NIL"])
async def test_a_server_may_give_less_than_was_asked_for_and_a_wrong_size(
    tmp_path: Path, told: int, at_end: bytes
) -> None:
    mail = bytes(range(256)) * 11 + b"e" * 184

    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK" in line:
            wanted = re.search(rb"<(\d+)\.", line)
            assert wanted is not None
            piece = mail[int(wanted[1]) :][:700]
            head = b"* 1 FETCH (UID 5 BODY[]<%s> " % wanted[1]
            writer.write(head + (b"{%d}\r\n" % len(piece) + piece if piece else at_end) + b")\r\n")
        elif b"RFC822.SIZE" in line:
            writer.write(b"* 1 FETCH (UID 5 RFC822.SIZE %d)\r\n" % told)
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.fetch(5, told, 10**6) == mail


@pytest.mark.parametrize("given", [0, 700])
async def test_a_mail_that_somebody_moved_while_it_was_fetched_is_none(tmp_path: Path, given: int) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK[]<0." in line and given:
            writer.write(b"* 1 FETCH (UID 5 BODY[]<0> {%d}\r\n" % given + b"x" * given + b")\r\n")
        elif b"BODY.PEEK" in line:
            writer.write(b"* 1 FETCH (UID 5 BODY[] NIL)\r\n")
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.fetch(5, 3000, 10**6) is None


async def test_what_is_told_of_other_mails_meanwhile_is_not_taken_for_this_one(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"BODY.PEEK" in line:
            writer.write(b"* 7 FETCH (UID 6 BODY[]<0> {5}\r\nother)\r\n* 3 FETCH (FLAGS (\\Seen) UID 5)\r\n")
            writer.write(b"* 1 FETCH (UID 5 BODY[]<0> {4}\r\nthis)\r\n")
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.fetch(5, 4, 100) == b"this"


async def test_a_mail_that_is_gone_is_none(tmp_path: Path) -> None:
    async with server(tmp_path, ordinary) as account, session(account) as opened:
        assert await opened.find(5) is None
        assert await opened.fetch(5, 4, 100) is None


@pytest.mark.parametrize(
    ("told", "arrived_us"),
    [
        (b'INTERNALDATE "17-Jul-1996 02:44:25 -0700" ', 837596665000000),
        (b'INTERNALDATE " 1-Mar-2026 00:00:00 +0000" ', 1772323200000000),
        (b'INTERNALDATE "yesterday, at about four o\'clock" ', None),
        (b"", None),
    ],
)
async def test_a_mail_is_told_with_its_size_and_when_it_came(
    tmp_path: Path, told: bytes, arrived_us: int | None
) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if b"RFC822.SIZE" in line:
            writer.write(b"* 1 FETCH (UID 5 " + told + b"RFC822.SIZE 44)\r\n")
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.find(5) == Waiting(44, arrived_us)


@pytest.mark.parametrize("ends", [True, False])
async def test_bye_in_idle_ends_the_session(tmp_path: Path, ends: bool) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if line == b"IDLE":
            writer.write(b"+ idling\r\n")
            await writer.drain()
            writer.write(b"* BYE until later\r\n")
            if ends:
                await writer.drain()
                writer.close()
            return None
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await lost(opened.wait(60, 60)) == "closed"


async def test_bye_in_place_of_idling_ends_the_session(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if line == b"IDLE":
            return b"* BYE no room\r\n"
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account, hurried=True) as opened:
        assert await lost(opened.wait(30, 30)) == "deadline"


async def test_idling_is_renewed_when_its_time_is_over(tmp_path: Path) -> None:
    tags: list[bytes] = []

    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if line == b"IDLE":
            tags.append(tag)
            return b"+ idling\r\n"
        if tag == b"DONE":
            return tags[-1] + b" OK done\r\n"
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        for _ in range(3):
            await opened.wait(0.1, 30)
    assert len(tags) == 3


async def test_mail_that_came_during_another_command_is_not_waited_for(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        if line.startswith(b"UID SEARCH"):
            writer.write(b"* SEARCH\r\n* 2 EXISTS\r\n")
        assert line != b"IDLE"
        return await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.waiting() == []
        await asyncio.wait_for(opened.wait(60, 60), 50)


@pytest.mark.parametrize("greeting", [b"* BYE too busy\r\n", b"", b"220 smtp.example\r\n", b"\0\xff\r\n"])
async def test_a_greeting_that_is_none_is_not_waited_for(tmp_path: Path, greeting: bytes) -> None:
    async with server(tmp_path, ordinary, greeting, HURRIED) as account:
        assert await lost(open_session(account)) in ("connect", "deadline")


async def test_a_refused_sign_in_says_so(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        return tag + b" NO wrong\r\n" if line.startswith(b"LOGIN") else await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account:
        assert await lost(open_session(account)) == "sign-in"


async def test_without_a_file_of_credentials_nobody_signs_in(tmp_path: Path) -> None:
    async with server(tmp_path, ordinary) as account:
        account.credentials.write_text("only a user\n")
        assert await lost(open_session(account)) == "sign-in"


async def test_a_folder_without_room_says_that_nothing_was_moved(tmp_path: Path) -> None:
    async def play(tag: bytes, line: bytes, writer: asyncio.StreamWriter) -> bytes | None:
        return tag + b" NO [OVERQUOTA]\r\n" if line.startswith(b"UID MOVE") else await ordinary(tag, line, writer)

    async with server(tmp_path, play) as account, session(account) as opened:
        assert await opened.move(5, "Filed") is False
