"""Whom a person's client certificate names, once its authority vouches for it and nobody has revoked it."""

from __future__ import annotations

import hashlib
import hmac
import json

from gateway import maillog
from gateway.config import ClientCertificateSettings
from gateway.domain.clock import Clock
from gateway.domain.credential import CertificateName
from gateway.domain.errors import AuthenticatorUnavailable, Malformed, Refused
from gateway.identity.certificates import Authorities, load_certificate, names_in, revoked
from gateway.identity.ocsp import NoAnswer, Responder

MAX_NAME = 254


class PeopleCertificates:
    """Certificates of one site. Raises ConfigError where its files cannot be read."""

    def __init__(self, settings: ClientCertificateSettings, key: bytes, clock: Clock) -> None:
        self._authorities = Authorities(settings.client_ca, settings.crl)
        self._responder = Responder(settings.ocsp) if settings.ocsp else None
        self._kind, self._key, self._clock = settings.identity, key, clock

    async def lookups(self, octets: bytes) -> list[str]:
        """Return the keyed hashes of the names in a certificate (DER or PEM) that is good now.

        Raises NotAuthenticated with the reason, AuthenticatorUnavailable where revocation cannot be looked up.
        """
        certificate, now = load_certificate(octets), self._clock()
        issuer = self._authorities.issuer_of(certificate, now)
        answered = False
        if self._responder is not None:
            try:
                if await self._responder.is_revoked(certificate, issuer, now):
                    raise revoked()
                answered = True
            except NoAnswer:
                maillog.responder_away()
        if self._authorities.has_lists:
            try:
                self._authorities.check_lists(certificate, issuer, now)
            except AuthenticatorUnavailable:
                if not answered:
                    raise
        elif self._responder is not None and not answered:
            raise AuthenticatorUnavailable(
                "Whether your certificate is revoked cannot be looked up now. Please try again later."
            )
        return [self._lookup(name) for name in names_in(certificate, self._kind)]

    async def registered(self, given: str) -> tuple[str, str]:
        """Return the keyed hash and the label of what is to be registered: a certificate (PEM), or the name in it.

        Raises Malformed where a certificate would not sign in, or has not exactly one name.
        """
        name = given.strip().lower()
        if given.lstrip().startswith("-----"):
            octets = given.encode()
            try:
                await self.lookups(octets)
                names = names_in(load_certificate(octets), self._kind)
            except Refused as problem:
                raise Malformed(problem.advice) from None
            if len(names) != 1:
                raise Malformed(f"The certificate has {len(names)} names of the kind {self._kind}; one is wanted.")
            name = names[0]
        if not 0 < len(name) <= MAX_NAME or not _is_name(self._kind, name):
            raise Malformed(f"That is no name of the kind {self._kind}.")
        return self._lookup(name), f"{self._kind} {name}"[:100]

    async def close(self) -> None:
        """Close what is open to the responder."""
        if self._responder is not None:
            await self._responder.close()

    def _lookup(self, name: str) -> str:
        octets = b"certificate\x00" + json.dumps([self._kind.value, name]).encode()
        return hmac.new(self._key, octets, hashlib.sha256).hexdigest()


def _is_name(kind: CertificateName, name: str) -> bool:
    if kind is CertificateName.FASC_N:
        return len(name) == 50 and all(letter in "0123456789abcdef" for letter in name)
    return name.isprintable() and name.count("@") == 1 and " " not in name and len(name) > 2
