"""A first sign-in with a user name and a password: beside a first code a person chooses a password and a second factor.

Both are proved before anything is kept: the password is one that may stand, and the app shows the right code, or the
device has answered. What carries the half-made proof from page to page is sealed, good for half an hour.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from gateway import maillog
from gateway.authenticator import identities
from gateway.authenticator.identities import Holder
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.authenticator.policy import Policy
from gateway.authenticator.protocol import Outcome
from gateway.authenticator.second_factors import SecondFactors
from gateway.authenticator.throttle import Throttle
from gateway.casework.joining import note_started
from gateway.clock import system_clock
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import Malformed, NotAuthenticated, Tampered
from gateway.domain.proof import Binding
from gateway.failpoints import failpoint
from gateway.frames import decode, encode, text
from gateway.identity import first_codes, passwords, totp
from gateway.identity.sessions import new_session
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.people import person_by_id
from gateway.store.sealing import open_box, seal_box
from gateway.store.tables import person

Request = Mapping[str, Any]
Hash = Callable[[Callable[[], str]], Awaitable[str]]

TICKET_US: Final = 30 * 60 * 1_000_000
_CONTEXT = "sign-up"
_OVER = NotAuthenticated("The code is not valid, or no longer.")


class FirstCodes:
    """Finds whose first code something is, and slows down who guesses."""

    def __init__(
        self, database: Database, keys: AuthenticatorKeys, authority: Ed25519PublicKey, throttle: Throttle
    ) -> None:
        self._database = database
        self._keys = keys
        self._authority = authority
        self._throttle = throttle

    async def holder(self, code: str, address: str, now_us: int) -> Holder | None:
        """Return whose first code this is. Raises RateExceeded for who has guessed too often."""
        self._throttle.check("first code", address, now_us)
        lookup = first_codes.lookup(self._keys.first_code, code)
        found = await self._database.read(
            identities.holder_of, self._authority, CredentialKind.FIRST_CODE, lookup, now_us
        )
        if found is None:
            self._throttle.failed("first code", address, now_us)
            maillog.authenticated("first-code", "wrong")
        else:
            self._throttle.succeeded("first code", address)
            await self._database.run(note_started, found.person_id, found.credential_id)
        return found


class SignUp:
    """Begins and ends a first sign-in with a password. `hashed` does slow work in few threads."""

    def __init__(
        self,
        database: Database,
        keys: AuthenticatorKeys,
        authority: Ed25519PublicKey,
        codes: FirstCodes,
        second_factors: SecondFactors,
        hashed: Hash,
        *,
        issuer: str,
        policy: Policy,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._keys = keys
        self._authority = authority
        self._codes = codes
        self._second_factors = second_factors
        self._hashed = hashed
        self._issuer = issuer
        self._policy = policy
        self._clock = clock

    async def begin(self, request: Request) -> Request:
        """Take the code; return what the page shows: the user name, the app's seed as URI, what a device is asked."""
        now_us = self._now_us()
        holder = await self._codes.holder(text(request, "first_code"), text(request, "client_address"), now_us)
        known = await self._database.read(person_by_id, holder.person_id) if holder else None
        if holder is None or known is None:
            return {"outcome": Outcome.CODE_OVER}
        if self._policy.is_over(holder.side, holder.programme, now_us):
            return {"outcome": Outcome.PASSWORD_OVER}
        username = await self._database.read(_username, holder.person_id)
        seed, sealed = self._second_factors.new_seed(holder.person_id)
        asked = self._second_factors.invite(known, [], now_us)
        ticket = {"code": holder.credential_id, "seed": sealed, "question": asked["question"], "at": now_us}
        return {
            "username": username,
            "uri": totp.enrolment_uri(seed, username, self._issuer),
            "options": asked["options"],
            "ticket": encode(seal_box(self._keys.attempt_box, json.dumps(ticket).encode(), _CONTEXT)),
        }

    async def finish(self, request: Request) -> Request:
        """Judge password and second factor; return a signed sign-in and the bindings for what it rests on.

        Raises NotAuthenticated when code or ticket are over, Malformed for a password that may not stand or a second
        factor that is not right: then the page is shown again.
        """
        now_us = self._now_us()
        ticket = self._opened(decode(request.get("ticket")), now_us)
        holder = await self._database.read(identities.holder_by_id, self._authority, ticket["code"], now_us)
        if holder is None or self._policy.is_over(holder.side, holder.programme, now_us):
            raise _OVER
        password = text(request, "password")
        username = await self._database.read(_username, holder.person_id)
        passwords.check_strength(password, with_second_factor=True, username=username)
        kind, data = self._factor(holder.person_id, ticket, text(request, "code"), text(request, "passkey"), now_us)
        pepper, person_id = self._keys.pepper, holder.person_id
        encoded = await self._hashed(lambda: passwords.hash_password(pepper, person_id, password))
        bindings = [
            self._binding(holder, CredentialKind.PASSWORD, "password", encoded),
            self._binding(holder, kind, "passkey" if kind is CredentialKind.PASSKEY else "authenticator app", data),
        ]
        ids = tuple(one.credential_id for one in bindings)
        token, statement, signature = new_session(
            self._keys.session, person_id, ids, len(ids), self._now_us(), self._policy.limits
        )
        maillog.authenticated("first-code", "accepted")
        failpoint("authenticator.sign_up")
        return {
            "token": encode(token),
            "statement": asdict(statement),
            "signature": encode(signature),
            "bindings": [
                {"binding": asdict(one), "signature": encode(one.sign(self._keys.session))} for one in bindings
            ],
        }

    def _factor(
        self, person_id: str, ticket: Mapping[str, Any], code: str, passkey: str, now_us: int
    ) -> tuple[CredentialKind, str]:
        if passkey:
            try:
                question = decode(ticket["question"])
                return CredentialKind.PASSKEY, self._second_factors.new_passkey(person_id, passkey, question, now_us)
            except NotAuthenticated:
                raise Malformed("The passkey could not be confirmed.") from None
        if not self._second_factors.shows(person_id, ticket["seed"], code, now_us):
            raise Malformed("The code of the app is not right.")
        return CredentialKind.TOTP, str(ticket["seed"])

    def _binding(self, holder: Holder, kind: CredentialKind, label: str, data: str) -> Binding:
        now_us = self._now_us()
        return Binding(now_us, new_id(), holder.person_id, holder.credential_id, kind.value, label, "", data)

    def _opened(self, sealed: bytes, now_us: int) -> dict[str, Any]:
        try:
            ticket = json.loads(open_box(self._keys.attempt_box, sealed, _CONTEXT))
        except (Tampered, ValueError):
            raise _OVER from None
        if not ticket["at"] <= now_us < ticket["at"] + TICKET_US:
            raise _OVER
        return dict(ticket)

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


def _username(connection: Connection, person_id: str) -> str:
    return connection.execute(select(person.c.username).where(person.c.id == person_id)).scalar() or ""
