"""How a mail tool proves whose mail it brings: an app password, an access token, a client certificate.

Each opens the submission door and nothing else: no session comes of it. An access token is one that the employees'
identity provider gave for handing in mail here (RFC 7628), a certificate one whose key the tool has just proved to have
(RFC 4422, appendix A); both are known by a signed row, never by an address that they name alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway import maillog
from gateway.authenticator import accounts
from gateway.authenticator.accounts import ToolProof
from gateway.authenticator.keys import AuthenticatorKeys
from gateway.authenticator.openid import OpenIdWays
from gateway.authenticator.people_certificates import PeopleCertificates
from gateway.authenticator.policy import Policy
from gateway.authenticator.throttle import Throttle
from gateway.config import ClientCertificateSettings
from gateway.domain.clock import Clock, to_microseconds
from gateway.domain.errors import Malformed, NotAuthenticated
from gateway.domain.rights import Side
from gateway.frames import decode, text
from gateway.identity import app_passwords
from gateway.store.database import Database

Request = Mapping[str, Any]


class MailTools:
    """What the submission door asks. `throttle` is shared with the other ways of signing in."""

    def __init__(
        self,
        database: Database,
        keys: AuthenticatorKeys,
        authority: Ed25519PublicKey,
        throttle: Throttle,
        openid: OpenIdWays,
        *,
        policy: Policy,
        clock: Clock,
        certificates: ClientCertificateSettings | None = None,
    ) -> None:
        self._database, self._keys, self._authority = database, keys, authority
        self._throttle, self._openid, self._policy, self._clock = throttle, openid, policy, clock
        self._certificates = None if certificates is None else PeopleCertificates(certificates, keys.identity, clock)

    async def check_app_password(self, request: Request) -> Request:
        """Judge an app password. Raises NotAuthenticated, RateExceeded."""
        known_as, address = _known_as(request), text(request, "client_address")
        now_us = self._now_us()
        self._throttle.check(known_as, address, now_us)
        if not self._policy.app_passwords:
            self._throttle.failed(known_as, address, now_us)
            raise NotAuthenticated("App passwords are off here. Sign in another way that this server offers.")
        lookup = app_passwords.lookup(self._keys.app_password, text(request, "password"))
        found = await self._database.read(accounts.app_password_of, self._authority, lookup, now_us)
        if (
            found is None
            or known_as not in found.known_as
            or self._policy.is_away(found.last_us, now_us)
            or not app_passwords.is_from(found.networks, address)
        ):
            self._throttle.failed(known_as, address, now_us)
            maillog.authenticated("app-password", "wrong")
            raise NotAuthenticated("The name or the app password is wrong, or it is not valid from here.")
        return self._accept("app-password", known_as, address, found, now_us)

    async def check_token(self, request: Request) -> Request:
        """Judge an access token. Raises NotAuthenticated, RateExceeded, AuthenticatorUnavailable."""
        token, known_as, address = text(request, "token"), _known_as(request), text(request, "client_address")
        now_us = self._now_us()
        account = known_as or f"token {hashlib.sha256(token.encode('utf-8', 'replace')).hexdigest()[:16]}"
        self._throttle.check(account, address, now_us)
        try:
            holder = await self._openid.bearer(token)
            link = await self._database.read(accounts.link_of, self._authority, holder.credential_id, now_us)
            if link is None or self._policy.is_away(link.last_us, now_us) or not _is_named(known_as, link.known_as):
                raise NotAuthenticated("This account may not hand in mail here, or not under this name.")
        except NotAuthenticated:
            self._throttle.failed(account, address, now_us)
            maillog.authenticated("access-token", "wrong")
            raise
        return self._accept("access-token", account, address, link, now_us)

    async def check_certificate(self, request: Request) -> Request:
        """Judge a client certificate whose key was proved. Raises NotAuthenticated with the reason, RateExceeded,
        AuthenticatorUnavailable.
        """
        octets, known_as = decode(text(request, "certificate")), _known_as(request)
        address, now_us = text(request, "client_address"), self._now_us()
        account = known_as or f"certificate {hashlib.sha256(octets).hexdigest()[:16]}"
        self._throttle.check(account, address, now_us)
        try:
            found = await self._registered(octets, now_us)
            if not _is_named(known_as, found.known_as):
                raise NotAuthenticated("This certificate is not that person's.")
        except NotAuthenticated:
            self._throttle.failed(account, address, now_us)
            maillog.authenticated("certificate", "wrong")
            raise
        return self._accept("certificate", account, address, found, now_us)

    async def make_certificate(self, request: Request) -> Request:
        """Return what registers a certificate, or the name in one. Raises Malformed."""
        if self._certificates is None:
            raise Malformed("Client certificates are not taken here: see submission.certificates in the configuration.")
        lookup, label = await self._certificates.registered(text(request, "given"))
        return {"lookup": lookup, "label": label}

    async def close(self) -> None:
        """Close what is open outside."""
        if self._certificates is not None:
            await self._certificates.close()

    async def _registered(self, octets: bytes, now_us: int) -> ToolProof:
        if self._certificates is None:
            raise NotAuthenticated("Client certificates are not taken here.")
        found = {}
        for lookup in await self._certificates.lookups(octets):
            one = await self._database.read(accounts.certificate_of, self._authority, lookup, now_us)
            if one is not None and one.side == Side.OFFICE and not self._policy.is_away(one.last_us, now_us):
                found[one.person_id] = one
        if len(found) != 1:
            raise NotAuthenticated("Your certificate is good, and registered for nobody here. Ask an administrator.")
        return next(iter(found.values()))

    async def make_app_password(self, _request: Request) -> Request:
        """Make an app password. Raises Malformed where there are none."""
        if not self._policy.app_passwords:
            raise Malformed("App passwords are off here: see security.app_passwords in the configuration.")
        clear = app_passwords.new_app_password()
        return {"lookup": app_passwords.lookup(self._keys.app_password, clear), "data": "", "clear": clear}

    def _accept(self, way: str, account: str, address: str, proof: ToolProof, now_us: int) -> Request:
        self._throttle.succeeded(account, address)
        if now_us >= proof.last_used_us + accounts.USE_US:
            self._database.submit(accounts.note_use, proof.credential_id)
        maillog.authenticated(way, "accepted")
        return {"person": proof.person_id, "credential": proof.credential_id}

    def _now_us(self) -> int:
        return to_microseconds(self._clock())


def _known_as(request: Request) -> str:
    return text(request, "username").strip().lower()[:254]


def _is_named(known_as: str, names: frozenset[str]) -> bool:
    """Tell whether a name that a tool gives is one of the person's; who gives none is whom the proof names."""
    return not known_as or known_as in names
