"""Certificates for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
Pair = tuple[Path, Path]
"""The files of a certificate and its key, both PEM."""


def make_certificate(
    folder: Path,
    name: str = "localhost",
    *,
    authority: Pair | None = None,
    expired: bool = False,
    purpose: x509.ObjectIdentifier | None = None,
) -> Pair:
    """A certificate and its key: signed by itself, or by an authority that `make_certificate` made.

    It is good for a day, or expired; for every purpose, or for one.
    """
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    until = datetime.now(UTC) + (-timedelta(minutes=1) if expired else DAY)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_certificate(authority).subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - 2 * DAY)
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    made = builder.sign(_key(authority) if authority else key, hashes.SHA256())
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    secret.chmod(0o600)
    return chain, secret


SERVERS_ONLY = ExtendedKeyUsageOID.SERVER_AUTH


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair[0].read_bytes())


def _key(pair: Pair) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
