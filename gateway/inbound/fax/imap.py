"""One IMAP session (RFC 3501, 9051) by aioimaplib, which is kept to deadlines and sizes whatever the server does.

aioimaplib waits for ever where a server says BYE in IDLE, keeps what a server sends without bound, and writes it to the
log at DEBUG. So each command here has a deadline, each answer a budget of octets, and a connection that is lost ends
whatever waits. After any `Lost` the session is of no use.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from aioimaplib import aioimaplib

from gateway.domain.clock import to_microseconds
from gateway.failpoints import failpoint
from gateway.mime.headers import parse_date

T = TypeVar("T")

CHUNK: Final = 1024 * 1024
"""Octets asked for at once: a literal is never longer, however long the mail is."""

ANSWER: Final = 8 * 1024 * 1024
"""Octets of any answer beside what was asked for."""

_CLOSE_SECONDS: Final = 2.0
_VALIDITY: Final = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,20})", re.IGNORECASE)
_ARRIVED: Final = re.compile(rb'INTERNALDATE "([ 0-9A-Za-z:+-]{20,40})"', re.IGNORECASE)
_UID: Final = re.compile(rb"UID (\d{1,10})\b", re.IGNORECASE)
_BODY: Final = re.compile(rb"BODY\[\](?:<\d+>)? (?:\{(\d+)\}|\"([^\"\\]*)\"|NIL)", re.IGNORECASE)
_COPIED: Final = re.compile(rb"\[COPYUID (\d{1,10}) \d{1,10} (\d{1,10})\]", re.IGNORECASE)
_NEWS: Final = re.compile(rb"^\* \d{1,10} (?:EXISTS|RECENT)\r$", re.IGNORECASE | re.MULTILINE)


class Lost(Exception):
    """The session has ended; `reason` is a kind: connect, greeting, sign-in, select, deadline, closed, answer, size."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Account:
    """A server and how to sign in. `credentials` is a file: the user, and the password or the token, a line each."""

    host: str
    port: int
    credentials: Path
    by_token: bool
    ca_file: Path | None
    deadline: float

    def context(self) -> ssl.SSLContext:
        """Return a context that verifies the server. Raises OSError where the file of authorities is of no use."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail in a mailbox: how many octets it has, and when it came there (RFC 3501 section 2.3.3), if that is told."""

    size: int
    arrived_us: int | None


