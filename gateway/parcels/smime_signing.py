"""Mail signed by S/MIME (RFC 8551), where a site chooses so: mail tools then show who wrote it.

A detached signature beside the mail as it is (multipart/signed, RFC 1847), so that who cannot check it reads it all the
same. The octets that are signed are 7-bit already and end their lines with CRLF: no relay has a reason to change them.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from gateway.config import Settings, require_private
from gateway.domain.address import Address
from gateway.domain.errors import ConfigError

MIN_RSA_BITS = 2048
_BOUNDARY = "=_signed"
_LINE = 76
_OPTIONS = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary)


@dataclass(frozen=True, slots=True)
class MailSigner:
    """The sender's certificate, those that vouch for it, and the key of the first."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()


def mail_signer_of(settings: Settings, sender: Address, now: datetime) -> MailSigner | None:
    """Return what signs by S/MIME, None without. Raises ConfigError for what mail tools would not believe."""
    own = settings.notifier.smime
    if own is None:
        return None
    require_private(settings, [own.key])
    return load_mail_signer(own.certificate, own.key, sender, now)


def load_mail_signer(certificate: Path, key: Path, sender: Address, now: datetime) -> MailSigner:
    """Load a PEM file of certificates, the sender's first, and its key.

    Raises ConfigError, with what to do, for a file that cannot be read, a key that does not fit, and a certificate that
    is not in force or not for the sender: mail tools would show each as a forgery.
    """
    try:
        own, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise ConfigError(f"{certificate} or {key}: is no PEM file of certificates, or of an open key.") from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{key}: is no RSA and no elliptic curve key. Mail tools read no other.")
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < MIN_RSA_BITS:
        raise ConfigError(f"{key}: has {private.key_size} bits. Take one of {MIN_RSA_BITS} or more.")
    if _public(private.public_key()) != _public(own.public_key()):
        raise ConfigError(f"{key}: does not belong to the first certificate of {certificate}.")
    if not own.not_valid_before_utc <= now < own.not_valid_after_utc:
        raise ConfigError(f"{certificate}: is in force until {own.not_valid_after_utc:%Y-%m-%d}. Get a new one.")
    if str(sender).lower() not in _addresses(own):
        raise ConfigError(f"{certificate}: is not for {sender}, so mail tools would take the signature for another's.")
    return MailSigner(private, own, tuple(chain))


def sign_mail(mail: bytes, signer: MailSigner) -> bytes:
    """Return a whole mail (CRLF, 7-bit) with its content signed; fields of the head that are no MIME stay outside."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    inner = [field for field in fields if field.lower().startswith(b"content-")]
    outer = [field for field in fields if field not in inner]
    return b"\r\n".join((*outer, signed_entity(b"\r\n".join([*inner, b"", body]), signer)))


def signed_entity(entity: bytes, signer: MailSigner) -> bytes:
    """Return a MIME entity (CRLF, 7-bit) in a `multipart/signed` (RFC 8551 section 3.5.3)."""
    top = (
        f'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n micalg=sha-256; '
        f'boundary="{_BOUNDARY}"\r\n\r\n--{_BOUNDARY}\r\n'
    )
    between = (
        f'\r\n--{_BOUNDARY}\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
        'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
    )
    lines = base64_lines(_signature(entity, signer))
    pieces = (top.encode(), entity, between.encode(), b"\r\n".join(lines))
    return b"".join((*pieces, f"\r\n--{_BOUNDARY}--\r\n".encode()))


def base64_lines(octets: bytes) -> list[bytes]:
    """Return octets in base64, in lines of 76 characters (RFC 2045 section 6.8)."""
    encoded = base64.b64encode(octets)
    return [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]


def _signature(entity: bytes, signer: MailSigner) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(entity)
    builder = builder.add_signer(signer.certificate, signer.key, hashes.SHA256())
    for certificate in signer.chain:
        builder = builder.add_certificate(certificate)
    return builder.sign(Encoding.DER, _OPTIONS)


def _addresses(certificate: x509.Certificate) -> set[str]:
    """Return the mail addresses that a certificate is for (RFC 8550 section 3), lower case."""
    found = {str(one.value) for one in certificate.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)}
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return {one.lower() for one in found}
    return {one.lower() for one in found | set(names.get_values_for_type(x509.RFC822Name))}


def _public(key: object) -> bytes:
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
