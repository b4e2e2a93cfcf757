"""Sign-ins at identity providers: begun, judged and ended here; the browser and the portal only carry.

An attempt is sealed into what the browser keeps: only the browser that began can end it, within ten minutes, once.
Whoever comes back is known by issuer and subject alone. A first code, typed before, says whose link a new account
becomes; when none of the addresses that the provider has confirmed is that person's, somebody looks at it first.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.authenticator import accounts, identities
from gateway.authenticator.identities import Holder
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.authenticator.policy import Policy
from gateway.authenticator.protocol import Outcome
from gateway.authenticator.sign_up import FirstCodes
from gateway.clock import system_clock
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.credential import CredentialKind
from gateway.domain.errors import AuthenticatorUnavailable, Malformed, NotAllowed, NotAuthenticated, Tampered
from gateway.domain.proof import Binding, Ending, Linking
from gateway.domain.rights import Side
from gateway.failpoints import failpoint
from gateway.frames import decode, encode, text
from gateway.identity.openid import Attempt, Declined, Identity, RelyingParty
from gateway.identity.outward import ProviderAway
from gateway.identity.providers import Provider
from gateway.identity.sessions import new_session
from gateway.store.database import Database
from gateway.store.ids import new_id
from gateway.store.last_use import last_seen
from gateway.store.people import person_by_id
from gateway.store.sealing import open_box, seal_box

Request = Mapping[str, Any]

ATTEMPT_US: Final = 10 * 60 * 1_000_000
MAX_STATED = 200
_MAX_SPENT = 50_000
_CONTEXT = "openid attempt"
_ENDING = "https://schemas.openid.net/secevent/"
_ENDS: Final = {
    "risc/event-type/sessions-revoked": "sessions-revoked",
    "risc/event-type/account-disabled": "account-disabled",
    "risc/event-type/account-purged": "account-purged",
    "risc/event-type/account-credential-change-required": "credential-change",
    "risc/event-type/credential-compromise": "credential-compromise",
    "risc/event-type/identifier-recycled": "identifier-recycled",
    "caep/event-type/session-revoked": "sessions-revoked",
    "caep/event-type/credential-change": "credential-change",
}
"""Events that end sessions, by what stands behind the schema's address; others are taken and change nothing."""
_GONE = frozenset({"account-purged", "identifier-recycled"})


