"""One conversation with a mail host: opened by aiosmtplib, then carried on with commands in groups (RFC 2920).

aiosmtplib connects, greets, begins TLS and signs in; from then on replies are read here, as it takes one reply for one
command. A reply that is no reply, never ends, or comes unasked ends the conversation; it is never repaired.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import aiosmtplib

from gateway.domain.address import Address
from gateway.domain.delivery import Delivery, DeliveryState, from_reply
from gateway.failpoints import failpoint
from gateway.store.tls_outcomes import ResultType

START_INPUT: Final = 354
SHUTTING_DOWN: Final = 421
MOST_LINE: Final = 4096
MOST_REPLY: Final = 32 * 1024
PATIENCE_SECONDS: Final = 120.0
"""How long the answer to a whole mail is waited for: who goes away before it sends twice (RFC 5321 section 4.5.3.2)."""
_DER = 2
"""OpenSSL's number for that form, as Python spells it below its own names."""
_LINE = re.compile(rb"([2-5]\d\d)([ -]?)([^\r\n]*)\r?\n\Z")


class Hurdle(Exception):
    """Something stood in the way before the host said anything of the recipient: the mail is only delayed.

    `result` is what became of TLS, None where it did not come to that. `delivery` says it in words.
    """

    def __init__(self, delivery: Delivery, result: ResultType | None = None) -> None:
        super().__init__(str(delivery))
        self.delivery = delivery
        self.result = result


class Lost(Hurdle):
    """The host ended the conversation, or what it says is no reply."""


class NoWay(Exception):
    """The recipient's domain takes no mail, or none from us, and that is final. `delivery` says it in words."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(str(delivery))
        self.delivery = delivery


class Reply(NamedTuple):
    """A whole reply: its code and its words, lines joined."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Opening:
    """How to begin: where to, who we are, and what TLS there is to be.

    `tls` is None for none; where it `may_be_plain`, a host that offers none is spoken to without. `server_name` is what
    a certificate is checked for, and named in the handshake.
    """

    address: str
    port: int
    helo: str
    server_name: str
    tls: ssl.SSLContext | None
    implicit: bool = False
    may_be_plain: bool = False
    username: str | None = None
    password: str | None = None
    seconds: float = 30.0


