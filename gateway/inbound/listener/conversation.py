"""The commands of SMTP as this listener obeys them (RFC 5321 section 4, RFC 2920, 3207).

What it does: greets, reads a command, obeys it, replies. What it trusts: nobody before AUTH, and after it only the
principal that the door gave. What it holds: one command. How it fails: every exception becomes a reply; too many
errors, or words of another protocol, end the connection.

`VERBS` is the whole list of commands: nothing is found by reflection, so that a mistyped method cannot mean "yes".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.inbox import LineTooLong, PeerGone
from gateway.inbound.listener.naming import XCLIENT, XFORWARD, parse_xclient, parse_xforward
from gateway.inbound.listener.signing_in import SigningIn
from gateway.inbound.listener.transfer import reply_to
from gateway.inbound.listener.wire import Hangup

_PRINTABLE: Final = re.compile(rb"[ -~\x80-\xff]+\Z")
_HELO_NAME: Final = re.compile(rb"[!-~]{1,255}\Z")
_OTHERS_WORDS: Final = frozenset(b"GET POST HEAD PUT DELETE OPTIONS CONNECT TRACE PATCH PRI PROXY".split())
"""Of HTTP, and of a proxy that nobody listed."""
_BEFORE_TLS: Final = frozenset({b"EHLO", b"NOOP", b"STARTTLS", b"QUIT", b"BDAT"})  # BDAT refuses by itself, see there
_JUNK: Final = frozenset({b"NOOP", b"RSET", b"HELP", b"VRFY", b"EHLO", b"HELO", b"LHLO", b"XCLIENT", b"XFORWARD"})
_TLS_HANDSHAKE: Final = 0x16


class Conversation(SigningIn):
    """One peer's commands and what became of them."""

    async def converse(self) -> None:
        """Greet the peer and obey it until it, or we, hang up."""
        await self._begin()
        while True:
            errors = self.errors
            try:
                if not self.inbox.held:
                    await self.inbox.wait()
                line = self.inbox.line_at_hand(self.limits.command_octets)
                reply = await self._obey(await self.read_line() if line is None else line[:-2])
            except LineTooLong:
                await self.skip_line()
                reply = replies.LINE_TOO_LONG
            except (Hangup, PeerGone):
                raise
            except Exception as problem:  # noqa: BLE001 - whatever it is, the peer gets a reply
                reply = reply_to(problem, "smtp.command")
            if reply is not None:
                self.say(reply)
            if self.errors > errors:
                await self._slow_down()
            if self.state.is_closing and not self.is_busy:
                raise Hangup(replies.CLOSING, "shutdown")

    async def _begin(self) -> None:
        refusal = self.why_unproven()
        if refusal is not None:
            raise Hangup(refusal, "relay")
        self._welcome()
        if not self.has_tls and await self.inbox.first() == _TLS_HANDSHAKE:
            raise Hangup(None, "not-smtp")

    def _welcome(self) -> None:
        protocol = "LMTP" if self.settings.is_lmtp else "ESMTP"
        self.say_lines(f"220 {self.settings.hostname} {protocol}\r\n")

    async def _obey(self, line: bytes) -> SmtpReply | None:
        """Do one command; returns its reply, or None where it has been given."""
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        if len(line) + 2 > self.limits.command_octets and verb != b"AUTH":
            return replies.LINE_TOO_LONG
        if not _PRINTABLE.match(line):
            return replies.NOT_A_COMMAND
        method = (LMTP_VERBS if self.settings.is_lmtp else VERBS).get(verb)
        if method is None:
            if verb in _OTHERS_WORDS:
                raise Hangup(replies.NOT_SMTP, "not-smtp")
            return replies.UNKNOWN_COMMAND
        if self.awaits_tls and verb not in _BEFORE_TLS:
            return replies.TLS_FIRST
        if verb in _JUNK:
            self.junk += 1
            self.errors += self.junk > self.limits.junk_commands
        return await method(self, argument)

    async def _slow_down(self) -> None:
        if self.errors >= self.limits.hard_errors:
            raise Hangup(replies.TOO_MANY_ERRORS, "limit")
        if self.errors > self.limits.soft_errors:
            await asyncio.sleep(self.limits.error_delay_seconds)  # the reply waits with us

    # Session commands.

    async def ehlo(self, argument: bytes) -> SmtpReply | None:
        """EHLO, or LHLO of LMTP: everything offered is listed, and everything listed works."""
        name = argument.strip(b" ")
        if not _HELO_NAME.match(name):
            return replies.NEEDS_NAME
        self.forget()
        self.greet(name.decode("ascii"), extended=True)
        lines = [self.settings.hostname, "PIPELINING", f"SIZE {self.limits.message_octets}", "8BITMIME", "SMTPUTF8"]
        lines += ["ENHANCEDSTATUSCODES", *(["DSN"] if self.settings.reports else [])]
        lines += [] if self.settings.is_lmtp else ["CHUNKING"]
        lines += [f"LIMITS RCPTMAX={self.limits.recipients}"]
        if self.offers_tls:
            lines.append("STARTTLS")
        elif self.settings.require_auth:
            lines.append("AUTH " + " ".join(self.mechanisms))
        if self.origin.may_name and not self.awaits_tls:
            lines += [" ".join(("XCLIENT", *XCLIENT)), " ".join(("XFORWARD", *XFORWARD))]
        lines.append("HELP")
        self.say_lines("".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n")
        return None

    async def helo(self, argument: bytes) -> SmtpReply | None:
        """HELO (RFC 5321 section 4.1.1.1)."""
        name = argument.strip(b" ")
        if not _HELO_NAME.match(name):
            return replies.NEEDS_NAME
        self.forget()
        self.greet(name.decode("ascii"), extended=False)
        return SmtpReply(250, "", self.settings.hostname)

    async def starttls(self, argument: bytes) -> SmtpReply | None:
        """STARTTLS (RFC 3207)."""
        if argument.strip(b" "):
            return replies.NO_ARGUMENT
        if self.has_tls:
            return replies.TLS_ALREADY
        if self.settings.context is None:
            return replies.NO_TLS
        self.forget()
        self.say(replies.TLS_READY)
        await self.start_tls()
        refusal = self.why_unproven()
        if refusal is not None:
            await self.inbox.first()  # what is said unasked, a client that has not spoken yet may not read
            raise Hangup(refusal, "relay")
        return None

    async def xclient(self, argument: bytes) -> SmtpReply | None:
        """XCLIENT (Postfix's XCLIENT_README): from now on this connection is another client's, from its beginning."""
        refusal = self._why_no_naming()
        if refusal is not None:
            return refusal
        named = parse_xclient(argument)
        self.forget()
        refusal = self.origin.named(named) if named is not None else None
        if refusal is not None:
            raise Hangup(refusal, "limit")
        self.begin_anew()
        self.errors = self._failed_sign_ins = 0
        self._welcome()
        return None

    async def xforward(self, argument: bytes) -> SmtpReply | None:
        """XFORWARD (Postfix's XFORWARD_README): where the next message came from."""
        refusal = self._why_no_naming()
        if refusal is not None:
            return refusal
        self.forward(parse_xforward(argument))
        return replies.OK

    def _why_no_naming(self) -> SmtpReply | None:
        if not self.origin.may_name:
            return replies.NOT_FROM_YOU
        return replies.NESTED_MAIL if self.has_transaction else None

    async def rset(self, argument: bytes) -> SmtpReply | None:
        """RSET: drop the message."""
        if argument.strip(b" "):
            return replies.NO_ARGUMENT
        self.forget()
        return replies.OK

    async def noop(self, _: bytes) -> SmtpReply | None:
        """NOOP."""
        return replies.OK

    async def help(self, _: bytes) -> SmtpReply | None:
        """HELP."""
        return replies.HELP

    async def vrfy(self, argument: bytes) -> SmtpReply | None:
        """VRFY (RFC 5321 section 3.5.3): no address is told to be here or not."""
        return replies.CANNOT_VERIFY if argument.strip(b" ") else replies.NEEDS_ADDRESS

    async def expn(self, _: bytes) -> SmtpReply | None:
        """EXPN: there are no lists."""
        return replies.NOT_OFFERED

    async def quit(self, argument: bytes) -> SmtpReply | None:
        """QUIT."""
        if argument.strip(b" "):
            return replies.NO_ARGUMENT
        raise Hangup(replies.BYE, "quit")


VERBS: Final[dict[bytes, Callable[[Conversation, bytes], Awaitable[SmtpReply | None]]]] = {
    b"HELO": Conversation.helo,
    b"EHLO": Conversation.ehlo,
    b"STARTTLS": Conversation.starttls,
    b"AUTH": Conversation.auth,
    b"XCLIENT": Conversation.xclient,
    b"XFORWARD": Conversation.xforward,
    b"MAIL": Conversation.mail_from,
    b"RCPT": Conversation.rcpt_to,
    b"DATA": Conversation.data,
    b"BDAT": Conversation.bdat,
    b"RSET": Conversation.rset,
    b"NOOP": Conversation.noop,
    b"HELP": Conversation.help,
    b"VRFY": Conversation.vrfy,
    b"EXPN": Conversation.expn,
    b"QUIT": Conversation.quit,
}

_SMTP_ONLY: Final = frozenset({b"HELO", b"EHLO", b"STARTTLS", b"AUTH", b"BDAT", b"XCLIENT", b"XFORWARD"})
LMTP_VERBS: Final = {b"LHLO": Conversation.ehlo, **{verb: VERBS[verb] for verb in VERBS if verb not in _SMTP_ONLY}}
"""The commands of LMTP (RFC 2033 section 4). BDAT is left out: a chunk that fails would need answers of its own."""