class OpenIdWays:
    """The ways of signing in at identity providers, by their keys in the configuration."""

    def __init__(
        self,
        providers: Sequence[Provider],
        database: Database,
        keys: AuthenticatorKeys,
        authority: Ed25519PublicKey,
        codes: FirstCodes,
        *,
        policy: Policy | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._parties = {one.key: RelyingParty(one) for one in providers}
        self._database = database
        self._keys = keys
        self._authority = authority
        self._codes = codes
        self._policy = policy or Policy()
        self._clock = clock
        self._spent: OrderedDict[str, int] = OrderedDict()

    async def begin(self, request: Request) -> Request:
        """Begin a sign-in, with the first code where the person has typed one. An outcome when it cannot begin."""
        party, code = self._party(request), text(request, "first_code")
        code_id = ""
        if code:
            holder = await self._codes.holder(code, text(request, "client_address"), self._now_us())
            if holder is None or holder.side not in party.provider.sides:
                return {"outcome": Outcome.CODE_OVER}
            code_id = holder.credential_id
        return await self._begun(party, Attempt.begin(party.provider.key, self._now_us(), code_id))

    async def begin_link(self, request: Request, person_id: str) -> Request:
        """Begin a sign-in whose account becomes this person's. Raises NotAllowed where it is not for their side."""
        party, person = self._party(request), await self._database.read(person_by_id, person_id)
        if person is None or person.side not in party.provider.sides:
            raise NotAllowed("There is no such way of signing in here.")
        return await self._begun(party, Attempt.begin(party.provider.key, self._now_us(), link_to=person_id))

    async def _begun(self, party: RelyingParty, attempt: Attempt) -> Request:
        try:
            address = await party.address(attempt)
        except ProviderAway:
            maillog.provider_away(party.provider.key)
            return {"outcome": Outcome.AWAY}
        sealed = seal_box(self._keys.attempt_box, json.dumps(asdict(attempt)).encode(), _CONTEXT)
        return {"address": address, "attempt": encode(sealed)}

    async def finish(self, request: Request) -> Request:
        """Judge what the browser has brought back. Nothing but the outcome tells what was wrong, and that in a word."""
        party, answer = self._party(request), request.get("answer")
        brought = {k: v for k, v in answer.items() if isinstance(v, str)} if isinstance(answer, Mapping) else {}
        try:
            attempt = self._opened(party.provider.key, decode(request.get("attempt")))
            identity = await party.identity(attempt, brought, self._now_us() // 1_000_000)
            found = await self._judge(party.provider, attempt, identity)
        except ProviderAway:
            maillog.provider_away(party.provider.key)
            found = {"outcome": Outcome.AWAY}
        except Declined:
            found = {"outcome": Outcome.DECLINED}
        except NotAuthenticated:
            found = {"outcome": Outcome.FAILED}
        maillog.authenticated(f"provider/{party.provider.key}", str(found["outcome"]))
        return found

    async def bearer(self, token: str) -> Holder:
        """Return whose account an access token for handing in mail is of. Raises NotAuthenticated, or
        AuthenticatorUnavailable where the provider does not answer.
        """
        party = next((one for one in self._parties.values() if one.provider.mail is not None), None)
        if party is None:
            raise NotAuthenticated("Access tokens are not taken here.")
        try:
            subject = await party.bearer(token, self._now_us() // 1_000_000)
        except ProviderAway:
            maillog.provider_away(party.provider.key)
            raise AuthenticatorUnavailable("The identity provider does not answer. Please try again later.") from None
        link, now_us = self._link(party.provider.issuer, subject), self._now_us()
        holder = await self._database.read(identities.holder_of, self._authority, CredentialKind.IDENTITY, link, now_us)
        if holder is None or holder.side != Side.OFFICE or holder.side not in party.provider.sides:
            raise NotAuthenticated("Nobody here is linked to this account. Link it in the portal, under Account.")
        return holder

    async def leaving(self, request: Request) -> Request:
        """Return where a browser signs out at the provider, too; empty where it cannot."""
        try:
            return {"address": await self._party(request).leaving()}
        except ProviderAway:
            return {"address": ""}

    async def logout_notice(self, request: Request) -> Request:
        """Judge a logout token and state which sessions end by it. Raises NotAuthenticated."""
        party = self._party(request)
        try:
            subject, sid, at = await party.logout_notice(text(request, "token"), self._now_us() // 1_000_000)
        except ProviderAway:
            raise NotAuthenticated("The keys to check this with cannot be had.") from None
        link = self._link(party.provider.issuer, subject) if subject else ""
        return {"endings": await self._endings(link, self._sid(party, sid) if sid else "", at, "signed-out")}

    async def security_event(self, request: Request) -> Request:
        """Judge a security event token and state what ends by it. Raises NotAuthenticated."""
        party = self._party(request)
        try:
            claims = await party.security_event(text(request, "token"), self._now_us() // 1_000_000)
        except ProviderAway:
            raise NotAuthenticated("The keys to check this with cannot be had.") from None
        endings: list[Request] = []
        for name, event in claims["events"].items():
            reason = _ENDS.get(name.removeprefix(_ENDING), "")
            maillog.provider_told(party.provider.key, reason or "other")
            subject = _subject(claims, event, party.provider.issuer)
            if reason and subject:
                link = self._link(party.provider.issuer, subject)
                endings += await self._endings(link, "", int(claims["iat"]), reason)
        return {"endings": endings}

    async def close(self) -> None:
        """Close what is open to the providers."""
        await asyncio.gather(*(party.close() for party in self._parties.values()))

    async def _judge(self, provider: Provider, attempt: Attempt, identity: Identity) -> dict[str, Any]:
        lookup, now_us = self._link(identity.issuer, identity.subject), self._now_us()
        known = await self._database.read(
            identities.holder_of, self._authority, CredentialKind.IDENTITY, lookup, now_us
        )
        if attempt.link_to:
            return await self._linked(provider, identity, attempt.link_to, lookup, known)
        if known is not None:
            return await self._known(provider, identity, known)
        if not attempt.first_code_id:
            waits = await self._database.read(identities.waits, lookup)
            return {"outcome": Outcome.REVIEW if waits else Outcome.UNKNOWN}
        holder = await self._database.read(identities.holder_by_id, self._authority, attempt.first_code_id, now_us)
        if holder is None:
            return {"outcome": Outcome.CODE_OVER}
        if not identity.assurance.meets(provider.requires(holder.programme)):
            return {"outcome": Outcome.WEAK}
        if not identity.addresses:
            return {"outcome": Outcome.NO_ADDRESS}
        return await self._first(provider, identity, holder, lookup)

    async def _linked(
        self, provider: Provider, identity: Identity, person_id: str, lookup: str, known: Holder | None
    ) -> dict[str, Any]:
        """State the link of an account to the person who is signed in, and has just shown that it is theirs."""
        if known is not None:
            return {"outcome": Outcome.LINKED if known.person_id == person_id else Outcome.TAKEN}
        person = await self._database.read(person_by_id, person_id)
        if person is None or not identity.assurance.meets(provider.requires(person.programme)):
            return {"outcome": Outcome.FAILED if person is None else Outcome.WEAK}
        linking = Linking(self._now_us(), new_id(), person_id, provider.title, lookup, provider.key)
        failpoint("authenticator.link")
        return {
            "outcome": Outcome.LINK,
            "linking": asdict(linking),
            "signature": encode(linking.sign(self._keys.session)),
        }

    async def _known(self, provider: Provider, identity: Identity, known: Holder) -> dict[str, Any]:
        if known.side not in provider.sides:
            return {"outcome": Outcome.UNKNOWN}
        if not identity.assurance.meets(provider.requires(known.programme)):
            return {"outcome": Outcome.WEAK}
        if self._policy.is_away(await self._database.read(last_seen, known.person_id), self._now_us()):
            return {"outcome": Outcome.AWAY_TOO_LONG}
        await self._database.run(accounts.note_use, known.credential_id)
        return await self._signed_in(provider, identity, known.person_id, known.credential_id)

    async def _first(self, provider: Provider, identity: Identity, holder: Holder, lookup: str) -> dict[str, Any]:
        now_us = self._now_us()
        binding = Binding(
            issued_us=now_us,
            credential_id=new_id(),
            person_id=holder.person_id,
            first_code_id=holder.credential_id,
            kind=CredentialKind.IDENTITY.value,
            label=provider.title,
            lookup=lookup,
            data=provider.key,
        )
        signature = binding.sign(self._keys.session)
        if not await self._database.read(identities.is_theirs, holder.person_id, identity.addresses, now_us):
            await self._database.run(identities.put_for_review, provider.key, identity.addresses, binding, signature)
            return {"outcome": Outcome.REVIEW}
        found = await self._signed_in(provider, identity, holder.person_id, binding.credential_id)
        return {**found, "bindings": [{"binding": asdict(binding), "signature": encode(signature)}]}

    async def _signed_in(
        self, provider: Provider, identity: Identity, person_id: str, credential_id: str
    ) -> dict[str, Any]:
        token, statement, signature = new_session(
            self._keys.session,
            person_id,
            (credential_id,),
            identity.assurance.authenticator,
            self._now_us(),
            self._policy.limits,
        )
        sid = self._sid(self._parties[provider.key], identity.session) if identity.session else None
        await self._database.run(identities.note_session, statement.session_id, credential_id, sid, statement.issued_us)
        failpoint("authenticator.identity")
        signed = {"token": encode(token), "statement": asdict(statement), "signature": encode(signature)}
        return {"outcome": Outcome.SIGNED_IN, **signed}

    async def _endings(self, link: str, sid: str, at: int, reason: str) -> list[Request]:
        """State the end of what began until then, by the link or the provider's session, so many a statement."""
        now_us = self._now_us()
        until_us = (at + 1) * 1_000_000
        holder = (
            await self._database.read(identities.holder_of, self._authority, CredentialKind.IDENTITY, link, now_us)
            if link
            else None
        )
        if link and holder is None:
            return []
        credential_id = holder.credential_id if holder else ""
        found = await self._database.read(
            identities.sessions_of, credential_id=credential_id, sid=sid, until_us=until_us, now_us=now_us
        )
        by_link: dict[tuple[str, str], list[str]] = {}
        if holder is not None and reason in _GONE:
            by_link[holder.person_id, holder.credential_id] = []
        for session_id, person_id, of_link in found:
            by_link.setdefault((person_id, of_link), []).append(session_id)
        revokes = "yes" if reason in _GONE else "no"
        stated = [
            Ending(now_us, person_id, of_link, " ".join(sessions[first : first + MAX_STATED]), revokes, reason)
            for (person_id, of_link), sessions in by_link.items()
            for first in range(0, len(sessions) or 1, MAX_STATED)
        ]
        return [{"ending": asdict(one), "signature": encode(one.sign(self._keys.session))} for one in stated]

    def _party(self, request: Request) -> RelyingParty:
        party = self._parties.get(text(request, "provider"))
        if party is None:
            raise NotAllowed("There is no such way of signing in here.")
        return party

    def _opened(self, provider: str, sealed: bytes) -> Attempt:
        """Open an attempt and spend it. Raises NotAuthenticated for another provider's, an old or a spent one."""
        try:
            attempt = Attempt(**json.loads(open_box(self._keys.attempt_box, sealed, _CONTEXT)))
        except (Tampered, Malformed, ValueError, TypeError):
            raise NotAuthenticated("Please begin again.") from None
        now_us = self._now_us()
        old = not attempt.began_us <= now_us < attempt.began_us + ATTEMPT_US
        if attempt.provider != provider or old or attempt.state in self._spent:
            raise NotAuthenticated("Please begin again.")
        self._spent[attempt.state] = now_us
        while len(self._spent) > _MAX_SPENT or now_us - next(iter(self._spent.values())) > ATTEMPT_US:
            self._spent.popitem(last=False)
        return attempt

    def _link(self, issuer: str, subject: str) -> str:
        return self._hash(b"link", issuer, subject)

    def _sid(self, party: RelyingParty, sid: str) -> str:
        return self._hash(b"sid", party.provider.issuer, sid)

    def _hash(self, purpose: bytes, *words: str) -> str:
        octets = purpose + b"\x00" + json.dumps(words).encode()
        return hmac.new(self._keys.identity, octets, hashlib.sha256).hexdigest()

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


def _subject(claims: Mapping[str, Any], event: object, issuer: str) -> str:
    """Return whom an event is about (RFC 9493 `iss_sub`, or its older spelling inside the event); empty: nobody."""
    inside = event.get("subject") if isinstance(event, Mapping) else None
    for named in (inside, claims.get("sub_id")):
        if isinstance(named, Mapping):
            kind = str(named.get("format", named.get("subject_type", ""))).replace("-", "_")
            if kind == "iss_sub" and named.get("iss") == issuer and isinstance(named.get("sub"), str):
                return str(named["sub"])
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else ""
