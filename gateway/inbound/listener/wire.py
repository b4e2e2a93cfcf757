"""One SMTP connection: aiosmtpd's protocol class with our own inbox, deadlines, TLS and endings.

What it does: carries octets between a peer and its conversation. aiosmtpd's `SMTP` is the protocol object, keeps the
session, has the exchanges of AUTH and owns the connection's task; this module replaces its reader, timer and loop.
What it trusts: nobody. What it holds: at most `inbox_octets` unread and what a transport buffers unsent; no message.
How it fails: towards the peer with a 421 and a close; a peer that does not take that is cut off.

Every private name of aiosmtpd that this gateway touches stands in `PRIVATE_NAMES`, and is touched in this module only.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from math import inf
from typing import Any, Final, cast

from aiosmtpd.smtp import SMTP, AuthResult, Session

from gateway import maillog
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.inbox import BareNewline, Inbox, PeerGone
from gateway.inbound.listener.origin import Origin
from gateway.inbound.listener.proxy import BadHeader, read_origin
from gateway.inbound.listener.seam import Peer
from gateway.inbound.listener.state import ListenerSettings, ListenerState
from gateway.inbound.listener.tls import raise_tls

PRIVATE_NAMES: Final = (
    "_handle_client",  # overridden: the connection's task runs our conversation
    "_handler_coroutine",  # the connection's task
    "_reader",  # replaced by our inbox
    "_timeout_cb",  # overridden: looks at our deadlines
    "_timeout_handle",  # the one timer of a connection
)
_WATCH_SECONDS: Final = 5.0
_SILENCE: Final = logging.Filter("nobody")  # lets the records of that logger pass


class Hangup(Exception):
    """The conversation ends: with this reply, if any, for this reason (a kind, for the log)."""

    def __init__(self, reply: SmtpReply | None, reason: str) -> None:
        super().__init__(reason)
        self.reply = reply
        self.reason = reason


class Wire(SMTP, ABC):
    """A connection without a conversation; what is said on it stands in the modules reception and conversation."""

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, settings: ListenerSettings, state: ListenerState) -> None:
        limits = settings.limits
        self.settings = settings
        self.limits = limits
        self.state = state
        self.errors = 0
        deadlines = (limits.command_seconds, limits.stress_command_seconds, limits.chunk_seconds, limits.write_seconds)
        self._watch = min(_WATCH_SECONDS, *deadlines) / 2
        super().__init__(
            None,
            hostname=settings.hostname,
            auth_require_tls=False,  # we look at the connection itself: implicit TLS counts too
            authenticator=_keep_credentials,
            timeout=self._watch,
            loop=asyncio.get_running_loop(),
        )
        self.inbox = Inbox(
            self.loop,
            self.deliver,
            capacity=limits.inbox_octets,
            line_octets=limits.auth_octets,
            seconds=limits.command_seconds,
        )
        self.origin = Origin(settings, state.occupancy)
        self._number = next(state.numbers)
        self._link: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._refusal: SmtpReply | None = None
        self._has_tls = False
        self._is_lost = False
        self.is_spared = False
        """True while the conversation is not ended by the loss of its connection."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._write_due = inf
        self._unsent: list[bytes] = []
        self._linger: asyncio.TimerHandle | None = None

    def __dir__(self) -> list[str]:
        """Nothing: aiosmtpd searches `dir()` of each new connection twice for hooks, and we have none to be found."""
        return []

    # What the conversation uses.

    @abstractmethod
    async def converse(self) -> None:
        """Speak with the peer until a Hangup."""

    @abstractmethod
    def forget(self) -> None:
        """Drop the mail transaction, if any."""

    @property
    @abstractmethod
    def is_busy(self) -> bool:
        """True while a message is being taken or committed, which a closing listener lets finish."""

    @property
    def has_tls(self) -> bool:
        """True if the connection is encrypted now."""
        return self._has_tls

    @property
    def peer(self) -> Peer:
        """What is known of the connection now."""
        if self._peer is None:
            assert self.session is not None
            own, helo = self.origin, self.session.host_name or ""
            self._peer = Peer(own.address, own.port, self._has_tls, helo, self.settings.name, own.forwarded)
        return self._peer

    def greet(self, helo: str, *, extended: bool) -> None:
        """Take the peer's name from HELO or EHLO."""
        assert self.session is not None
        self.session.host_name = helo
        self.session.extended_smtp = extended
        self._peer = None

    def begin_anew(self) -> None:
        """Forget who the peer said it was: after the start of TLS (RFC 3207, 4.2), and of another client's session."""
        self.session = Session(self.loop)
        self._peer = None

    def say(self, reply: SmtpReply) -> None:
        """Put a reply after the ones not yet sent; it leaves before the next wait for the peer."""
        self._unsent.append(reply.line)
        if reply.code >= 400:
            self.errors += 1

    def say_lines(self, lines: str) -> None:
        """Put reply lines, each with its CRLF, after the ones not yet sent."""
        self._unsent.append(lines.encode("ascii"))

    async def push(self, status: str | bytes) -> None:
        """Say what aiosmtpd says by itself: the challenges and the syntax errors of AUTH."""
        line = status.encode("ascii") if isinstance(status, str) else status
        self._unsent.append(line + b"\r\n")
        if line[:1] in b"45":
            self.errors += 1

    def flush(self) -> None:
        """Hand the replies not yet sent to the transport."""
        if not self._unsent:
            return
        octets = b"".join(self._unsent)
        self._unsent.clear()
        if octets and self._link is not None and not self._link.is_closing():
            self._link.write(octets)

    async def deliver(self) -> None:
        """Flush; where the peer does not read, wait for it. Raises PeerGone."""
        self.flush()
        if not self._flows.is_set():
            self._write_due = self.loop.time() + self.limits.write_seconds
            await self._flows.wait()
            self._write_due = inf
            if self._is_lost:
                raise PeerGone

    async def read_line(self) -> bytes:
        """Return one line without its CRLF; a line over the limit of AUTH is read to its end, then LineTooLong."""
        try:
            return (await self.inbox.readline())[:-2]
        except BareNewline:
            raise Hangup(replies.BARE_NEWLINE, "syntax") from None

    async def skip_line(self) -> None:
        """Read to the end of a line that is too long, within reason."""
        seen, last = 0, b""
        while seen < self.limits.overlong_octets:
            block = await self.inbox.read()
            end = block.find(b"\n")
            if end >= 0:
                if (last + block[:end])[-1:] != b"\r":
                    raise Hangup(replies.BARE_NEWLINE, "syntax")
                self.inbox.unread(block[end + 1 :])
                return
            seen += len(block)
            last = block[-1:]
        raise Hangup(replies.LINE_TOO_LONG, "syntax")

    async def start_tls(self) -> None:
        """Turn the connection into a TLS one; what came before, and the session, are forgotten (RFC 3207, 4.2)."""
        context = self.settings.context
        assert self._link is not None
        assert context is not None
        self.flush()
        # Nothing may be read between the discard and the handshake: it would be taken for what came inside TLS.
        self._link.pause_reading()
        self.inbox.attach(None)
        # Where TLS comes first, a loop may have read the client's hello before this task ran.
        early = self.inbox.take_all() if self.settings.implicit_tls else b""
        self.inbox.clear()
        link = await raise_tls(self._link, self, context, early, self.limits.handshake_seconds)
        if link is None:
            self.loop.call_soon(self.connection_lost, None)  # a connection lost within its handshake is not told of
            raise Hangup(None, "tls")
        self.transport = self._link = link
        self.inbox.attach(self._link)
        self._has_tls = True
        self.begin_anew()

    def spare(self, *, spared: bool) -> None:
        """Let the conversation go on even when the peer has left, or not any more."""
        task = self._handler_coroutine
        assert task is not None
        self.is_spared = spared
        (self.state.commits.add if spared else self.state.commits.discard)(task)

    # What the listener uses.

    def stop(self) -> None:
        """End the conversation at its next wait, unless a message is under way: then after that message."""
        if not self.is_busy:
            self.inbox.interrupt(Hangup(replies.CLOSING, "shutdown"))

    def abort(self) -> None:
        """Cut the connection off."""
        if self._link is not None:
            self._link.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has come: count it in, or make ready to turn it away."""
        super().connection_made(transport)
        self._reader = self.inbox  # type: ignore[assignment]
        self._link = cast("asyncio.Transport", transport)  # uvloop's is one in all but its bases
        self.inbox.attach(self._link)
        self._refusal = self.origin.arrive(self._link)
        self.state.wires.add(self)
        maillog.peer_connected(self.settings.name, str(self._number))

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        self.inbox.feed(data)

    def eof_received(self) -> bool:
        """The peer sends no more. It can still be answered, unless TLS is on: that has no half-closed state here."""
        self.inbox.feed_eof()
        return not self._has_tls

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over: nothing held for it may be read any more."""
        if self._is_lost:
            return
        self._is_lost = True
        self._flows.set()
        self.inbox.drop()
        if self._linger is not None:
            self._linger.cancel()
        task = self._handler_coroutine
        if self.is_spared:
            self._handler_coroutine = self.loop.create_future()  # type: ignore[assignment]  # is cancelled in its place
        super().connection_lost(error)
        self._handler_coroutine = task
        self._link = None
        self.origin.leave()
        self.state.wires.discard(self)
        if self.state.is_closing and not self.state.wires:
            self.state.emptied.set()

    def pause_writing(self) -> None:
        """The peer does not read what we send."""
        super().pause_writing()
        self._flows.clear()

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        self._flows.set()

    # In place of aiosmtpd's own.

    async def _handle_client(self) -> None:
        reason = "lost"
        try:
            await self._serve()
        except Hangup as end:
            reason = end.reason
            if end.reply is not None:
                self.say(end.reply)
        except PeerGone:
            pass  # nobody is left to be told
        except Exception as problem:  # noqa: BLE001 - the end of the connection's task: nobody above would hear it
            reason = "incident"
            maillog.incident("smtp.wire", problem)
        finally:
            self.forget()
            self._hang_up()
            maillog.peer_gone(self.settings.name, str(self._number), reason)

    async def _serve(self) -> None:
        if self._refusal is None and self.origin.is_proxy:
            self._refusal = await self._read_origin()
        if self._refusal is not None:
            # A client that awaits TLS cannot read a plain reply.
            raise Hangup(None if self.settings.implicit_tls else self._refusal, "limit")
        if pause := self.state.occupancy.pause(self.origin.address, self.loop.time()):
            await asyncio.sleep(pause)
        if self.settings.implicit_tls:
            await self.start_tls()
        await self.converse()

    async def _read_origin(self) -> SmtpReply | None:
        """Read the PROXY header; returns the reply that turns its client away. A peer without one is dropped."""
        try:
            return self.origin.proxied(await read_origin(self.inbox, self.limits.proxy_seconds))
        except BadHeader:
            raise Hangup(None, "proxy") from None

    def _hang_up(self) -> None:
        self.inbox.drop()
        if self._link is not None and not self._link.is_closing():
            self.flush()
            self._link.close()
            self._linger = self.loop.call_later(self.limits.linger_seconds, self._link.abort)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        if self._write_due <= now:
            self.abort()
            return
        is_stressed = self.state.occupancy.is_stressed
        self.inbox.seconds = self.limits.stress_command_seconds if is_stressed else self.limits.command_seconds
        if self.inbox.overdue <= now:
            self.inbox.interrupt(Hangup(replies.TOO_SLOW, "deadline"))
        left = min(self.inbox.overdue, self._write_due) - now
        self._timeout_handle = self.loop.call_later(min(max(left, 0.01), self._watch), self._timeout_cb)


def silence_aiosmtpd() -> None:
    """Shut the logger that would print commands, addresses and lines of messages."""
    logger = logging.getLogger("mail.log")
    logger.disabled = True
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    if _SILENCE not in logger.filters:
        logger.addFilter(_SILENCE)


def _keep_credentials(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    """Let aiosmtpd's exchange end with what was said; whether it proves anything is asked of the door."""
    return AuthResult(success=True, auth_data=data)
