"""Signing in (RFC 4954): by app password, and where the listener offers that by access token or client certificate.

What it trusts: the door's word on who a proof is of. What it holds: one proof, while it is judged. How it fails: each
wrong proof costs the peer time, and after a few the connection ends.
"""

from __future__ import annotations

import asyncio
import base64
import binascii

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from gateway.domain.errors import GatewayError, NotAuthenticated, RateExceeded
from gateway.domain.reply import SmtpReply
from gateway.inbound import replies
from gateway.inbound.listener.inbox import BareNewline, LineTooLong
from gateway.inbound.listener.reception import Reception
from gateway.inbound.listener.sasl import BEARER, EXTERNAL, PASSWORDS, read_bearer
from gateway.inbound.listener.seam import Credentials, Door
from gateway.inbound.listener.state import ListenerSettings, ListenerState
from gateway.inbound.listener.transfer import reply_to
from gateway.inbound.listener.wire import Hangup


class SigningIn(Reception):
    """The command AUTH."""

    def __init__(self, door: Door, settings: ListenerSettings, state: ListenerState) -> None:
        super().__init__(door, settings, state)
        self._failed_sign_ins = 0

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What this peer may sign in by now."""
        offered = self.settings.offer.mechanisms
        return (*offered, EXTERNAL) if self._certificate() else offered

    async def auth(self, argument: bytes) -> SmtpReply | None:
        """AUTH: once a session, outside a message."""
        refusal = self._why_no_auth()
        if refusal is not None:
            return refusal
        name, *initial = argument.decode("ascii", "replace").strip(" ").split(" ")
        mechanism = name.upper()
        if not mechanism:
            return replies.NEEDS_MECHANISM
        if mechanism not in self.mechanisms:
            if mechanism == EXTERNAL and self.settings.people is not None:
                return replies.NO_PERSON_CERTIFICATE
            return replies.PASSWORDS_OFF if mechanism in PASSWORDS else replies.BAD_MECHANISM
        if len(initial) > 1:
            return replies.BAD_AUTH
        try:
            credentials = await self._read_credentials(mechanism, initial)
        except LineTooLong:
            await self.skip_line()
            return replies.AUTH_LINE_TOO_LONG
        return None if credentials is None else await self._judge(credentials)

    async def _judge(self, credentials: Credentials) -> SmtpReply | None:
        try:
            principal = await self.door.authenticate(self.peer, credentials)
        except (NotAuthenticated, RateExceeded) as problem:
            return await self._refuse(problem, credentials.mechanism)
        assert self.session is not None
        self.session.authenticated = True
        self.session.auth_data = principal  # type: ignore[assignment]
        return replies.SIGNED_IN

    async def _refuse(self, problem: GatewayError, mechanism: str) -> SmtpReply | None:
        """Refuse a proof after a while; a token's owner is told first which one is wanted (RFC 7628 section 3.2.3)."""
        await asyncio.sleep(self.state.occupancy.guess(self.origin.address, self.loop.time()))
        self._failed_sign_ins += 1
        reply = reply_to(problem, "smtp.auth")
        if mechanism in BEARER and isinstance(problem, NotAuthenticated):
            try:
                heard = await self._ask(self.settings.offer.token_wanted)
            except LineTooLong:
                await self.skip_line()
                heard = b""
            if heard is None:
                return None
        if self._failed_sign_ins >= self.limits.auth_failures:
            self.say(reply)
            raise Hangup(replies.TOO_MANY_GUESSES, "limit") from None
        return reply

    def _why_no_auth(self) -> SmtpReply | None:
        assert self.session is not None
        if not self.settings.require_auth:
            return replies.NO_AUTH
        if not self.session.extended_smtp:
            return replies.HELO_FIRST
        return replies.SIGNED_IN_ALREADY if self.session.authenticated else None  # before it, no message can begin

    async def _read_credentials(self, mechanism: str, initial: list[str]) -> Credentials | None:
        """Read what proves somebody; None where the peer has been told that it cannot be read."""
        if mechanism in PASSWORDS:
            return await self._read_password(mechanism, initial)
        response = await self._first_response(initial)
        if response is None:
            return None
        if mechanism == EXTERNAL:
            return self._read_external(response)
        said = read_bearer(mechanism, response)
        if said is None:
            self.say(replies.BAD_AUTH)
            return None
        return Credentials(mechanism, *said)

    def _read_external(self, response: bytes) -> Credentials | None:
        """EXTERNAL (RFC 4422 appendix A): the response is whom the client wants to be, or nothing."""
        try:
            return Credentials(EXTERNAL, response.decode("utf-8"), "", self._certificate())
        except UnicodeDecodeError:
            self.say(replies.BAD_AUTH)
            return None

    def _certificate(self) -> bytes:
        """Return the client certificate whose key this connection has proved, empty for none."""
        if self.settings.people is None or self._link is None or not self.has_tls:
            return b""
        return self._link.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""

    async def _read_password(self, mechanism: str, initial: list[str]) -> Credentials | None:
        run = self.auth_PLAIN if mechanism == "PLAIN" else self.auth_LOGIN
        try:
            result = await run(self, [mechanism, *initial])
        except BareNewline:
            raise Hangup(replies.BARE_NEWLINE, "syntax") from None
        said = result.auth_data
        if not result.success or not isinstance(said, LoginPassword):
            return None
        try:
            return Credentials(mechanism, said.login.decode("utf-8"), said.password.decode("utf-8"))
        except UnicodeDecodeError:
            self.say(replies.BAD_AUTH)
            return None

    async def auth_PLAIN(self, _: SMTP, args: list[str]) -> AuthResult:
        """PLAIN (RFC 4616): aiosmtpd's own would silently ignore an authorization identity other than the user's."""
        response = await self._first_response(args[1:])
        if response is None:
            return AuthResult(success=False)
        parts = response.split(b"\0")
        if len(parts) != 3:
            self.say(replies.BAD_AUTH)
            return AuthResult(success=False)
        if parts[0] not in (b"", parts[1]):
            self.say(replies.OTHER_IDENTITY)
            return AuthResult(success=False)
        return AuthResult(success=True, auth_data=LoginPassword(parts[1], parts[2]))

    async def _first_response(self, initial: list[str]) -> bytes | None:
        """Return what the client says first: beside AUTH, or when asked; None where it has been told what is wrong."""
        if not initial:
            return await self._ask(b"")
        try:
            return b"" if initial[0] == "=" else base64.b64decode(initial[0], validate=True)
        except (binascii.Error, ValueError):
            self.say(replies.BAD_AUTH)
            return None

    async def _ask(self, challenge: bytes) -> bytes | None:
        """Say a challenge and return the response; None where the peer broke off, and has been told."""
        try:
            heard = await self.challenge_auth(challenge)
        except BareNewline:
            raise Hangup(replies.BARE_NEWLINE, "syntax") from None
        return heard if isinstance(heard, bytes) else None
