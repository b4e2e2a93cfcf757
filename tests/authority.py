"""An authority of a test's own: certificates for hosts, good ones and bad ones, in PEM files."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True)
class Shown:
    """What a host shows: a file with its certificate and the authority's, and a file with its key."""

    certificate: x509.Certificate
    chain: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    def tlsa(self, usage: int, selector: int, matching: int) -> str:
        """The TLSA record that names it, as a zone file has it."""
        return tlsa_of(self.certificate, usage, selector, matching)


class Authority:
    """One authority, its certificate in a file of the folder."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = generate_private_key(SECP256R1())
        now = datetime.now(UTC)
        self.certificate = (
            _begun(self._name, self._name, self._key, now - timedelta(days=30), now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, SHA256())
        )
        self.path = folder / f"{name.replace(' ', '-')}.pem"
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(self, host: str, *, expired: bool = False, signer: Shown | None = None) -> Shown:
        """Make a certificate for a host; with a `signer`, one that a mere host has signed."""
        key = generate_private_key(SECP256R1())
        now = datetime.now(UTC)
        until = now - timedelta(days=1) if expired else now + timedelta(days=10)
        issuer = signer.certificate.subject if signer else self._name
        above = _key_of(signer) if signer else self._key
        certificate = (
            _begun(
                x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)]),
                issuer,
                key,
                now - timedelta(days=20),
                until,
            )
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
            .sign(above, SHA256())
        )
        stem = f"{host}-{certificate.serial_number:x}"
        chain, key_path = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        shown = [certificate, *([signer.certificate] if signer else []), self.certificate]
        chain.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in shown))
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return Shown(certificate, chain, key_path)

    def tlsa(self, usage: int, selector: int, matching: int) -> str:
        """The TLSA record that names the authority."""
        return tlsa_of(self.certificate, usage, selector, matching)


def tlsa_of(certificate: x509.Certificate, usage: int, selector: int, matching: int) -> str:
    octets = certificate.public_bytes(Encoding.DER)
    if selector == 1:
        octets = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = {
        0: lambda data: data,
        1: lambda data: hashlib.sha256(data).digest(),
        2: lambda data: hashlib.sha512(data).digest(),
    }
    return f"{usage} {selector} {matching} {digest[matching](octets).hex()}"


def _begun(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _key_of(shown: Shown) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(shown.key.read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key