class Conversation(asyncio.Protocol):
    """A conversation that has been opened. One mail at a time."""

    def __init__(self, transport: asyncio.Transport, greeted: str, *, in_groups: bool) -> None:
        self._transport = transport
        self._in_groups = in_groups
        self._buffer = bytearray()
        self._said: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._broken = False
        self._has_envelope = False
        self.is_in_doubt = False
        """True from a mail's final dot on until its answer: it may have been taken."""
        self.mails = 0
        """How many were handed over."""
        self.greeted = greeted
        """The name by which the host calls itself."""
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """False where it has ended, or the host has said something unasked."""
        return not (self._broken or self._transport.is_closing() or self._buffer or self._replies or self._said)

    @property
    def is_with_ourselves(self) -> bool:
        """True where the far end has the same address as ours: it is this machine."""
        ends = (self._transport.get_extra_info("sockname"), self._transport.get_extra_info("peername"))
        return all(ends) and ends[0][0] == ends[1][0]

    @property
    def is_encrypted(self) -> bool:
        """True where there is TLS, of whatever kind."""
        return self._transport.get_extra_info("ssl_object") is not None

    @property
    def chain(self) -> list[bytes]:
        """The certificates that the host has shown (DER), its own first; empty without TLS."""
        shown: Any = self._transport.get_extra_info("ssl_object")
        if shown is None:
            return []
        if not hasattr(shown, "get_unverified_chain"):  # before Python 3.13 it stands one layer below
            below = getattr(shown, "_sslobj")  # noqa: B009 - there is no public name
            return [one.public_bytes(_DER) for one in below.get_unverified_chain() or ()]
        return list(shown.get_unverified_chain())

    def data_received(self, data: bytes) -> None:
        """Take lines as they come."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            if not self._take(line):
                self._break()
                return
        if len(self._buffer) > MOST_LINE:
            self._break()

    def eof_received(self) -> bool:
        """The host has gone."""
        self._break()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """The connection has gone."""
        self._break()

    async def hand_over(self, mail: bytes, sender: str, to: Address, seconds: float) -> Delivery:
        """Hand over one mail (CRLF line ends) for one recipient, the commands before it within `seconds`.

        Raises Lost and Hurdle for what is not about the recipient, TimeoutError. After that it must be dropped.
        """
        commands = [f"MAIL FROM:<{sender}>\r\n".encode("ascii"), f"RCPT TO:<{to}>\r\n".encode("ascii"), b"DATA\r\n"]
        if self._has_envelope:
            commands.insert(0, b"RSET\r\n")
        self._has_envelope = True
        async with asyncio.timeout(seconds) as limit:
            refusal = await self._announce(commands)
            if refusal is not None:
                return refusal
            limit.reschedule(asyncio.get_running_loop().time() + PATIENCE_SECONDS)
            self._write(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            self.is_in_doubt = True
            failpoint("courier.final_dot")
            reply = await self._reply()
        self._has_envelope = self.is_in_doubt = False
        self.mails += 1
        return from_reply(*reply)

    async def close(self) -> None:
        """Say goodbye, and wait no longer than a moment for the answer."""
        if self.is_open:
            try:
                self._write(b"QUIT\r\n")
                async with asyncio.timeout(2):
                    await self._reply()
            except (Lost, TimeoutError):
                pass
        self.drop()

    def close_soon(self) -> None:
        """Say goodbye and go, without waiting for the answer."""
        if self.is_open:
            self._transport.write(b"QUIT\r\n")
        self._broken = True
        self._transport.close()

    def drop(self) -> None:
        """End it at once."""
        self._broken = True
        self._transport.abort()

    async def _announce(self, commands: list[bytes]) -> Delivery | None:
        """Say what comes; return the refusal of the recipient or of the data, None where the mail may follow."""
        if self._in_groups:
            self._write(b"".join(commands))
        refusal: Delivery | None = None
        for command in commands:
            if not self._in_groups:
                self._write(command)
            reply = await self._reply()
            if command == b"DATA\r\n":
                return self._may_follow(reply, refusal)
            if reply.code // 100 == 2:
                continue
            if not command.startswith(b"RCPT"):
                raise Hurdle(from_reply(*reply, DeliveryState.DELAYED))
            refusal = from_reply(*reply)
            if not self._in_groups:
                return refusal
        return refusal

    def _may_follow(self, reply: Reply, refusal: Delivery | None) -> Delivery | None:
        if refusal is None:
            return None if reply.code == START_INPUT else from_reply(*reply)
        if reply.code == START_INPUT:  # it waits for a mail to nobody: that is not sent, not even an empty one
            self.drop()
        return refusal

    async def _reply(self) -> Reply:
        while not self._replies:
            if self._broken:
                raise Lost(Delivery(DeliveryState.DELAYED, text="the host ended the connection, or made no sense"))
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        reply = self._replies.popleft()
        if reply.code == SHUTTING_DOWN:
            self.drop()
        return reply

    def _write(self, octets: bytes) -> None:
        if self._broken or self._transport.is_closing():
            raise Lost(Delivery(DeliveryState.DELAYED, text="the host ended the connection"))
        self._transport.write(octets)

    def _take(self, line: bytes) -> bool:
        found = _LINE.match(line)
        if found is None or len(line) > MOST_LINE or sum(map(len, self._said)) > MOST_REPLY:
            return False
        self._said.append(found[3].decode("utf-8", "replace"))
        if found[2] != b"-":
            self._replies.append(Reply(int(found[1]), "\n".join(self._said)))
            self._said = []
            self._wake()
        return True

    def _break(self) -> None:
        self._broken = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def open_conversation(opening: Opening) -> Conversation:
    """Connect, greet, begin TLS and sign in, as far as each is to be. Raises Hurdle."""
    client = aiosmtplib.SMTP(
        hostname=opening.address,
        port=opening.port,
        local_hostname=opening.helo,
        use_tls=opening.implicit,
        start_tls=False,
        tls_context=opening.tls,
        timeout=opening.seconds,
    )
    try:
        async with asyncio.timeout(opening.seconds):
            await _begin(client, opening)
    except (aiosmtplib.SMTPException, OSError, ValueError) as problem:
        client.close()
        raise _hurdle(problem) from None
    except BaseException:
        client.close()
        raise
    greeting = client.last_ehlo_response.message if client.last_ehlo_response else ""
    name = greeting.split(maxsplit=1)[0].lower() if greeting.strip() else ""
    in_groups = client.supports_extension("pipelining")
    return Conversation(cast("asyncio.Transport", client.transport), name, in_groups=in_groups)


def result_of(problem: BaseException | None) -> ResultType:
    """Return what a failed handshake is called (RFC 8460 section 4.3.2), by OpenSSL's X509_V_ERR."""
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return _RESULTS.get(problem.verify_code, ResultType.VALIDATION_FAILURE)
        problem = problem.__cause__ or problem.__context__
    return ResultType.VALIDATION_FAILURE


