"""What a peer has sent and nobody has read yet: the listener's own reader, in place of asyncio's StreamReader.

One buffer serves lines (commands, AUTH), whole blocks (DATA) and exact counts (BDAT), so that they can follow each
other in one group. Reading waits only where the buffer does not answer; before it waits, `before_wait` sends what was
held back. A wait has a deadline, which the owner watches (`overdue`), and can be broken off from outside
(`interrupt`). Once dropped, an inbox forgets what it held and takes nothing more: no body is ever read as commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

_CR = 13


class LineTooLong(Exception):
    """No line end within the limit. What was seen of the line is still in the inbox."""


class BareNewline(Exception):
    """A line ended with LF alone; it has been read."""


class PeerGone(Exception):
    """Nothing more will come. Its own class: a ConnectionError from the program behind the door is another matter."""


class Inbox:
    """Octets in, in blocks of any size; lines, blocks and counts out."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        before_wait: Callable[[], Awaitable[None]],
        *,
        capacity: int,
        line_octets: int,
        seconds: float,
    ) -> None:
        self.seconds = seconds
        """How long one wait may take, the present one too; the readers' parameter of the same name overrides it."""
        self._loop = loop
        self._before_wait = before_wait
        self._capacity = capacity
        self._line_octets = line_octets
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._data = b""
        self._at = 0
        self._pending: list[bytes] = []
        self._unread = 0
        self._ended = False
        self._problem: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._waits_since = inf
        self._own_seconds = 0.0

    # Filled by the wire.

    def attach(self, transport: asyncio.Transport | None) -> None:
        """Say whom to pause while too much is unread; None for nobody."""
        self._transport = transport
        self._paused = False
        self._govern()

    def feed(self, block: bytes) -> None:
        """Take what came."""
        if self._ended:
            return
        self._pending.append(block)
        self._unread += len(block)
        self._govern()
        self._wake()

    def feed_eof(self) -> None:
        """Nothing more will come; what is here can still be read."""
        self._ended = True
        self._wake()

    def drop(self) -> None:
        """Forget everything, take nothing more."""
        self.clear()
        self.feed_eof()

    def clear(self) -> None:
        """Forget what is unread (RFC 3207 section 4.2)."""
        self._data, self._at, self._pending, self._unread = b"", 0, [], 0

    def take_all(self) -> bytes:
        """Return what is unread, without waiting."""
        self._gather()
        return self._take(self._unread)

    def unread(self, octets: bytes) -> None:
        """Put back what was read too far."""
        self._gather()
        self._data = octets + self._data[self._at :]
        self._at = 0
        self._unread += len(octets)

    def interrupt(self, problem: Exception | None) -> None:
        """Make the wait under way, or the next one, raise this; None takes it back."""
        self._problem = problem
        self._wake()

    @property
    def overdue(self) -> float:
        """The loop time at which the present wait has lasted too long; infinite while nobody waits."""
        return self._waits_since + (self._own_seconds or self.seconds)

    @property
    def held(self) -> int:
        """Octets unread."""
        return self._unread

    # Read by the conversation. Each reader raises PeerGone when the peer has gone.

    async def readuntil(self, separator: bytes = b"\n", limit: int = 0) -> bytes:
        """Return everything up to and with the separator. Raises LineTooLong when `limit` octets do not hold one."""
        searched = 0
        while True:
            self._gather()
            end = self._data.find(separator, self._at + searched)
            if end >= 0:
                end += len(separator)
            if limit and (end - self._at if end >= 0 else self._unread) > limit:
                raise LineTooLong
            if end >= 0:
                return self._take(end - self._at)
            searched = max(0, self._unread - len(separator) + 1)
            await self.wait()

    def line_at_hand(self, limit: int) -> bytes | None:
        """Return one line with its CRLF where all of it is here; None where `readline` has to be asked."""
        self._gather()
        end = self._data.find(b"\n", self._at, self._at + limit) + 1
        if end < self._at + 2 or self._data[end - 2] != _CR:
            return None
        return self._take(end - self._at)

    async def first(self) -> int:
        """Return the first octet unread, leaving it there."""
        while not self._unread:
            await self.wait()
        self._gather()
        return self._data[self._at]

    async def readline(self, limit: int = 0) -> bytes:
        """Return one line with its CRLF. Raises LineTooLong, and BareNewline as soon as a LF comes without its CR."""
        line = await self.readuntil(b"\n", limit or self._line_octets)
        if line[-2:] != b"\r\n":
            raise BareNewline
        return line

    async def read(self, most: int = 0, seconds: float = 0) -> bytes:
        """Return what is here, at least one octet, at most `most` unless that is 0."""
        if not self._unread:
            await self.wait(seconds)
        self._gather()
        return self._take(min(most, self._unread) if most else self._unread)

    async def readexactly(self, count: int) -> bytes:
        """Return exactly so many octets."""
        while self._unread < count:
            await self.wait()
        self._gather()
        return self._take(count)

    async def wait(self, seconds: float = 0) -> None:
        """Return when something more came."""
        before = len(self._pending)
        await self._before_wait()
        if len(self._pending) > before:
            return
        if self._problem is not None:
            raise self._problem
        if self._ended:
            raise PeerGone
        self._waits_since, self._own_seconds = self._loop.time(), seconds
        self._waiter = self._loop.create_future()
        self._resume()
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._waits_since = inf
        if self._problem is not None:
            raise self._problem

    # Within.

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _gather(self) -> None:
        if self._pending:
            if self._at < len(self._data):
                self._pending.insert(0, self._data[self._at :])
            self._data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
            self._at = 0
            self._pending = []

    def _take(self, count: int) -> bytes:
        start, end = self._at, self._at + count
        taken = self._data if count == len(self._data) else self._data[start:end]
        if end == len(self._data):
            self._data, self._at = b"", 0
        else:
            self._at = end
        self._unread -= count
        if self._paused and self._unread <= self._capacity // 2:
            self._resume()
        return taken

    def _govern(self) -> None:
        if self._unread >= self._capacity and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
