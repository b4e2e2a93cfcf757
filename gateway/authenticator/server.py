"""The authenticator: judges proofs of identity and signs sign-ins.

What it does: checks passwords, codes and what mail tools prove themselves with, slows guesses down, judges what
identity providers say (it calls them itself), and signs a statement of who has signed in that the keyholder admits; it
makes credentials, which the keyholder signs. What it trusts: rows that carry the keyholder's signature; of a provider
what its keys have signed. What it holds: the session-signing key, the pepper, the keys of app passwords, code seeds
and links, and what it proves itself to providers with. How it fails: it is away, and nobody new signs in; live sessions
go on. With a provider away the other ways stay open. Taken over, it can sign in people who exist, at the keyholder's
rate and on record; it opens nothing by itself.

Known and unknown names get one answer: the same words, the same work, at the end of the same tick of a clock.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.authenticator import accounts
from gateway.authenticator.accounts import SignIn
from gateway.authenticator.code_sender import CodeSender
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.authenticator.mail_tools import MailTools
from gateway.authenticator.openid import OpenIdWays
from gateway.authenticator.policy import Policy
from gateway.authenticator.second_factors import Match, Offered, SecondFactors
from gateway.authenticator.sign_up import FirstCodes, SignUp
from gateway.authenticator.telephone import TelephoneCodes
from gateway.clock import system_clock
from gateway.config import ClientCertificateSettings
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import (
    AuthenticatorUnavailable,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    RateExceeded,
)
from gateway.failpoints import failpoint
from gateway.frames import decode, encode, listen, text
from gateway.identity import first_codes, passwords, totp
from gateway.identity.passkeys import Place
from gateway.identity.providers import Provider
from gateway.identity.sessions import new_session
from gateway.store.database import Database
from gateway.store.people import person_by_id
from gateway.store.sessions import live_session

T = TypeVar("T")
Request = Mapping[str, Any]

HASHING_THREADS = 2
MAX_WAITING = 64
TICK_SECONDS = 0.1
_WRONG = "Name, password or code is wrong, or the account is blocked after too many attempts."
_NOBODY = "nobody"


class AuthenticatorServer:
    """The authenticator's two sockets and what answers on them. `ready` is set when both can be asked.

    `issuer` names the gateway in people's authenticator apps, `origin` is the portal's, for passkeys. Sign-ins are
    answered at multiples of `tick_seconds` only. `second_factor`: whether a password needs one beside it. The caller
    opens and closes the database.
    """

    def __init__(
        self,
        database: Database,
        keys: AuthenticatorKeys,
        authority: Ed25519PublicKey,
        *,
        socket: Path,
        operator_socket: Path,
        operators: Iterable[int] = (),
        second_factor: bool = True,
        issuer: str = "Secure mail gateway",
        providers: Sequence[Provider] = (),
        policy: Policy | None = None,
        sender: CodeSender | None = None,
        certificates: ClientCertificateSettings | None = None,
        origin: str = "https://localhost",
        tick_seconds: float = TICK_SECONDS,
        clock: Clock = system_clock,
    ) -> None:
        self.ready = asyncio.Event()
        self._database, self._keys, self._authority = database, keys, authority
        self._socket, self._operator_socket = socket, operator_socket
        self._operators = frozenset({0, os.geteuid(), *operators})
        self._policy = policy or Policy()
        self._limits = self._policy.limits
        self._second_factor, self._issuer = second_factor, issuer
        self._tick, self._clock = tick_seconds, clock
        self._throttle = self._policy.throttle()
        codes = FirstCodes(database, keys, authority, self._throttle)
        self._openid = OpenIdWays(providers, database, keys, authority, codes, policy=self._policy, clock=clock)
        more: dict[str, Any] = {"policy": self._policy, "clock": clock, "certificates": certificates}
        self._mail_tools = MailTools(database, keys, authority, self._throttle, self._openid, **more)
        self._hashing = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="hashing")
        self._waiting = 0
        decoy = passwords.hash_password(keys.pepper, _NOBODY, encode(os.urandom(32)))
        self._second_factors = SecondFactors(keys, Place(origin, issuer))
        self._telephone = TelephoneCodes(keys, sender)
        self._sign_up = SignUp(
            database,
            keys,
            authority,
            codes,
            self._second_factors,
            self._hash,
            issuer=issuer,
            policy=self._policy,
            clock=clock,
        )
        seed = (CredentialKind.TOTP, _NOBODY, self._second_factors.new_seed(_NOBODY)[1])
        self._decoy = SignIn(_NOBODY, "", decoy, (seed,), 0)

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until `stop`. Raises ConfigError when a socket cannot be made."""
        away = AuthenticatorUnavailable
        try:
            async with (
                listen(self._socket, self._answer, away=away),
                listen(self._operator_socket, self._answer_operator, away=away, users=self._operators),
            ):
                self.ready.set()
                await stop.wait()
        finally:
            self._hashing.shutdown(wait=False, cancel_futures=True)
            await asyncio.gather(self._openid.close(), self._telephone.close(), self._mail_tools.close())

    async def _answer(self, verb: str, request: Request) -> Request:
        answers: dict[str, Callable[[Request], Any]] = {
            "hello": self._hello,
            "sign_in": self._sign_in,
            "send_code": self._send_code,
            "check_app_password": self._mail_tools.check_app_password,
            "check_token": self._mail_tools.check_token,
            "check_certificate": self._mail_tools.check_certificate,
            "make_app_password": self._make_own_app_password,
            "make_totp": self._make_own_totp,
            "make_first_code": self._make_others_first_code,
            "passkey_question": self._passkey_question,
            "invite_passkey": self._invite_passkey,
            "make_passkey": self._make_passkey,
            "make_recovery_codes": self._make_recovery_codes,
            "begin_sign_up": self._sign_up.begin,
            "finish_sign_up": self._sign_up.finish,
            "begin": self._openid.begin,
            "begin_link": self._begin_link,
            "finish": self._openid.finish,
            "leaving": self._openid.leaving,
            "logout_notice": self._openid.logout_notice,
            "security_event": self._openid.security_event,
        }
        return await _call(answers, verb, request)

    async def _answer_operator(self, verb: str, request: Request) -> Request:
        answers: dict[str, Callable[[Request], Any]] = {
            "hello": self._hello,
            "make_password": self._make_password,
            "make_totp": self._make_totp,
            "make_telephone": self._make_telephone,
            "make_app_password": self._mail_tools.make_app_password,
            "make_first_code": self._make_first_code,
            "make_certificate": self._mail_tools.make_certificate,
            "forgive": self._forgive,
        }
        return await _call(answers, verb, request)

    async def _hello(self, _request: Request) -> Request:
        return {"program": "authenticator", "writing": self._database.is_writing}

    async def _sign_in(self, request: Request) -> Request:
        username, address = text(request, "username").strip().lower()[:254], text(request, "client_address")
        self._throttle.check(username, address, self._now_us())
        self._throttle.failed(username, address, self._now_us())
        loop = asyncio.get_running_loop()
        began, noted = loop.time(), list[Future[None]]()
        try:
            passkey, question = text(request, "passkey"), text(request, "question")
            sent = decode(text(request, "sent"))
            offered = Offered(text(request, "code"), passkey, decode(question) if passkey else b"", sent)
            answer = await self._judge(username, text(request, "password"), offered, noted)
        except NotAuthenticated:
            maillog.authenticated("password", "wrong")
            raise
        else:
            self._throttle.succeeded(username, address)
            maillog.authenticated("password", "accepted")
            return answer
        finally:
            await asyncio.sleep(self._tick - (loop.time() - began) % self._tick)
            for one in noted:  # durable by now, as a rule: a wait before the tick's end would tell who is known
                await asyncio.wrap_future(one)

    async def _send_code(self, request: Request) -> Request:
        """Send a code where the password is right; the answer is the same whatever is wrong, at the end of a tick."""
        username, address = text(request, "username").strip().lower()[:254], text(request, "client_address")
        self._throttle.check(username, address, self._now_us())
        self._throttle.failed(username, address, self._now_us())
        loop = asyncio.get_running_loop()
        began = loop.time()
        known = await self._database.read(accounts.sign_in_of, self._authority, username, self._now_us())
        account, password = known or self._decoy, text(request, "password")
        password_right = await self._hash(
            lambda: passwords.is_right(self._keys.pepper, account.person_id, password, account.password)
        )
        right = known is not None and password_right and not self._policy.bars(account, self._now_us())
        noted = None if right else self._database.submit(accounts.note_failure, account.password_id)
        await asyncio.sleep(self._tick - (loop.time() - began) % self._tick)
        if noted is not None:
            await asyncio.wrap_future(noted)
        return {"sent": encode(self._telephone.begin(account, right=right, now_us=self._now_us()))}

    async def _judge(self, username: str, password: str, offered: Offered, noted: list[Future[None]]) -> Request:
        """Do the same work whatever is wrong, then decide; `noted` takes what is still being written of a failure."""
        known = await self._database.read(accounts.sign_in_of, self._authority, username, self._now_us())
        account = known or self._decoy
        password_right = await self._hash(
            lambda: passwords.is_right(self._keys.pepper, account.person_id, password, account.password)
        )
        if offered.sent:  # the password was right when the code was sent: the box says for whom
            found = self._telephone.matching(account, offered.sent, offered.code, self._now_us())
            match = Match(found[0], CredentialKind.TELEPHONE, found[1]) if found else None
            password_right = match is not None
        else:
            match = self._second_factors.matching(account, offered, self._now_us())
        right = known is not None and password_right and not self._policy.bars(account, self._now_us())
        if right and account.factors:
            right = match is not None and await self._spend(match)
        elif self._second_factor:
            right = False
        if not right:
            noted.append(self._database.submit(accounts.note_failure, account.password_id))
            raise NotAuthenticated(_WRONG)
        await self._database.run(accounts.note_use, account.password_id)
        proofs = (account.password_id, match.credential_id) if match else (account.password_id,)
        token, statement, signature = new_session(
            self._keys.session, account.person_id, proofs, len(proofs), self._now_us(), self._limits
        )
        failpoint("authenticator.statement")
        return {"token": encode(token), "statement": asdict(statement), "signature": encode(signature)}

    async def _spend(self, match: Match) -> bool:
        spend = {
            CredentialKind.TOTP: accounts.use_code,
            CredentialKind.TELEPHONE: accounts.use_code,
            CredentialKind.PASSKEY: accounts.use_passkey,
            CredentialKind.RECOVERY: accounts.use_recovery_code,
        }[match.kind]
        return await self._database.run(spend, match.credential_id, match.value)

    async def _begin_link(self, request: Request) -> Request:
        return await self._openid.begin_link(request, await self._person_of(request))

    async def _make_own_app_password(self, request: Request) -> Request:
        await self._person_of(request)
        return await self._mail_tools.make_app_password(request)

    async def _make_own_totp(self, request: Request) -> Request:
        return await self._totp_for(await self._person_of(request))

    async def _passkey_question(self, _request: Request) -> Request:
        return self._second_factors.ask(self._now_us())

    async def _invite_passkey(self, request: Request) -> Request:
        person_id, now_us = await self._person_of(request), self._now_us()
        person = await self._database.read(person_by_id, person_id)
        if person is None:
            raise NotAllowed("There is no such person here.")
        present = await self._database.read(accounts.passkeys_of, self._authority, person_id, now_us)
        return self._second_factors.invite(person, present, now_us)

    async def _make_passkey(self, request: Request) -> Request:
        person_id, question = await self._person_of(request), decode(request.get("question"))
        response, now_us = text(request, "response"), self._now_us()
        return {"data": self._second_factors.new_passkey(person_id, response, question, now_us)}

    async def _make_recovery_codes(self, request: Request) -> Request:
        codes, data = self._second_factors.new_recovery_codes(await self._person_of(request))
        return {"codes": codes, "data": data}

    async def _make_password(self, request: Request) -> Request:
        person_id, password = text(request, "person"), text(request, "password")
        passwords.check_strength(password, with_second_factor=self._second_factor)
        return {"data": await self._hash(lambda: passwords.hash_password(self._keys.pepper, person_id, password))}

    async def _make_totp(self, request: Request) -> Request:
        return await self._totp_for(text(request, "person"))

    async def _make_telephone(self, request: Request) -> Request:
        person_id, number, channel = (text(request, name) for name in ("person", "number", "channel"))
        data, label = self._telephone.new_number(person_id, number, channel)
        return {"data": data, "label": label}

    async def _make_others_first_code(self, request: Request) -> Request:
        await self._person_of(request)
        return await self._make_first_code(request)

    async def _make_first_code(self, _request: Request) -> Request:
        clear = first_codes.new_first_code()
        return {"lookup": first_codes.lookup(self._keys.first_code, clear), "clear": clear}

    async def _forgive(self, request: Request) -> Request:
        await self._database.run(accounts.forgive, text(request, "person"))
        return {}

    async def _totp_for(self, person_id: str) -> Request:
        person = await self._database.read(person_by_id, person_id)
        if person is None:
            raise NotAllowed("There is no such person here.")
        seed, sealed = self._second_factors.new_seed(person_id)
        return {"data": sealed, "uri": totp.enrolment_uri(seed, person.name, self._issuer)}

    async def _person_of(self, request: Request) -> str:
        token = decode(request.get("token"))
        return (await self._database.read(live_session, self._authority, token, self._now_us())).person_id

    async def _hash(self, work: Callable[[], T]) -> T:
        """Do slow work in few threads. Raises Overloaded when too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Overloaded("Too many people sign in at once. Please try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashing, work)
        finally:
            self._waiting -= 1

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


async def _call(answers: Mapping[str, Callable[[Request], Any]], verb: str, request: Request) -> Request:
    answer = answers.get(verb)
    if answer is None:
        raise Malformed("There is no such verb.")
    try:
        given: Request = await answer(request)
    except (NotAllowed, RateExceeded) as problem:
        maillog.withheld(verb, type(problem).__name__)
        raise
    return given