async def _begin(client: aiosmtplib.SMTP, opening: Opening) -> None:
    await client.connect()
    await _greet(client)
    offered = client.supports_extension("starttls")
    if opening.tls is not None and not opening.implicit and (offered or not opening.may_be_plain):
        await _begin_tls(client, opening.tls, opening.server_name)
        await _greet(client)
    if opening.username is not None:
        await client.login(opening.username, opening.password or "")


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


async def _begin_tls(client: aiosmtplib.SMTP, tls: ssl.SSLContext, name: str) -> None:
    if not client.supports_extension("starttls"):
        none = Delivery(DeliveryState.DELAYED, text="the host offers no TLS")
        raise Hurdle(none, ResultType.STARTTLS_NOT_SUPPORTED)
    try:
        await client.starttls(server_hostname=name, tls_context=tls)
    except aiosmtplib.SMTPResponseException as refusal:
        refused = from_reply(refusal.code, refusal.message, DeliveryState.DELAYED)
        raise Hurdle(refused, ResultType.STARTTLS_NOT_SUPPORTED) from None
    except (aiosmtplib.SMTPException, OSError) as problem:
        raise Hurdle(Delivery(DeliveryState.DELAYED, text=_NO_TLS), result_of(problem)) from None


def _hurdle(problem: Exception) -> Hurdle:
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        return Hurdle(from_reply(problem.code, problem.message, DeliveryState.DELAYED))
    cause: BaseException | None = problem
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__
    if cause is not None:
        return Hurdle(Delivery(DeliveryState.DELAYED, text=_NO_TLS), result_of(cause))
    return Hurdle(Delivery(DeliveryState.DELAYED, text=_what_broke(problem)))


def _what_broke(problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return "the host did not answer in time"
    if isinstance(problem, aiosmtplib.SMTPConnectError):
        return "the host could not be reached"
    if isinstance(problem, aiosmtplib.SMTPServerDisconnected):
        return "the host ended the connection"
    return "the host speaks out of turn, or not as mail hosts do"


_NO_TLS: Final = "no trusted TLS with the host"
_RESULTS: Final = {
    10: ResultType.CERTIFICATE_EXPIRED,
    18: ResultType.CERTIFICATE_NOT_TRUSTED,
    19: ResultType.CERTIFICATE_NOT_TRUSTED,
    20: ResultType.CERTIFICATE_NOT_TRUSTED,
    21: ResultType.CERTIFICATE_NOT_TRUSTED,
    62: ResultType.CERTIFICATE_HOST_MISMATCH,
    64: ResultType.CERTIFICATE_HOST_MISMATCH,
}