class Session:
    """One connection, signed in. Made by `open_session`; `close` it at the end.

    `moved_to` is where the last mail that was moved lies now, UIDVALIDITY and UID, if the server tells (RFC 4315).
    """

    def __init__(self, account: Account) -> None:
        self.moved_to: tuple[int, int] | None = None
        self._deadline = account.deadline
        self._lost = asyncio.Event()
        self._client = _Client(account.host, account.port, account.deadline, account.context(), self._lost)

    async def sign_in(self, user: str, secret: str, *, by_token: bool) -> None:
        """Wait for the greeting and sign in. Raises Lost."""
        await self._within(self._client.wait_hello_from_server(), "connect")
        if by_token:
            done = await self._within(self._client.xoauth2(user, secret), "sign-in")
        else:
            done = await self._within(self._client.login(aioimaplib.quoted(user), secret), "sign-in")
        _require(done, "sign-in")
        await self._within(self._client.protocol.capability(), "sign-in")  # more is offered to who is known

    async def select(self, mailbox: str, *folders: str) -> int:
        """Choose the mailbox, make the folders that are named beside it, and return the UIDVALIDITY. Raises Lost."""
        for folder in folders:
            await self._within(self._client.create(aioimaplib.quoted(folder)))  # NO: it is there
        done = await self._within(self._client.select(aioimaplib.quoted(mailbox)), "select")
        _require(done, "select")
        found = _VALIDITY.search(b"\n".join(_lines(done)))
        if found is None:
            raise Lost("select")
        return int(found[1])

    async def waiting(self) -> list[int]:
        """Return the UIDs of the mails that are not deleted, the oldest first. Raises Lost."""
        self._client.has_news = False
        done = await self._within(self._client.uid_search("UNDELETED", charset=None))
        _require(done)
        return sorted({int(one) for line in done.lines[:-1] for one in bytes(line).split() if one.isdigit()})

    async def look_again(self) -> None:
        """Let the server tell what others have moved here. Raises Lost."""
        _require(await self._within(self._client.noop()))

    async def find(self, uid: int) -> Waiting | None:
        """Return what the server tells of a mail, None where it is gone. Raises Lost."""
        done = await self._within(self._client.uid("fetch", str(uid), "(UID RFC822.SIZE INTERNALDATE)"))
        _require(done)
        for line in _lines(done):
            size = _SIZE.search(line) if _is_of(line, uid) else None
            if size is not None:
                return Waiting(int(size[1]), _arrived_us(line))
        return None

    async def fetch(self, uid: int, size: int, most: int) -> bytes | None:
        """Return a mail's octets, without marking it; None where it is gone. Raises Lost, also beyond `most` octets.

        A server may give less than was asked for before the end, and `size`, which it told, may be wrong: where they do
        not agree, the mail ends where nothing more comes, if it is there still: of one that somebody else has moved
        meanwhile servers give nothing, as if that were its end.
        """
        octets = bytearray()
        while True:
            wanted = f"(UID BODY.PEEK[]<{len(octets)}.{CHUNK}>)"
            done = await self._within(self._client.uid("fetch", str(uid), wanted), budget=CHUNK)
            _require(done)
            piece = _piece(done, uid)
            if piece is None:
                return None
            octets += piece
            if len(octets) > most:
                raise Lost("size")
            if len(piece) < CHUNK and len(octets) == size:
                return bytes(octets)
            if not piece:
                return bytes(octets) if octets and await self._is_there(uid) else None

    async def _is_there(self, uid: int) -> bool:
        """Tell whether a mail is there once the server has said what is gone, which it may do at a NOOP."""
        await self.look_again()
        return await self.find(uid) is not None

    async def move(self, uid: int, filed: str) -> bool:
        """Move a mail; False where the server does not, its folder being full or gone. Raises Lost.

        By MOVE (RFC 6851), else by COPY, `\\Deleted` and EXPUNGE of this one mail (RFC 4315); without that it stays,
        marked as deleted, so that nobody else's marks are acted upon.
        """
        target = aioimaplib.quoted(filed)
        verb = "move" if self._client.has_capability("MOVE") else "copy"
        done = await self._within(self._client.uid(verb, str(uid), target))
        found = _COPIED.search(b"\n".join(_lines(done)))
        self.moved_to = (int(found[1]), int(found[2])) if found else None
        if verb == "move" or done.result != "OK":
            return bool(done.result == "OK")
        failpoint("fax.copied")
        await self._within(self._client.uid("store", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
        failpoint("fax.deleted")
        if self._client.has_capability("UIDPLUS"):
            await self._within(self._client.uid("expunge", str(uid)))
        return True

    async def wait(self, idle_seconds: float, poll_seconds: float) -> None:
        """Return when the server tells of something (RFC 2177), or the time is over. Raises Lost."""
        if self._client.has_news:
            return
        if not self._client.has_capability("IDLE"):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), poll_seconds)
            _require(await self._within(self._client.noop()))
            return
        idling = await self._within(self._client.idle_start(idle_seconds + self._deadline))
        try:
            push = self._client.wait_server_push(idle_seconds)
            told = await self._within(push, seconds=idle_seconds + self._deadline)
        except Lost as problem:
            if problem.reason != "quiet":
                raise
        else:
            if isinstance(told, list) and any(bytes(line).upper().startswith(b"BYE") for line in told):
                raise Lost("closed")
        self._client.idle_done()
        await self._within(idling)

    async def close(self) -> None:
        """Say LOGOUT if that is quick, and end the connection."""
        if not self._lost.is_set():
            with suppress(Lost):
                await self._within(self._client.logout(), seconds=_CLOSE_SECONDS)
        self._client.end()

    def end(self) -> None:
        """End the connection without a word."""
        self._client.end()

    async def _within(
        self, work: Awaitable[T], reason: str = "closed", *, seconds: float | None = None, budget: int = 0
    ) -> T:
        """Wait for an answer, within a deadline and while there is a connection. Raises Lost."""
        self._client.budget = ANSWER + 2 * budget
        doing: asyncio.Future[T] = asyncio.ensure_future(work)
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            both: set[asyncio.Future[Any]] = {doing, lost}
            await asyncio.wait(both, timeout=seconds or self._deadline, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                return doing.result()
            raise Lost(reason if lost.done() else "deadline")
        except TimeoutError:
            raise Lost("quiet" if seconds else "deadline") from None
        except (OSError, ValueError, IndexError, aioimaplib.AioImapException):
            raise Lost(reason) from None
        finally:
            for one in (doing, lost):
                one.cancel()
            await asyncio.gather(doing, lost, return_exceptions=True)


async def open_session(account: Account) -> Session:
    """Connect by TLS and sign in. Raises Lost."""
    try:
        user, secret = account.credentials.read_text("utf-8").splitlines()[:2]
        session = Session(account)
    except (OSError, ValueError):
        raise Lost("sign-in") from None
    try:
        await session.sign_in(user.strip(), secret.strip(), by_token=account.by_token)
    except BaseException:
        session.end()
        raise
    return session


class _Protocol(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]
    """aioimaplib's, with a budget for what a server sends."""

    client: _Client

    def data_received(self, octets: bytes) -> None:
        """Take octets, unless there are more than any answer has; note that mail has come, which it forgets."""
        self.client.budget -= len(octets)
        if self.client.budget < 0:
            self.transport.abort()
            return
        if _NEWS.search(octets):
            self.client.has_news = True
        super().data_received(octets)


class _Client(aioimaplib.IMAP4):  # type: ignore[misc]
    """aioimaplib's client over TLS, which tells when its connection is lost."""

    def __init__(self, host: str, port: int, deadline: float, context: ssl.SSLContext, lost: asyncio.Event) -> None:
        self.budget = ANSWER
        self.has_news = False
        super().__init__(host, port, None, deadline, lambda _: lost.set(), context)

    def create_client(
        self, host: str, port: int, loop: Any, conn_lost_cb: Any = None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """Begin to connect."""
        running = loop or asyncio.get_running_loop()
        self.protocol = _Protocol(running, conn_lost_cb)
        self.protocol.client = self
        self._client_task = running.create_task(
            running.create_connection(lambda: self.protocol, host, port, ssl=ssl_context)
        )

    def end(self) -> None:
        """End the connection now."""
        self._client_task.cancel()
        if self._idle_waiter is not None:
            self._idle_waiter.cancel()
        if self.protocol.transport is not None:
            self.protocol.transport.abort()
        for task in (*self.tasks, *self.protocol.tasks):
            task.cancel()


def _require(done: Any, reason: str = "answer") -> None:
    if done.result != "OK":
        raise Lost(reason)


def _lines(done: Any) -> Iterator[bytes]:
    """The lines of an answer without literals, which come as bytearray."""
    return (line for line in done.lines if isinstance(line, bytes))


def _arrived_us(line: bytes) -> int | None:
    found = _ARRIVED.search(line)
    told = parse_date(found[1].strip().replace(b"-", b" ", 2)) if found else None
    return None if told is None else to_microseconds(told)


def _is_of(line: bytes, uid: int) -> bool:
    found = _UID.search(line)
    return found is not None and int(found[1]) == uid


def _piece(done: Any, uid: int) -> bytes | None:
    """Return what was fetched of one mail: servers may tell of others meanwhile."""
    for at, line in enumerate(done.lines):
        found = _BODY.search(line) if isinstance(line, bytes) else None
        if found is None:
            continue
        after = done.lines[at + 2] if found[1] is not None and at + 2 < len(done.lines) else b""
        if not _is_of(line, uid) and not _is_of(bytes(after), uid):
            continue
        return bytes(done.lines[at + 1]) if found[1] is not None else found[2] or b""
    return None
