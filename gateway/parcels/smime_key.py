"""Whether an S/MIME certificate can be an employee's: for their address, for mail, in force, vouched for, not revoked.

Full copies are encrypted to RSA keys: the library that makes them knows no other way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from gateway.config.copy_keys import MailAuthorities
from gateway.domain.errors import AuthenticatorUnavailable, Malformed, NotAuthenticated, Unavailable
from gateway.domain.recipient_key import MAX_OCTETS, KeyKind, RecipientKey
from gateway.domain.signature import Reason
from gateway.identity.certificates import UNREADABLE, Authorities
from gateway.identity.ocsp import NoAnswer, Responder
from gateway.mime.certificates import way_up, why_not_known
from gateway.parcels.making import certificates_in
from gateway.parcels.openpgp_key import require_some_time

MAX_FILE: Final = 256 * 1024
MAX_CERTIFICATES: Final = 20
_LEAST_BITS: Final = 2048
_WORDS: Final = {
    Reason.NO_ANCHORS: "No authority is known here.",
    Reason.VALIDITY: "This certificate has expired, or is not valid yet.",
    Reason.PURPOSE: "This certificate is not for mail that is encrypted (emailProtection, keyEncipherment).",
    Reason.ISSUER: "This certificate is not from an authority that is known here, or one above it is missing.",
}


class MailCertificates:
    """Judges certificates by the site's authorities. Raises ConfigError where their files cannot be read."""

    def __init__(self, settings: MailAuthorities) -> None:
        self._authorities = Authorities(settings.authorities, settings.crl)
        self._responder = Responder(settings.ocsp) if settings.ocsp else None

    async def check(self, octets: bytes, addresses: Iterable[str], now: datetime) -> RecipientKey:
        """Return the certificate in a file (PEM, DER or PKCS #7), with those above it, for one of these addresses.

        Raises Malformed that says what is wrong with it, Unavailable where revocation cannot be looked up.
        """
        found = read_certificates(octets)
        own, address = _own(found, addresses)
        _require_key(own)
        others = [one.public_bytes(Encoding.DER) for one in found if one != own]
        anchors = self._authorities.anchors
        reason = why_not_known(own, others, anchors, now, encrypts=True)
        if reason is not None:
            raise Malformed(_WORDS.get(reason, "This certificate is not taken here."))
        require_some_time(own.not_valid_after_utc, now)
        chain = way_up(own, others, anchors, now)
        if len(chain) > 1:
            await self._require_not_revoked(own, chain[1], now)
        kept = b"".join(one.public_bytes(Encoding.DER) for one in (own, *chain[1:-1]))
        if len(kept) > MAX_OCTETS:
            raise Malformed("This certificate is too large, with those above it.")
        fingerprint = own.fingerprint(SHA256()).hex().upper()
        return RecipientKey(KeyKind.SMIME, kept, fingerprint, own.not_valid_after_utc, address)

    async def is_revoked(self, key: RecipientKey, now: datetime) -> bool:
        """Look a certificate up that was taken before. Raises Unavailable where nothing is known of it now, also as
        nobody vouches for it any more.
        """
        own, *others = certificates_in(key.octets)
        certificate, anchors = x509.load_der_x509_certificate(own), self._authorities.anchors
        chain = way_up(certificate, others, anchors, now)
        if not chain:
            raise Unavailable("This certificate is not from an authority that is known here, any more.")
        try:
            if len(chain) > 1:
                await self._require_not_revoked(certificate, chain[1], now)
        except Malformed:
            return True
        return False

    async def close(self) -> None:
        """Close what is open to the responder."""
        if self._responder is not None:
            await self._responder.close()

    async def _require_not_revoked(self, own: x509.Certificate, issuer: x509.Certificate, now: datetime) -> None:
        """Return where a responder or a list of now says so. Raises Malformed, Unavailable."""
        try:
            if self._responder is not None:
                if await self._responder.is_revoked(own, issuer, now):
                    raise Malformed("This certificate is revoked. Ask those who gave it to you for a new one.")
                return
        except NoAnswer:
            if not self._authorities.has_lists:
                raise Unavailable("Whether the certificate is revoked cannot be looked up now. Try later.") from None
        try:
            self._authorities.check_lists(own, issuer, now)
        except NotAuthenticated:
            raise Malformed("This certificate is revoked. Ask those who gave it to you for a new one.") from None
        except AuthenticatorUnavailable:
            raise Unavailable("Whether the certificate is revoked cannot be looked up now. Try later.") from None


def read_certificates(octets: bytes) -> list[x509.Certificate]:
    """Return the certificates in a file. Raises Malformed."""
    if len(octets) > MAX_FILE:
        raise Malformed("This file is too large for a certificate.")
    if b"PRIVATE KEY" in octets:
        raise Malformed("There is a private key in this. It was not kept; never send it to anyone.")
    for load in (
        x509.load_pem_x509_certificates,
        pkcs7.load_pem_pkcs7_certificates,
        lambda der: [x509.load_der_x509_certificate(der)],
        pkcs7.load_der_pkcs7_certificates,
    ):
        try:
            found = load(octets)
        except UNREADABLE:
            continue
        if 0 < len(found) <= MAX_CERTIFICATES:
            return list(dict.fromkeys(found))
    raise Malformed("No public key or certificate can be read in this. Export it as PEM, DER, or PKCS #7 (.p7b).")


def _own(found: Iterable[x509.Certificate], addresses: Iterable[str]) -> tuple[x509.Certificate, str]:
    """Return the one certificate that has one of these addresses, and that address. Raises Malformed."""
    own = {one.lower(): one for one in addresses}
    named = [(one, own[address]) for one in found for address in _addresses_in(one) if address in own]
    several = {one for one, _ in named}
    if not several:
        raise Malformed("No certificate in this has your address as an alternative name.")
    if len(several) > 1:
        raise Malformed("There are several certificates for your address in this. Give the one for encrypting alone.")
    return named[0]


def _addresses_in(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*UNREADABLE, x509.ExtensionNotFound):
        return []
    return [one.lower() for one in names.get_values_for_type(x509.RFC822Name)]


def _require_key(certificate: x509.Certificate) -> None:
    try:
        key = certificate.public_key()
    except UNREADABLE:
        raise Malformed("The key of this certificate is not one that is used here.") from None
    if not isinstance(key, RSAPublicKey):
        raise Malformed("The key of this certificate is no RSA key. Ask for one with RSA, or take an OpenPGP key.")
    if key.key_size < _LEAST_BITS:
        raise Malformed(f"The key of this certificate has {key.key_size} bits. 2048 are the least.")
